"""Records that several processes write are for each new process what was written last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsflow.errors import StorageError
from rsflow.files import append_log
from rsflow.files.record_store import RecordStore, open_records


def opened(root: Path) -> RecordStore:
    return open_records(str(root), "log")


def test_what_an_older_process_writes_last_holds(tmp_path: Path) -> None:
    older, newer = opened(tmp_path), opened(tmp_path)
    older.write({"a/first.json": b"{}"})
    newer.write({"a/attempt.json": b"{}", "a/answer.json": b"1"})
    assert older.names("a") == ["a/answer.json", "a/attempt.json", "a/first.json"]
    older.write({"a/answer.json": b"2", "a/attempt.json": None})
    for store in (opened(tmp_path), older, newer):
        assert store.names("a") == ["a/answer.json", "a/first.json"]
        assert store.read("a/answer.json") == b"2"
        assert [record for name, record in store.versions("a") if name == "a/answer.json"] == [b"1", b"2"]


def test_records_of_a_write_that_failed_later_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other, write = opened(tmp_path), opened(tmp_path), os.write
    store.write({"a/one.json": b"1"})

    def write_a_line(descriptor: int, data: bytes) -> int:
        if (end := bytes(data).find(b"\n") + 1) == len(data):
            assert other.names("a") == ["a/one.json", "a/two.json"]
            assert other.read("a/one.json") == b"2"
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:end])

    monkeypatch.setattr(append_log.os, "write", write_a_line)
    with pytest.raises(StorageError):
        store.write({"a/two.json": b"1", "a/one.json": b"2", "a/three.json": b"1"})
    assert other.names("a") == ["a/one.json"]
    assert other.read("a/one.json") == b"1"
