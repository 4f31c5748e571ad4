"""The cache: whole and right files only, one download for many processes, bounded, and none the worse for a killed one."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsflow.errors import SnapshotError, StorageError
from rsflow.loading.reading.shard_cache import ShardCache

DATA = os.urandom(300_000)
DIGEST = hashlib.sha256(DATA).hexdigest()


def chunks() -> Iterator[bytes]:
    yield from (DATA[i : i + 100_000] for i in range(0, len(DATA), 100_000))


def refused() -> Iterator[bytes]:
    raise AssertionError("fetched although it is there")
    yield b""


def put(cache: ShardCache, name: str, size: int, age: float = 0) -> None:
    data = name.encode().ljust(size)
    cache.ensure(name, hashlib.sha256(data).hexdigest(), lambda: iter([data]), name)
    stamp = time.time() - age
    os.utime(Path(cache.folder, name), (stamp, stamp))


def held(cache: ShardCache) -> list[str]:
    return sorted(os.listdir(cache.folder))


def test_fetched_once_then_there(tmp_path: Path) -> None:
    cache = ShardCache(str(tmp_path / "new" / "cache"), 1 << 20)
    assert not cache.has("a.tar")
    assert cache.ensure("a.tar", DIGEST, chunks, "s3://b/a.tar")
    assert not cache.ensure("a.tar", DIGEST, refused, "s3://b/a.tar")
    assert (Path(cache.folder, "a.tar").read_bytes(), held(cache)) == (DATA, ["a.tar"])
    cache.drop("a.tar")
    cache.drop("a.tar")
    assert not cache.has("a.tar")


def test_other_bytes_than_the_digest_never_appear(tmp_path: Path) -> None:
    cache = ShardCache(str(tmp_path), 1 << 20)
    with pytest.raises(SnapshotError, match=r"s3://b/a\.tar: its SHA-256 is not the manifest's"):
        cache.ensure("a.tar", "0" * 64, chunks, "s3://b/a.tar")

    def broken() -> Iterator[bytes]:
        yield DATA[:1000]
        raise StorageError("cut")

    with pytest.raises(StorageError, match="cut"):
        cache.ensure("a.tar", DIGEST, broken, "s3://b/a.tar")
    assert held(cache) == []


def test_the_longest_unused_leave_first(tmp_path: Path) -> None:
    cache = ShardCache(str(tmp_path), 2500)
    (tmp_path / "notes.txt").write_text("not ours" * 1000)
    for name, age in (("a.tar", 30), ("b.tar", 20)):
        put(cache, name, 1000, age)
    cache.ensure("a.tar", "", refused, "")  # used again: b is older now
    put(cache, "c.tar", 1000)
    assert held(cache) == ["a.tar", "c.tar", "notes.txt"]
    put(cache, "d.tar", 9000)
    assert held(cache) == ["d.tar", "notes.txt"]


def test_what_is_evicted_stays_readable_where_it_is_open(tmp_path: Path) -> None:
    cache = ShardCache(str(tmp_path), 1000)
    put(cache, "a.tar", 1000, 10)
    with open(tmp_path / "a.tar", "rb") as file:
        put(cache, "b.tar", 1000)
        assert held(cache) == ["b.tar"]
        assert file.read() == b"a.tar".ljust(1000)


def test_left_by_a_killed_process(tmp_path: Path) -> None:
    cache = ShardCache(str(tmp_path), 1 << 20)
    old = time.time() - 3600
    for name in ("a.tar.claim", "x.tar.0123.part"):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (old, old))
    start = time.monotonic()
    assert cache.ensure("a.tar", DIGEST, chunks, "a")
    assert time.monotonic() - start < 15  # a claim is waited for 20 s
    assert held(cache) == ["a.tar"]


def fetch_slowly(folder: str, log: str, name: str) -> None:
    def slow() -> Iterator[bytes]:
        with open(log, "a") as file:
            file.write(f"{name}\n")
        for chunk in chunks():
            time.sleep(0.05)
            yield chunk

    cache = ShardCache(folder, 1 << 20)
    cache.ensure(name, DIGEST, slow, name)
    assert Path(folder, name).read_bytes() == DATA


def test_processes_share_one_download(tmp_path: Path) -> None:
    fork, log = multiprocessing.get_context("fork"), tmp_path / "log"
    children = [fork.Process(target=fetch_slowly, args=(str(tmp_path / "cache"), str(log), "a.tar")) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0] * 4
    assert log.read_text() == "a.tar\n"
    assert held(ShardCache(str(tmp_path / "cache"), 1)) == ["a.tar"]


def test_evicting_at_the_same_time_harms_nobody(tmp_path: Path) -> None:
    cache, failed = ShardCache(str(tmp_path), 3000), []

    def work(first: int) -> None:
        try:
            for i in range(30):
                put_only(cache, f"{(first + i) % 12}.tar")
        except Exception as error:
            failed.append(error)

    def put_only(cache: ShardCache, name: str) -> None:
        data = name.encode().ljust(1000)
        cache.ensure(name, hashlib.sha256(data).hexdigest(), lambda: iter([data]), name)

    threads = [threading.Thread(target=work, args=(3 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    put_only(cache, "last.tar")
    assert sum(os.path.getsize(tmp_path / name) for name in held(cache)) <= 3000
    assert all(name.endswith(".tar") for name in held(cache))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"file/cache: cannot keep shards in it: a file stands where a folder should be"):
        ShardCache(str(tmp_path / "file" / "cache"), 1).ensure("a.tar", DIGEST, chunks, "a")
