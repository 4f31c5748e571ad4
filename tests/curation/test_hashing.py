"""The column hash is its slow plain definition, and does not know how a column lies in memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.curation.hashing import stable_hashes, unit_interval

ALL = (1 << 64) - 1


def plain_mix(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & ALL
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & ALL
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & ALL
    return value ^ (value >> 31)


def plain_hash(text: str | None, seed: int) -> int:
    data = text.encode() if text is not None else b""
    value = plain_mix((seed + 0x9E3779B97F4A7C15) & ALL)
    value = plain_mix(value ^ (len(data) if text is not None else ALL))
    for at in range(0, len(data), 8):
        value = plain_mix(value ^ int.from_bytes(data[at : at + 8], "little"))
    return value


@settings(deadline=None)
@given(st.lists(st.none() | st.text(max_size=40), max_size=8), st.integers(-(2**63), 2**63), st.integers(0, 4))
def test_hashes_are_the_plain_ones(texts: list[str | None], seed: int, skip: int) -> None:
    texts = [text if text is None else text.encode("utf-8", "ignore").decode() for text in texts]
    column = pa.array(texts, pa.string())
    expected = [plain_hash(text, seed) for text in texts]
    assert stable_hashes(column, seed).tolist() == expected
    assert stable_hashes(column[skip:], seed).tolist() == expected[skip:]
    chunked = pa.chunked_array([column[:skip].cast(pa.large_string()), column[skip:].cast(pa.large_string())])
    assert stable_hashes(chunked, seed).tolist() == expected


def test_hashes_are_pinned() -> None:
    # Splits and quotas of existing datasets hang on them.
    assert stable_hashes(pa.array(["", "tile/0_0_512"]), 0).tolist() == [plain_hash("", 0), plain_hash("tile/0_0_512", 0)]
    assert stable_hashes(pa.array(["tile/0_0_512"]), 0)[0] == 0x7E6F806E0429950E


def test_similar_names_spread_evenly() -> None:
    names = pa.array([f"scene/{row}_{col}_512" for row in range(200) for col in range(200)])
    for seed in (0, 1):
        counts = np.histogram(unit_interval(stable_hashes(names, seed)), bins=50, range=(0, 1))[0]
        # 800 in each expected: chi-square with 49 degrees of freedom exceeds 94 once in ten thousand.
        assert ((counts - 800) ** 2 / 800).sum() < 94
    assert np.corrcoef(*(unit_interval(stable_hashes(names, seed)) for seed in (0, 1)))[0, 1] < 0.02
