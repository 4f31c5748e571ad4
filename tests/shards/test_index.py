"""The index: round trips, one spelling, and refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import SnapshotError
from rsflow.shards.index import IndexedSample, Member, encode_index, parse_index

MEMBER = st.builds(Member, st.sampled_from(["jpg", "json", "sar.png"]), st.integers(512, 2**62), st.integers(0, 8**11))
TASKS = st.lists(st.sampled_from(["vqa", "detection", "captioning"]), unique=True).map(lambda tasks: tuple(sorted(tasks)))
ROW = st.builds(
    IndexedSample,
    st.text("0123456789abcdef", min_size=20, max_size=20),
    st.sampled_from(["optical", "sar", "infrared"]),
    TASKS,
    st.sampled_from(["", "harbours", "høfn"]),
    st.integers(1, 9),
    st.lists(MEMBER, min_size=2, max_size=3).map(tuple),
    st.integers(0, 2**32 - 1),
)


@settings(deadline=None)
@given(st.lists(ROW), st.booleans())
def test_round_trip(rows: list[IndexedSample], with_crc: bool) -> None:
    rows = rows if with_crc else [row._replace(crc32=None) for row in rows]
    data = encode_index(rows)
    index = parse_index(data, "x")
    assert (list(index), len(index), index[1:]) == (rows, len(rows), tuple(rows[1:]))
    assert encode_index(index) == data
    for number, kind in enumerate(index.kinds):
        found = [i for i, row in enumerate(rows) if (row.sensor, row.tasks, row.source, row.repeat) == kind[:4]]
        assert set(index.positions_of_kinds([number]).tolist()) <= set(found)
    every = range(len(index.kinds))
    assert index.positions_of_kinds(every).tolist() == list(range(len(rows)))
    assert index.positions_of_kinds(every, repeated=True).tolist() == [
        i for i, row in enumerate(rows) for _ in range(row.repeat)
    ]


def test_span_goes_from_the_first_header_to_the_last_byte() -> None:
    assert IndexedSample("k", "sar", (), "", 1, (Member("jpg", 512, 3), Member("json", 1536, 65))).span == (0, 1601)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "is not a shard index"),
        (b"\xff", "is not a shard index"),
        (b"[]", "is not a shard index"),
        (b'{"format":"rsflow-index","version":2,"kinds":[],"keys":["k"],"kind":[0],"places":[]}', "is not a shard index"),
        (
            b'{"format":"rsflow-index","version":2,"kinds":[["sar",[],"",1,["jpg"]]],"keys":["k"],"kind":[-1],"places":[1,2]}',
            "numbers of",
        ),
        (
            b'{"format":"rsflow-index","version":2,"kinds":[["sar",[],"",1,["jpg"]]],"keys":["k"],"kind":[0],"places":[1,2,3,4]}',
            "of 1 mem",
        ),
        (b'{"format":"rsflow-index","version":1,"kinds":[],"samples":[]}', "expected rsflow-index 2"),
    ],
)
def test_what_is_no_index_is_refused(data: bytes, found: str) -> None:
    with pytest.raises(SnapshotError, match=f"^place: .*{found}"):
        parse_index(data, "place")
