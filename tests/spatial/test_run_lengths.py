"""Run-length masks: COCO's two spellings give the same pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from shapely.geometry import mapping

from rsflow.annotations.parsing.mask_outlines import find_components, trace_outline
from rsflow.errors import DataError
from rsflow.spatial.polygons import parts_area, parts_bounds, to_geometry
from rsflow.spatial.run_lengths import decode_mask


def runs(mask: Any) -> list[int]:
    """The plain definition: lengths of runs down the columns, zeros first."""
    counts, last, length = [], False, 0
    for value in mask.T.ravel():
        if bool(value) != last:
            counts.append(length)
            last, length = bool(value), 0
        length += 1
    return [*counts, length]


def compressed(counts: list[int]) -> str:
    """The other direction of COCO's compression, written from its description."""
    text = ""
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            text += chr((bits | 32 if more else bits) + 48)
    return text


masks = st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32)).map(
    lambda drawn: np.random.default_rng(drawn[2]).random((drawn[0], drawn[1])) < 0.4
)


@given(masks)
@settings(deadline=None)
def test_both_spellings_give_the_mask_back(mask: Any) -> None:
    size = list(mask.shape)
    assert (decode_mask({"size": size, "counts": runs(mask)}) == mask).all()
    assert (decode_mask({"size": size, "counts": compressed(runs(mask))}) == mask).all()


def test_a_long_mask_needs_more_than_one_character_per_run() -> None:
    mask = np.zeros((400, 300), dtype=bool)
    mask[17:390, 40:250] = True
    assert (decode_mask({"size": [400, 300], "counts": compressed(runs(mask))}) == mask).all()


@pytest.mark.parametrize(
    "broken",
    [
        {"size": [2, 2], "counts": [1, 1]},
        {"size": [2, 2], "counts": [5, -1]},
        {"size": [2], "counts": [4]},
        {"size": [2, 2], "counts": "\x01"},
        {"size": [2, 2], "counts": "P"},
        {"size": [2, 2], "counts": None},
        {"size": [2, 2], "counts": [1.5, 2.5]},
    ],
)
def test_what_is_no_mask_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="bad_rle"):
        decode_mask(broken)


@given(masks)
@settings(deadline=None, max_examples=50)
def test_components_share_the_mask_among_them(mask: Any) -> None:
    found = list(find_components(mask))
    assert sum(pixels for _, _, pixels in found) == mask.sum()
    for box, parts, pixels in found:
        x0, y0, x1, y1 = box
        assert mask[int(y0) : int(y1), int(x0) : int(x1)].any(axis=0).all()
        assert parts_bounds(parts) == box
        assert parts_area(parts) == pixels


@given(masks)
@settings(deadline=None, max_examples=50)
def test_an_outline_drawn_again_is_the_mask(mask: Any) -> None:
    parts = trace_outline(mask)
    drawn = [(mapping(to_geometry(parts)), 1)] if parts else []
    again = rasterize(drawn, mask.shape) if drawn else np.zeros(mask.shape)
    assert (again.astype(bool) == mask).all()


def test_an_outline_follows_the_edges_of_the_pixels() -> None:
    mask = np.zeros((6, 8), dtype=bool)
    mask[1:4, 2:7] = True
    mask[5, 0] = True
    mask[2, 4] = False
    parts = trace_outline(mask)
    assert parts_area(parts) == 15
    assert parts_bounds(parts) == (0, 1, 7, 6)
    assert sorted(len(part) for part in parts) == [1, 2]  # one of them with a hole
    assert trace_outline(np.zeros((3, 3), dtype=bool)) == ()
