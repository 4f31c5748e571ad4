"""A commit whose answer is lost: the store carried it out and reported a fault, so the client's own retry meets itself."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from rsflow.lake.delta.formats import TABLES
from rsflow.lake.tables import Lake, create_lake, open_lake
from tests.phases.faulty_store import faulty_store


def reject_rows(*units: str) -> pa.Table:
    rows = [{"unit": unit, "receipt": unit, "kind": "scene", "subject": unit, "rows": 1, "reason": "r"} for unit in units]
    return pa.Table.from_pylist(rows, schema=TABLES["rejects"])


def units(lake: Lake) -> Counter[str]:
    return Counter(lake.read("rejects")["unit"].to_pylist())


@pytest.fixture
def losing(bucket: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Lake, list[str]]]:
    """A lake with one row in a store that carries every commit out and reports a fault the first time."""
    lost: set[str] = set()

    def fault(path: str, chance: random.Random) -> str | None:
        if "/_delta_log/0" not in path or path in lost:
            return None
        lost.add(path)
        return "done"

    with faulty_store(endpoint, fault) as (address, failed):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        lake = create_lake(f"s3://{bucket}/lake")
        lake.append("rejects", reject_rows("first"))
        yield lake, failed


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda lake: lake.append("rejects", reject_rows("a", "b")), {"first": 1, "a": 1, "b": 1}),
        (lambda lake: [lake.append("rejects", reject_rows(name)) for name in "ab"], {"first": 1, "a": 1, "b": 1}),
        (lambda lake: lake.overwrite("rejects", lambda: [reject_rows("a"), reject_rows("b")]), {"a": 1, "b": 1}),
        (lambda lake: lake.overwrite("runs", lambda: [TABLES["runs"].empty_table()]), {"first": 1}),
        (lambda lake: lake.delete_rows("rejects", "unit", ["first"]), {}),
    ],
    ids=["append", "appends", "overwrite", "new", "delete"],
)
def test_rows_are_written_once(
    losing: tuple[Lake, list[str]], write: Callable[[Lake], object], expected: dict[str, int]
) -> None:
    lake, failed = losing
    write(lake)
    assert len(failed) > 1
    assert units(lake) == expected
    assert units(open_lake(lake.root)) == expected
