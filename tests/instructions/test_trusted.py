"""Which labels may feed a task: thresholds by category, and one label of an object that several labellers found."""

from __future__ import annotations

import pytest

from rsflow.config import settings as config
from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.instructions.facts.tile_facts import trusted_labels
from rsflow.records import Label, Provenance, Shape, TileFacts
from rsflow.spatial.geometry import Box

BOX: Box = (0, 0, 20, 20)
NEAR: Box = (0, 0, 20, 15)
FAR: Box = (0, 0, 20, 9)


def seen(name: str, box: Box = BOX, category: str = "ship", *, quality: float = 0.7, score: float = 0.8) -> Label:
    return Label("box", category, Provenance("labeller", name, f"m/{name}", quality=quality), Shape(box), score=score)


def kept(*labels: Label, settings: config.Labels | None = None) -> tuple[int, ...]:
    return trusted_labels(TileFacts("t", "optical", 64, 64, None, labels), settings or config.Labels())


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        (0.5, (1, 2)),
        ({"ship": 0.3}, (0, 1, 2)),
        ({"Ships": 0.3}, (0, 1, 2)),
        ({"ship": 0.9}, (2,)),
        ({"ship": 0.3, "*": 0.9}, (0, 1)),
        ({"*": 0.3}, (0, 1, 2)),
        ({"storage tank": 0.9}, (1,)),
    ],
)
def test_the_least_score_may_differ_by_category(least: float | dict[str, float], expected: tuple[int, ...]) -> None:
    labels = (seen("d", score=0.4), seen("d", FAR, score=0.8), seen("d", (30, 30, 40, 40), "storage-tank", score=0.6))
    settings = check(config.Labels, {"min_score": least}, "here")
    assert kept(*labels, settings=settings) == expected


def test_a_least_score_beyond_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"(?s)min_score.*less than or equal to 1"):
        check(config.Labels, {"min_score": {"ship": 1.5}}, "here")


def test_an_object_that_two_labellers_found_is_there_once() -> None:
    assert kept(seen("a"), seen("b", NEAR, quality=0.8)) == (1,)
    assert kept(seen("a"), seen("b", NEAR, score=0.7)) == (0,)
    assert kept(seen("a"), seen("b", NEAR)) == (0,)


@pytest.mark.parametrize("other", [seen("b", FAR), seen("b", category="pier"), seen("a", NEAR)])
def test_other_objects_and_a_labellers_own_boxes_stay(other: Label) -> None:
    assert kept(seen("a"), other) == (0, 1)


def test_what_is_not_trusted_replaces_nothing() -> None:
    assert kept(seen("a"), seen("b", quality=0.9, score=0.1)) == (0,)
