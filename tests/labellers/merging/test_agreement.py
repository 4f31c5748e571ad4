"""What labellers agree on is graded higher, within bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsflow.labellers.merging.agreement import MAX_QUALITY, combine_quality, raise_agreed_quality
from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import label_row
from rsflow.spatial.geometry import Box

Row = dict[str, Any]
shares = st.floats(0.01, 1)


def row(name: str, box: Box, quality: float | None, *, tile: str = "t", **changes: Any) -> Row:
    label = Label("box", "ship", Provenance("labeller", name, f"m/{name}", quality=quality), Shape(box), score=0.5)
    return {"label_id": f"{tile}#{name}.0", "tile_id": tile, **label_row(label), **changes}


def qualities(*rows: Row) -> list[float | None]:
    return [found["quality"] for found in raise_agreed_quality(rows, lambda category: category.lower().rstrip("s"))]


BOX, NEAR, FAR = (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 10.0, 8.0), (0.0, 0.0, 10.0, 4.0)


@given(st.lists(shares, min_size=1, max_size=4), shares)
def test_a_grade_is_bounded(voices: list[float], one_more: float) -> None:
    """Never below the best voice, never above what independence would give, nor above the ceiling unless one is there alone."""
    found = combine_quality(voices)
    wrong = 1.0
    for quality in voices:
        wrong *= 1 - quality
    assert max(voices) <= found <= max(max(voices), min(MAX_QUALITY, 1 - wrong)) + 1e-12
    assert combine_quality(voices[::-1]) == found
    assert combine_quality([*voices, one_more]) >= found - 1e-12


def test_both_rise_to_the_same_grade() -> None:
    assert qualities(row("a", BOX, 0.8), row("b", NEAR, 0.6)) == [pytest.approx(0.86)] * 2
    assert qualities(row("a", BOX, 0.8), row("b", NEAR, 0.6), row("c", BOX, 0.5)) == [pytest.approx(0.895)] * 3


@pytest.mark.parametrize(
    "other",
    [
        row("b", FAR, 0.6),
        row("b", BOX, 0.6, category="pier"),
        row("b", BOX, 0.6, tile="u"),
        row("b", BOX, 0.6, model="m/a"),
        row("b", BOX, None),
        row("b", BOX, 0.0),
        row("b", BOX, 0.6, origin="annotation"),
        row("b", BOX, 0.6, kind="phrase"),
    ],
    ids=["elsewhere", "other category", "other tile", "same model", "unknown", "worthless", "annotation", "no box"],
)
def test_nothing_else_counts_as_agreement(other: Row) -> None:
    mine = row("a", BOX, 0.8)
    assert raise_agreed_quality([mine, other], str) == [mine, other]


def test_categories_are_compared_as_nouns() -> None:
    assert qualities(row("a", BOX, 0.5, category="Ships"), row("b", BOX, 0.5)) == [0.625, 0.625]


def test_a_box_agrees_with_one_of_another_labeller_only() -> None:
    assert qualities(row("a", BOX, 0.8), row("b", NEAR, 0.6), row("b", BOX, 0.6)) == [
        pytest.approx(0.86),
        0.6,
        pytest.approx(0.86),
    ]
