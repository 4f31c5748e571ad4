"""The writer: other libraries read what it writes, the bytes follow from the samples, and a failure leaves nothing."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import fsspec
import pytest
import webdataset
from fsspec.implementations.memory import MemoryFileSystem

from rsflow.errors import DataError, StorageError
from rsflow.shards.format import Sample
from rsflow.shards.index import parse_index
from rsflow.shards.writer import write_shard

MakeSamples = Callable[..., list[Sample]]


def paths(folder: Path, name: str = "s") -> tuple[str, str]:
    return str(folder / f"{name}.tar"), str(folder / f"{name}.idx")


def test_tarfile_reads_the_same_members(tmp_path: Path, make_samples: MakeSamples) -> None:
    samples = make_samples(50)
    write_shard(*paths(tmp_path), samples)
    with tarfile.open(tmp_path / "s.tar", "r:") as tar:
        found = [(info.name, tar.extractfile(info).read()) for info in tar.getmembers()]  # type: ignore[union-attr]
    assert found == [(f"{one.key}.{extension}", data) for one in samples for extension, data in one.members()]


def test_webdataset_reads_the_same_samples(tmp_path: Path, make_samples: MakeSamples) -> None:
    samples = make_samples(50)
    write_shard(*paths(tmp_path), samples)
    found = list(webdataset.WebDataset(str(tmp_path / "s.tar"), shardshuffle=False))
    assert [one["__key__"] for one in found] == [one.key for one in samples]
    for sample, one in zip(samples, found, strict=True):
        assert one[sample.picture_format] == sample.picture
        assert json.loads(one["json"]) == sample.record


def test_gnu_tar_finds_no_fault(tmp_path: Path, make_samples: MakeSamples) -> None:
    write_shard(*paths(tmp_path), make_samples(3))
    done = subprocess.run(["tar", "tvf", str(tmp_path / "s.tar")], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 6
    assert done.stderr == ""


def test_the_info_tells_what_is_on_disk(tmp_path: Path, make_samples: MakeSamples) -> None:
    samples = make_samples(30)
    info = write_shard(*paths(tmp_path), iter(samples))
    tar, index = ((tmp_path / name).read_bytes() for name in ("s.tar", "s.idx"))
    assert (info.bytes, info.sha256) == (len(tar), hashlib.sha256(tar).hexdigest())
    assert (info.index_bytes, info.index_sha256) == (len(index), hashlib.sha256(index).hexdigest())
    assert (info.samples, info.instructions) == (30, sum(len(one.record["instructions"]) for one in samples))


def test_the_index_tells_where_everything_is(tmp_path: Path, make_samples: MakeSamples) -> None:
    samples = make_samples(30)
    write_shard(*paths(tmp_path), samples)
    tar = (tmp_path / "s.tar").read_bytes()
    rows = parse_index((tmp_path / "s.idx").read_bytes(), "s.idx")
    for sample, row in zip(samples, rows, strict=True):
        assert (row.key, row.sensor, row.tasks, row.source, row.repeat) == (sample.key, *sample.kind())
        assert [(m.extension, tar[m.offset : m.offset + m.size]) for m in row.members] == sample.members()


def test_bytes_follow_from_the_samples_alone(tmp_path: Path, make_samples: MakeSamples) -> None:
    samples = make_samples(40)
    write_shard(*paths(tmp_path, "one"), samples)
    # Other dict orders, other objects, a generator: the same content.
    again = (
        Sample(one.key, bytes(bytearray(one.picture)), one.picture_format, dict(reversed(one.record.items())))
        for one in samples
    )
    write_shard(*paths(tmp_path, "two"), again)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    assert (tmp_path / "one.idx").read_bytes() == (tmp_path / "two.idx").read_bytes()


def test_the_layout_is_pinned(tmp_path: Path) -> None:
    """The bytes of a known shard, so that a change of the format cannot slip in with the same version."""
    record = {"key": "0a", "sensor": "sar", "instructions": [{"task": "vqa"}]}
    info = write_shard(*paths(tmp_path), [Sample("0a", b"abc", "jpg", record)])
    assert info.sha256 == "176898f90733776759588f8547eadfe0d09fbea4e196ad6d0ab1767bad7219bd"
    index = (
        b'{"crc32":[1302785709],"format":"rsflow-index","keys":["0a"],"kind":[0],"kinds":[["sar",["vqa"],"",1,["jpg","json"]]],'
        b'"places":[512,3,1536,59],"version":2}'
    )
    assert (tmp_path / "s.idx").read_bytes() == index


@pytest.mark.parametrize("pick", [(1, 0), (0, 0)])
def test_samples_out_of_order_are_refused(tmp_path: Path, make_samples: MakeSamples, pick: tuple[int, ...]) -> None:
    samples = make_samples(2)
    with pytest.raises(ValueError, match="keys must rise strictly"):
        write_shard(*paths(tmp_path), [samples[i] for i in pick])
    assert not list(tmp_path.iterdir())


def test_a_bad_sample_leaves_nothing(tmp_path: Path, make_samples: MakeSamples) -> None:
    def samples() -> Iterator[Sample]:
        yield from make_samples(20)
        yield Sample("z" * 99, b"", "jpg", {"sensor": "sar", "instructions": []})

    with pytest.raises(DataError, match="a tar header holds 100"):
        write_shard(*paths(tmp_path), samples())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file size stands in for the full disk: the same failing write from the operating system."""
    program = f"""
import errno, os
from rsflow.files import storage
from rsflow.shards.format import Sample
from rsflow.shards.writer import write_shard
record = {{"sensor": "sar", "instructions": []}}
samples = (Sample(f"{{i:04}}", bytes(100_000), "jpg", record) for i in range(100))
try:
    write_shard({str(tmp_path / "s.tar")!r}, {str(tmp_path / "s.idx")!r}, samples)
except storage.StorageError as error:
    print(type(error).__name__, error)
"""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, preexec_fn=limit)
    assert done.stdout.startswith(f"StorageError {tmp_path / 's.tar'}: cannot write it: ")
    assert not list(tmp_path.iterdir())


class FullDisk(MemoryFileSystem):  # type: ignore[misc]
    """A store whose files answer ENOSPC to every write."""

    protocol = "fulldisk"

    def _open(self, path: str, mode: str = "rb", **options: object) -> IO[bytes]:
        return open("/dev/full", "wb")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: only Linux has it")
def test_no_space_left_says_what_to_do(make_samples: MakeSamples) -> None:
    fsspec.register_implementation("fulldisk", FullDisk, clobber=True)
    with pytest.raises(StorageError, match=r"fulldisk://s\.tar: cannot write it: the disk is full"):
        write_shard("fulldisk://s.tar", "fulldisk://s.idx", make_samples(2000))
