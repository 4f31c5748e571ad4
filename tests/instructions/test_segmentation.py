"""Segmentation: outlines that a text can hold, exact masks beside them, and reasons for what is not asked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rsflow.annotations.parsing.mask_outlines import trace_outline
from rsflow.config import settings as config
from rsflow.dialects import DIALECTS, get_dialect, spell_text
from rsflow.dialects.spelling.outlines import parse_outlines
from rsflow.instructions import compose
from rsflow.instructions.facts.outlines import MOST_POINTS, written_outline
from rsflow.loading.masks import instruction_masks
from rsflow.records import Instruction, Label, Provenance, Reject, Shape, TileFacts
from rsflow.spatial.polygons import even_odd_area, geometry_iou, to_geometry

ANNOTATION = Provenance("annotation", "coco")
ROWS, COLS = np.mgrid[:256, :320]
RING = ((ROWS - 80) ** 2 + (COLS - 90) ** 2 < 40**2) & ((ROWS - 80) ** 2 + (COLS - 90) ** 2 >= 15**2)
TWO_PARTS = (abs(ROWS - 190) < 20) & (abs(COLS - 180) < 60) & (abs(COLS - 180) > 20)


def shape(mask: np.ndarray) -> Shape:
    rows, cols = np.nonzero(mask)
    box = (float(cols.min()), float(rows.min()), float(cols.max() + 1), float(rows.max() + 1))
    return Shape.of_parts(box, trace_outline(mask))


def tile(*shapes: Shape, vocabulary: tuple[str, ...] = ("building",)) -> TileFacts:
    labels = tuple(Label("box", "building", ANNOTATION, one) for one in shapes)
    return TileFacts("t/0", "optical", 256, 320, 0.5, labels, vocabulary)


def made(facts: TileFacts) -> tuple[list[Instruction], list[Reject]]:
    return compose(facts, config.Instructions(tasks=("segmentation",), per_task=50), 0, config.Labels())


def test_masks_are_the_annotated_ones_pixel_for_pixel_with_holes_and_parts() -> None:
    everything = next(item for item in made(tile(shape(RING), shape(TWO_PARTS)))[0] if item.answer["kind"] == "outlines")
    answer = json.loads(json.dumps(everything.answer))
    masks = instruction_masks({"answer": answer}, 256, 320)
    assert masks.shape == (2, 256, 320)
    assert np.array_equal(masks[0], RING)
    assert np.array_equal(masks[1], TWO_PARTS)
    small = instruction_masks({"answer": answer}, 256, 320, (128, 160))
    assert np.array_equal(small[1], TWO_PARTS[1::2, 1::2])  # the middles of its pixels
    assert instruction_masks({"answer": {"kind": "count", "value": 2}}, 256, 320).shape == (0, 256, 320)


@pytest.mark.parametrize("name", sorted(set(DIALECTS) - {"lisa"}))
def test_every_family_spells_outlines_that_come_back(name: str) -> None:
    dialect = get_dialect(name)
    for item in made(tile(shape(RING), shape(TWO_PARTS)))[0]:
        spelled = spell_text(dialect, item.turns[-1].text, item.boxes, item.answer, 256, 320)
        assert "[[" not in spelled or name in {"internvl", "qwen", "qwen3"}
        assert "|#" not in spelled
        _, found = parse_outlines(dialect, spelled, 256, 320)
        assert len(found) == len(item.answer["outlines"])
        for rings, written in zip(found, item.answer["outlines"], strict=True):
            assert [len(ring) for ring in rings] == [len(ring) for ring in written]
            exact = even_odd_area(tuple(map(tuple, written)))
            assert geometry_iou(even_odd_area(rings), exact) > 0.85


def test_lisa_writes_a_token_for_each_mask() -> None:
    everything = next(item for item in made(tile(shape(RING), shape(TWO_PARTS)))[0] if item.answer["kind"] == "outlines")
    text = spell_text(get_dialect("lisa"), everything.turns[-1].text, everything.boxes, everything.answer, 256, 320)
    assert text == "There are 2 buildings [SEG] [SEG]"


def test_a_long_outline_is_simplified_until_a_text_can_hold_it() -> None:
    facts = tile(shape(RING))
    exact = facts.labels[0].shape.area_parts  # type: ignore[union-attr]
    assert sum(len(ring) for part in exact for ring in part) > 2 * MOST_POINTS
    rings = written_outline(exact, facts)
    assert rings
    assert sum(map(len, rings)) <= 2 * MOST_POINTS
    assert geometry_iou(even_odd_area(rings), to_geometry(exact)) >= 0.9


def test_what_no_short_outline_can_show_is_refused_with_its_reason() -> None:
    comb = (ROWS > 100) & (ROWS < 200) & (COLS % 4 < 2) | ((ROWS > 98) & (ROWS < 104))
    found, rejects = made(tile(shape(comb)))
    assert found == []
    assert [reject.reason for reject in rejects] == ["outline_unwritten"]


def test_without_outlines_or_completeness_nothing_is_claimed() -> None:
    boxes = tile(Shape((10.0, 10.0, 60.0, 60.0)))
    assert made(boxes) == ([], [])
    found, rejects = made(tile(shape(RING), vocabulary=()))
    assert found == []
    assert [reject.reason for reject in rejects] == ["not_exhaustive"]
    one_without = tile(shape(RING), Shape((200.0, 10.0, 260.0, 60.0)))
    kinds = {item.answer["kind"] for item in made(one_without)[0]}
    assert kinds == {"outline"}  # the one with an outline can be asked for, not all of them
    assert "outline_unwritten" in {reject.reason for reject in made(one_without)[1]}


def test_an_annotators_phrase_is_asked_for_in_its_own_words() -> None:
    facts = tile(shape(RING))
    phrase = Label("phrase", "building", ANNOTATION, facts.labels[0].shape, text="the round house with a yard")
    asked = [item.turns[0].text for item in made(replace(facts, labels=(*facts.labels, phrase)))[0]]
    assert any("the round house with a yard" in text for text in asked)
