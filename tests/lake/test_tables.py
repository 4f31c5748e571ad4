"""Tables with several writers at once: whoever replaces the rows replaces all of them, and what is told of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from rsflow.errors import LakeError, StorageError
from rsflow.files import storage
from rsflow.lake.delta.commits import COMMIT_KEY, commit_infos, has_commit
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.integrity import digests
from rsflow.lake.integrity.unreferenced import delete_old_versions
from rsflow.lake.tables import Lake, create_lake


@pytest.fixture(params=["disk", "bucket"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return create_lake(str(tmp_path / "lake") if request.param == "disk" else f"s3://{request.getfixturevalue('bucket')}/lake")


def rows(writer: str) -> Iterator[pa.Table]:
    for part in "ab":
        columns = {"subject": pa.array([f"{writer}{part}"]), "kind": pa.array(["tile"])}
        yield pa.table({f.name: columns.get(f.name, pa.nulls(1, f.type)) for f in TABLES["selection"]})


def overtaken(lake: Lake, times: int) -> Callable[[], Iterator[pa.Table]]:
    """What gives the rows of `slow`; while they are written, another thread replaces the rows, in so many attempts."""
    attempts: list[int] = []

    def pieces() -> Iterator[pa.Table]:
        first, second = rows("slow")
        yield first
        attempts.append(len(attempts))
        if len(attempts) <= times:
            other = threading.Thread(target=lake.overwrite, args=("selection", lambda: rows("fast"), {"by": "fast"}))
            other.start()
            other.join(60)
        yield second

    return pieces


@pytest.mark.parametrize("before", [False, True])
def test_of_several_who_replace_the_rows_at_once_one_has_the_last_word(lake: Lake, before: bool) -> None:
    if before:
        lake.overwrite("selection", lambda: rows("before"), {"by": "before"})
    lake.overwrite("selection", overtaken(lake, 2), {"by": "slow"})
    known = lake.commit_metadata("selection")
    assert known is not None
    version, told = known
    assert told == {"by": "slow"}
    assert sorted(lake.read("selection", version=version)["subject"].to_pylist()) == ["slowa", "slowb"]
    assert sorted(lake.read("selection", version=version - 1)["subject"].to_pylist()) == ["fasta", "fastb"]


def test_who_cannot_get_ahead_of_the_others_is_told(lake: Lake) -> None:
    with pytest.raises(StorageError, match=r"tables/selection: cannot commit rows"):
        lake.overwrite("selection", overtaken(lake, 1000), {"by": "slow"})
    known = lake.commit_metadata("selection")
    assert known is not None
    assert known[1] == {"by": "fast"}


def test_what_is_told_is_of_the_last_rows_and_outlives_tidying(lake: Lake) -> None:
    assert lake.commit_metadata("selection") is None
    lake.overwrite("selection", lambda: rows("p"), {"by": "p"})
    lake.overwrite("selection", lambda: rows("q"), {"by": "q"})
    delete_old_versions(lake, "selection", 0, [])
    known = lake.commit_metadata("selection")
    assert known is not None
    assert known[1] == {"by": "q"}
    assert lake.read("selection", version=known[0]).num_rows == 2
    lake.overwrite("selection", lambda: rows("r"))
    assert lake.commit_metadata("selection") is None


@pytest.mark.parametrize("code", ["PreconditionFailed", "NotImplemented"])
def test_a_file_is_new_once_whatever_the_store_says(bucket: str, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    from s3fs.errors import translate_boto_error

    place = f"s3://{bucket}/one.json"
    assert storage.write_if_absent(place, b"ours")
    assert not storage.write_if_absent(place, b"others")
    assert storage.read_bytes(place) == b"ours"
    fs, _ = storage.filesystem(place)
    put, tried = fs.pipe_file, []

    def refused(name: str, data: bytes, mode: str = "overwrite") -> None:
        tried.append(mode)
        if mode == "create":
            if code == "PreconditionFailed":
                put(name, b"of another writer")
            error = ClientError({"Error": {"Code": code, "Message": "no"}}, "PutObject")
            raise translate_boto_error(error)
        put(name, data)

    monkeypatch.setattr(fs, "pipe_file", refused)
    storage.remove(place)
    assert storage.write_if_absent(place, b"ours") == (code == "NotImplemented")
    assert storage.read_bytes(place) == (b"ours" if code == "NotImplemented" else b"of another writer")
    assert tried == ["create"] + ["overwrite"] * (code == "NotImplemented")


def test_a_damaged_commit_is_told(tmp_path: Path) -> None:
    lake = create_lake(str(tmp_path))
    lake.overwrite("selection", lambda: rows("p"), {"by": "p"})
    (*_, last) = sorted((tmp_path / "tables/selection/_delta_log").glob("*.json"))
    last.write_text(last.read_text().replace('{\\"by', "{by"))
    digests.clear_cache()
    with pytest.raises(LakeError, match=rf"{last.name}: is damaged"):
        lake.commit_metadata("selection")


def test_a_commit_is_found_by_its_id(lake: Lake) -> None:
    """So rows are not added twice where the answer to a commit was lost."""
    lake.append("selection", next(rows("p")))
    table = lake.delta("selection")
    assert table is not None
    commit_id = next(commit_infos(lake.root, "selection", table.version()))[COMMIT_KEY]
    lake.append("selection", next(rows("q")))
    again = lake.delta("selection")
    assert again is not None
    assert has_commit(lake.root, "selection", again.version(), commit_id, 9)
    assert not has_commit(lake.root, "selection", again.version(), commit_id[::-1], 9)


def test_a_small_file_that_was_edited_is_refused(lake: Lake) -> None:
    assert lake.read_json("note.json", ["version"]) is None
    lake.write_json("note.json", {"version": 1})
    assert lake.read_json("note.json", ["version"]) == {"version": 1}
    text = storage.read_text(lake.place("note.json"))
    storage.write_bytes(lake.place("note.json"), text.replace(": 1", ": 3").encode())
    with pytest.raises(LakeError, match=r"note\.json: is damaged"):
        lake.read_json("note.json", ["version"])
    storage.write_bytes(lake.place("note.json"), b'{"version": 3}')  # as an earlier version wrote it
    assert lake.read_json("note.json", ["version"]) == {"version": 3}


def test_the_marks_of_another_writer_are_never_seen_without_its_rows(tmp_path: Path) -> None:
    """Rows are committed before the marks that count on them: whoever sees the marks sees the rows."""
    from rsflow.lake.delta.read_cache import read_once

    def rows(table: str, number: int) -> pa.Table:
        column = {"tiles": "tile_id", "runs": "unit"}[table]
        return pa.Table.from_pylist([{column: f"{number}"}], schema=TABLES[table])

    root = str(tmp_path / "lake")
    own, other = create_lake(root), create_lake(root)
    with read_once():
        for table in ("tiles", "runs"):
            own.append(table, rows(table, 1))
        own.append("tiles", rows("tiles", 2))
        for table in ("tiles", "runs"):
            other.append(table, rows(table, 3))
        own.append("runs", rows("runs", 2))
        assert set(own.read("runs")["unit"].to_pylist()) == {"1", "2", "3"}
        assert set(own.read("tiles")["tile_id"].to_pylist()) == {"1", "2", "3"}
