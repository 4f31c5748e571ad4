"""Snapshots: round trips, numbers that rise only when something changed, and refusals that say what is wrong."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import SnapshotError, StorageError
from rsflow.shards.manifest import (
    Manifest,
    ShardEntry,
    Split,
    latest_snapshot,
    parse_manifest,
    read_snapshot,
    snapshot_root,
    write_snapshot,
)

WriteLake = Callable[[Path], Manifest]
COUNT = st.integers(0, 2**40)
NAME = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
DIGEST = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
ENTRY = st.builds(ShardEntry, NAME.map("shards/{}.tar".format), COUNT, COUNT, COUNT, DIGEST, COUNT, DIGEST)
COUNTS = st.dictionaries(NAME, st.dictionaries(NAME, COUNT, max_size=2), max_size=2)
SPLIT = st.builds(Split, st.lists(ENTRY, max_size=3).map(tuple), COUNTS)
MANIFEST = st.builds(Manifest, NAME, st.integers(), st.dictionaries(NAME, SPLIT, max_size=3))


@settings(deadline=None, max_examples=30)
@given(MANIFEST)
def test_round_trip(manifest: Manifest) -> None:
    assert parse_manifest(manifest.to_json(), "x") == manifest


def test_the_order_in_which_shards_were_gathered_is_irrelevant(write_lake: WriteLake, tmp_path: Path) -> None:
    train = write_lake(tmp_path).splits["train"]
    assert Split(train.shards[::-1], train.counts) == train


def test_the_digest_is_of_the_content_alone(write_lake: WriteLake, tmp_path: Path) -> None:
    manifest = write_lake(tmp_path)
    assert replace(manifest, config_fingerprint="other", seed=8).digest == manifest.digest
    assert replace(manifest, splits={"train": manifest.splits["train"]}).digest != manifest.digest


def test_same_content_makes_no_new_snapshot(write_lake: WriteLake, tmp_path: Path) -> None:
    root, manifest = str(tmp_path), write_lake(tmp_path)
    before = (tmp_path / "snapshots/1.json").stat().st_mtime_ns
    assert write_snapshot(root, manifest) == 1
    assert (tmp_path / "snapshots/1.json").stat().st_mtime_ns == before
    other = replace(manifest, seed=8)
    assert write_snapshot(root, other) == 2
    assert (read_snapshot(root), read_snapshot(root, 1)) == (other, manifest)
    assert read_snapshot(str(tmp_path / "snapshots/1.json")) == manifest
    assert write_snapshot(root, manifest) == 3


def test_a_crash_before_latest_is_repaired_by_the_next_write(write_lake: WriteLake, tmp_path: Path) -> None:
    manifest = write_lake(tmp_path)
    other = replace(manifest, seed=8)
    (tmp_path / "snapshots/2.json").write_text(other.to_json())
    assert read_snapshot(str(tmp_path)) == other
    assert write_snapshot(str(tmp_path), other) == 2
    assert (tmp_path / "snapshots/LATEST").read_text() == "2\n"
    assert write_snapshot(str(tmp_path), manifest) == 3
    assert read_snapshot(str(tmp_path)) == manifest


def test_a_number_that_another_build_took_is_never_written_again(
    write_lake: WriteLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, manifest = str(tmp_path), write_lake(tmp_path)
    others = [replace(manifest, seed=seed) for seed in (8, 9)]
    monkeypatch.setattr("rsflow.shards.manifest.find_latest", lambda root: 1)  # as both builds saw it
    assert [write_snapshot(root, each) for each in others] == [2, 3]
    assert [read_snapshot(root, n) for n in (1, 2, 3)] == [manifest, *others]
    assert not list(tmp_path.rglob("*.tmp"))


def test_missing_snapshots_say_what_to_do(write_lake: WriteLake, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"nowhere/snapshots/LATEST: is missing.*Run `rsflow build`"):
        read_snapshot(str(tmp_path / "nowhere"))
    write_lake(tmp_path)
    with pytest.raises(SnapshotError, match=r"snapshots/5\.json: there is no such snapshot"):
        read_snapshot(str(tmp_path), 5)
    (tmp_path / "snapshots/LATEST").write_text("newest")
    with pytest.raises(SnapshotError, match="found 'newest', expected the number"):
        read_snapshot(str(tmp_path))


def test_no_flipped_bit_of_latest_names_another_snapshot(write_lake: WriteLake, tmp_path: Path) -> None:
    root, place = str(tmp_path), tmp_path / "snapshots/LATEST"
    manifest = write_lake(tmp_path)
    for seed in range(10, 21):
        number = write_snapshot(root, replace(manifest, seed=seed))
        sound = place.read_bytes()
        for bit in range(8 * len(sound)):
            place.write_bytes(bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(sound)))
            with contextlib.suppress(SnapshotError, StorageError):
                assert read_snapshot(root).seed == seed
        place.write_text(f"{number} 0123456789abcdef\n")  # as rsflow wrote it for a while, with a digest
        assert latest_snapshot(root) == number
        place.unlink()
        assert write_snapshot(root, read_snapshot(root, number)) == number == latest_snapshot(root)
    place.unlink()
    assert write_snapshot(root, read_snapshot(root, 3)) == number + 1 == latest_snapshot(root)


def edited(manifest: Manifest, **changes: object) -> str:
    return json.dumps({**json.loads(manifest.to_json()), **changes})


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"version": 2}, "version 2 is of a newer rsflow, this one reads up to 1; upgrade"),
        ({"format": "tar"}, "format 'tar', expected 'rsflow-snapshot'"),
        ({"seed": "7"}, "is not a snapshot manifest .*found '7', expected int"),
        ({"splits": []}, "is not a snapshot manifest"),
        ({"splits": {"train": {"shards": [{"path": "a"}], "counts": {}}}}, "is not a snapshot manifest"),
        ({"splits": {}}, "was changed after it was written"),
    ],
)
def test_what_is_no_manifest_is_refused(write_lake: WriteLake, tmp_path: Path, changes: dict[str, object], found: str) -> None:
    with pytest.raises(SnapshotError, match=f"^place: {found}"):
        parse_manifest(edited(write_lake(tmp_path), **changes), "place")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(SnapshotError, match="is not a snapshot manifest"):
        parse_manifest(text, "place")


@pytest.mark.parametrize("path", ["../x.tar", "/etc/x.tar", "shards/../../x.tar"])
def test_a_path_that_leaves_the_root_is_refused(path: str) -> None:
    manifest = Manifest("f", 0, {"train": Split((ShardEntry(path, 1, 1, 1, "0", 1, "0"),))})
    with pytest.raises(SnapshotError, match="would leave"):
        parse_manifest(manifest.to_json(), "place")


@pytest.mark.parametrize(
    ("source", "root"),
    [
        ("/data/lake", "/data/lake"),
        ("/data/lake/snapshots/3.json", "/data/lake"),
        ("s3://bucket/snapshots/3.json", "s3://bucket"),
        ("snapshots/3.json", "."),
        ("3.json", ".."),
        ("/snapshots/3.json", "/"),
    ],
)
def test_the_root_of_a_source(source: str, root: str) -> None:
    assert snapshot_root(source) == root


def test_no_flipped_bit_of_a_manifest_passes() -> None:
    manifest = Manifest("f" * 32, 2, {"train": Split((ShardEntry("shards/a.tar", 1, 1, 1, "0" * 64, 1, "0" * 64),), {})})
    data = manifest.to_json().encode()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            text = flipped.decode()
        except UnicodeDecodeError:  # refused where it is read
            continue
        with contextlib.suppress(SnapshotError):
            assert parse_manifest(text, "place") == manifest
