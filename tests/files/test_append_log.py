"""What was appended is on the disk when it returns, written together, and read back whole."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rsflow.errors import LakeError, StorageError
from rsflow.files import append_log
from rsflow.files.append_log import AppendLog, list_segments, read_line, read_lines


def texts_of(folder: Path) -> list[bytes]:
    return [text for name in list_segments(str(folder)) for _, text in read_lines(str(folder / name))]


def test_lines_of_many_threads_are_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, syncs, is_busy, is_free = AppendLog(str(tmp_path)), [0], threading.Event(), threading.Event()

    def sync(descriptor: int) -> None:
        syncs[0] += 1
        is_busy.set()
        is_free.wait(20)
        os.fsync(descriptor)

    monkeypatch.setattr(append_log, "sync_to_disk", sync)
    with ThreadPoolExecutor(32) as pool:
        written = [pool.submit(log.append, [b"text 0"])]
        is_busy.wait(20)
        written += [pool.submit(log.append, [b"text %d" % i]) for i in range(1, 32)]
        while len(log._group.lines) < 31:
            time.sleep(0.001)
        is_free.set()
        for one in written:
            one.result()
    assert syncs == [2]
    assert sorted(texts_of(tmp_path)) == sorted(b"text %d" % i for i in range(32))


def test_a_torn_last_line_was_never_written_and_a_damaged_one_is_an_error(tmp_path: Path) -> None:
    log = AppendLog(str(tmp_path))
    log.append([b"one", b"two"])
    path = tmp_path / list_segments(str(tmp_path))[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert texts_of(tmp_path) == [b"one"]
    path.write_bytes(whole.replace(b"one", b"eno"))
    with pytest.raises(LakeError, match=r"\.log: the line at byte 0 is damaged"):
        texts_of(tmp_path)
    path.write_bytes(whole)
    (_, (offset, text)) = list(read_lines(str(path)))
    assert read_line(str(path), offset, len(text)) == b"two"


def test_a_disk_that_fails_fails_the_append_and_not_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AppendLog(str(tmp_path))
    log.append([b"one"])

    def write_half(descriptor: int, data: bytes) -> int:
        os.pwrite(descriptor, data[:5], os.fstat(descriptor).st_size)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(append_log.os, "write", write_half)
        with pytest.raises(StorageError, match="the disk is full"):
            log.append([b"two"])
    log.append([b"three"])
    assert texts_of(tmp_path) == [b"one", b"three"]


def test_a_full_segment_is_left_for_a_later_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append_log, "SEGMENT_BYTES", 20)
    log, other = AppendLog(str(tmp_path)), AppendLog(str(tmp_path))
    for i in range(4):
        log.append([b"text %d" % i])
    other.append([b"last"])
    assert len(list_segments(str(tmp_path))) == 3
    assert texts_of(tmp_path) == [*(b"text %d" % i for i in range(4)), b"last"]


def test_what_is_appended_while_another_append_fails_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AppendLog(str(tmp_path))
    log.append([b"one"])
    write, close_group = os.write, AppendLog._close_group

    def write_half(descriptor: int, data: bytes) -> int:
        if b"two" not in bytes(data):
            return write(descriptor, data)
        write(descriptor, data[:5])
        raise OSError(28, "No space left on device")

    def append_meanwhile(self: AppendLog, group: append_log._Group) -> None:
        if group.error:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(log.append, [b"three"]).result(20)
        close_group(self, group)

    monkeypatch.setattr(append_log.os, "write", write_half)
    monkeypatch.setattr(AppendLog, "_close_group", append_meanwhile)
    with pytest.raises(StorageError, match="the disk is full"):
        log.append([b"two"])
    assert texts_of(tmp_path) == [b"one", b"three"]


def test_of_a_refused_append_no_line_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AppendLog(str(tmp_path))
    log.append([b"one"])
    write = os.write

    def write_a_line(descriptor: int, data: bytes) -> int:
        if (end := bytes(data).find(b"\n") + 1) == len(data):
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:end])

    with monkeypatch.context() as patch:
        patch.setattr(append_log.os, "write", write_a_line)
        with pytest.raises(StorageError, match="the disk is full"):
            log.append([b"two", b"three"])
    log.append([b"four"])
    assert texts_of(tmp_path) == [b"one", b"four"]


def test_a_foreign_file_is_named(tmp_path: Path) -> None:
    AppendLog(str(tmp_path)).append([b"one"])
    (tmp_path / "old copy.log").touch()
    with pytest.raises(LakeError, match=r"old copy\.log: no segment of a log.* move this file"):
        AppendLog(str(tmp_path)).append([b"two"])


def test_lines_come_to_stand_behind_those_that_they_overrule(tmp_path: Path) -> None:
    log, other = AppendLog(str(tmp_path)), AppendLog(str(tmp_path))
    log.append([b"one"])
    other.append([b"two"])
    log.append([b"three"])
    newest = list_segments(str(tmp_path))[-1]
    log.append([b"four"], newest)
    other.append([b"five"], newest)
    assert texts_of(tmp_path) == [b"one", b"three", b"two", b"five", b"four"]
