"""The index: round trips, one spelling, and refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import SnapshotError
from rsflow.shards.index import IndexedSample, Member, index_bytes, parse_index

MEMBER = st.builds(Member, st.sampled_from(["jpg", "json", "sar.png"]), st.integers(512), st.integers(0))
TASKS = st.lists(st.sampled_from(["vqa", "detection", "captioning"]), unique=True).map(lambda tasks: tuple(sorted(tasks)))
ROW = st.builds(
    IndexedSample,
    st.text("0123456789abcdef", min_size=20, max_size=20),
    st.sampled_from(["optical", "sar", "infrared"]),
    TASKS,
    st.lists(MEMBER, min_size=2, max_size=3).map(tuple),
)


@settings(deadline=None)
@given(st.lists(ROW))
def test_round_trip(rows: list[IndexedSample]) -> None:
    data = index_bytes(rows)
    assert parse_index(data, "x") == tuple(rows)
    assert index_bytes(parse_index(data, "x")) == data


def test_span_goes_from_the_first_header_to_the_last_byte() -> None:
    assert IndexedSample("k", "sar", (), (Member("jpg", 512, 3), Member("json", 1536, 65))).span == (0, 1601)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "is not a shard index"),
        (b"\xff", "is not a shard index"),
        (b"[]", "is not a shard index"),
        (b'{"format":"rsflow-index","version":1,"kinds":[],"samples":[["k",0,[]]]}', "is not a shard index"),
        (b'{"format":"rsflow-index","version":2,"kinds":[],"samples":[]}', "expected rsflow-index 1"),
    ],
)
def test_what_is_no_index_is_refused(data: bytes, found: str) -> None:
    with pytest.raises(SnapshotError, match=f"^place: .*{found}"):
        parse_index(data, "place")
