"""Scene graphs: triples that hold of the pixels, only where all objects are known, scored and run again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from rsflow.annotations.parsing.mask_outlines import trace_outline
from rsflow.config import settings as config
from rsflow.dialects import get_dialect, spell_text
from rsflow.evaluation.answers import Answer
from rsflow.evaluation.questions import Question
from rsflow.evaluation.scores.scoring import score_answers
from rsflow.instructions import compose
from rsflow.instructions.scene_graph import PREDICATES, replay_graph
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts

ANNOTATION = Provenance("annotation", "coco")
ROWS, COLS = np.mgrid[:400, :400]
HARBOUR = (ROWS >= 200) & (COLS < 300) & ~((ROWS >= 300) & (COLS < 150))  # an L: its box holds the ship beside it


def boxed(category: str, *box: float, flags: tuple[str, ...] = (), shown: float = 1.0) -> Label:
    return Label("box", category, ANNOTATION, Shape(box, (), shown, flags=flags))  # type: ignore[arg-type]  # four numbers; flags are Literals


def tile(*labels: Label, gsd_m: float | None = 0.5, vocabulary: tuple[str, ...] = ("ship", "harbour")) -> TileFacts:
    return TileFacts("t/0", "optical", 400, 400, gsd_m, labels, vocabulary)


OUTLINED = Label("box", "harbour", ANNOTATION, Shape.of_parts((0.0, 200.0, 300.0, 400.0), trace_outline(HARBOUR)))
TILE = tile(OUTLINED, boxed("ship", 200, 250, 240, 280), boxed("ship", 40, 320, 80, 360), boxed("ship", 330, 20, 370, 60))


def made(facts: TileFacts, seed: int = 0, language: Literal["en", "zh"] = "en") -> dict[str, Instruction]:
    settings = config.Instructions(tasks=("scene_graph",), per_task=50, languages=(language,))
    found = compose(facts, settings, seed, config.Labels())[0]
    return {item.answer["kind"]: item for item in found}


def covered(label: Label) -> np.ndarray:
    assert label.shape
    if label.category == "harbour":
        return HARBOUR
    x0, y0, x1, y1 = label.shape.box
    return (y0 <= ROWS) & (y1 > ROWS) & (x0 <= COLS) & (x1 > COLS)


def holds(predicate: str, one: np.ndarray, other: np.ndarray) -> bool:
    """The predicate read off the pixels."""
    (rows, cols), (other_rows, other_cols) = np.nonzero(one), np.nonzero(other)
    return {
        "left of": cols.max() < other_cols.min(),
        "right of": cols.min() > other_cols.max(),
        "above": rows.max() < other_rows.min(),
        "below": rows.min() > other_rows.max(),
        "inside": bool((one & other).sum() == one.sum()),
    }[predicate]


def test_every_triple_holds_of_the_pixels_and_a_box_holds_nothing() -> None:
    graph = made(TILE)["scene_graph"]
    objects = [TILE.labels[position] for position in graph.labels]
    found = {(one["subject"], one["predicate"], one["object"]) for one in graph.answer["triples"]}
    assert {predicate for _, predicate, _ in found} >= {"inside", "right of"}
    for subject, predicate, other in found:
        assert holds(predicate, covered(objects[subject]), covered(objects[other]))
    inside = [triple for triple in found if triple[1] == "inside"]
    assert len(inside) == 1  # the ship in the L's notch is in its box alone
    for one in graph.answer["triples"]:
        ends = [np.array(graph.boxes[one[name]]).reshape(2, 2).mean(axis=0) for name in ("subject", "object")]
        assert one["metres"] == pytest.approx(np.hypot(*(ends[0] - ends[1])) * 0.5, rel=0.05)
    text = graph.turns[1].text
    assert [int(number) for number in re.findall(r"^(\d+): \[\[", text, re.MULTILINE)] == [1, 2, 3, 4]
    assert len(re.findall(r"^\(", text, re.MULTILINE)) == len(found)


@pytest.mark.parametrize(
    "facts",
    [
        tile(*TILE.labels, vocabulary=("ship",)),
        replace(TILE, unknown=("ignored",)),
        tile(*TILE.labels, boxed("ship", 10, 10, 30, 30, flags=("difficult",))),
        tile(*TILE.labels, *(boxed("ship", 10 + 40 * n, 100, 30 + 40 * n, 120) for n in range(4))),
        tile(*TILE.labels, boxed("ship", 10, 10, 12, 12)),
    ],
)
def test_no_graph_is_asked_for_where_an_object_may_be_missing_or_there_are_too_many(facts: TileFacts) -> None:
    assert set(made(facts)) == {"predicate"}  # of two objects that the question shows


def test_distances_are_told_only_of_whole_objects_on_known_ground() -> None:
    assert all("metres" not in one for one in made(replace(TILE, gsd_m=None))["scene_graph"].answer["triples"])
    cut = tile(*TILE.labels[:3], boxed("ship", 360, 20, 400, 60, shown=0.5))
    known = [one for one in made(cut)["scene_graph"].answer["triples"] if "metres" in one]
    last = made(cut)["scene_graph"].labels.index(3)
    assert known
    assert all(last not in (one["subject"], one["object"]) for one in known)


def test_a_pair_is_asked_for_by_its_boxes() -> None:
    for seed in range(8):
        item = made(TILE, seed)["predicate"]
        assert "|0]]" in item.turns[0].text
        assert "|1]]" in item.turns[0].text
        assert item.turns[1].text in PREDICATES
        one, other = (covered(TILE.labels[position]) for position in item.labels)
        assert holds(item.turns[1].text, one, other)


def test_a_written_graph_is_computed_again() -> None:
    graph = made(TILE)["scene_graph"]
    assert replay_graph(graph.answer, graph.boxes, TILE) == ""
    wrong = {**graph.answer, "triples": [{**graph.answer["triples"][0], "predicate": "below"}, *graph.answer["triples"][1:]]}
    assert "triples" in replay_graph(wrong, graph.boxes, TILE)
    moved = tile(OUTLINED, *(boxed("ship", 10, 10, 40, 40), *TILE.labels[2:]))
    assert replay_graph(graph.answer, graph.boxes, moved)
    assert "not every object" in replay_graph(graph.answer, graph.boxes, replace(TILE, vocabulary=()))


@pytest.mark.parametrize("name", ["internvl", "mmrs", "qwen", "qwen2", "qwen3", "llava", "geochat"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_right_graph_scores_one_in_every_spelling_and_a_wrong_one_less(name: str, language: Any) -> None:
    graph, dialect = made(TILE, language=language)["scene_graph"], get_dialect(name)
    question = Question(
        "q", "k", "scene_graph", "scene_graph", "optical", "s", "k", (), "?", "", graph.boxes, graph.answer, 400, 400
    )  # fmt: skip
    right = spell_text(dialect, graph.turns[1].text, graph.boxes, graph.answer, 400, 400)
    fewer = right.rpartition("\n")[0]
    swapped = right.replace(", inside, ", ", above, ").replace("在…内部", "在…上方")
    f1 = [score_answers([(question, Answer("q", text))], dialect)[0].measures["triple_f1"] for text in (right, fewer, swapped)]
    count = len(graph.answer["triples"])
    assert f1 == pytest.approx([1.0, 2 * (count - 1) / (2 * count - 1), (count - 1) / count])
    (none,) = score_answers([(question, Answer("q", "I see a harbour."))], dialect)
    assert not none.parsed
