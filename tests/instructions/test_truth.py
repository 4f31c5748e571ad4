"""Every composed answer against a slow second reading of the labels: counts, presence, places, relations, phrases, shares.

The oracle below shares nothing with rsflow.instructions: it has its own words, its own trust rules and its own geometry.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from rsflow.config import settings as config
from rsflow.dialects import collapsed_boxes, get_dialect
from rsflow.instructions import TASKS, compose
from rsflow.instructions.chains import replay
from rsflow.instructions.phrasings import PHRASINGS
from rsflow.instructions.vqa import COUNT_LIMIT
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts
from rsflow.spatial.geometry import Box, Region
from rsflow.text.turns import marks

# category: its singular and plural, by hand
NOUNS = {
    "ship": ("ship", "ships"),
    "Person": ("person", "people"),
    "Car": ("car", "cars"),
    "Bicycle": ("bicycle", "bicycles"),
    "buses": ("bus", "buses"),
    "storage-tank": ("storage tank", "storage tanks"),
    "OtherVehicle": ("vehicle of another kind", "vehicles of another kind"),
    "bridge": ("bridge", "bridges"),
}
OUTLINE = re.compile(r"\[\[[^\[\]|]*\|#([\d,]+)\]\]")
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
COVERS = {"water": "water", "vegetation": "vegetation", "built-up": "built-up land", "other": ""}
PLACES = ["upper left", "top", "upper right", "left", "centre", "right", "lower left", "bottom", "lower right"]
SETTINGS = config.Instructions(per_task=1000)
LABELS = config.Labels()
MANY = int(os.environ.get("RSFLOW_TEST_EXAMPLES", "60"))
ANNOTATION = Provenance("annotation", "coco")
SPECTRAL = Provenance("labeller", "spectral", quality=0.8)


class Oracle:
    """A second reading of a tile."""

    def __init__(self, facts: TileFacts) -> None:
        self.facts = facts
        self.boxes: dict[str, list[Box]] = defaultdict(list)
        self.sizes: dict[Box, float] = {}
        self.doubtful: set[str] = set()
        self.pseudo: set[str] = set()
        annotated = {
            label.category for label in facts.labels if label.kind == "box" and label.provenance.origin == "annotation"
        }
        for label in facts.labels:
            if label.kind != "box" or label.shape is None:
                continue
            source = label.provenance
            if source.origin == "labeller":
                weak = source.quality is None or source.quality < 0.5 or (label.score is not None and label.score < 0.5)
                if weak or label.category in annotated or label.category in facts.vocabulary:
                    continue
                self.pseudo.add(label.category)
            if {"crowd", "difficult"} & set(label.shape.flags):
                self.doubtful.add(label.category)
                continue
            self.boxes[label.category].append(label.shape.box)
            self.sizes[label.shape.box] = size(label.shape)
        mapped = {label.category: float(label.value or 0) for label in facts.labels if is_map(label)}
        self.covers = mapped or {
            label.category: float(label.value or 0)
            for label in facts.labels
            if label.kind == "cover" and (label.provenance.quality or 0) >= 0.5
        }

    def seen(self, category: str) -> bool:
        """At least one of them is no sliver."""
        shapes = [
            label.shape for label in self.facts.labels if label.kind == "box" and label.category == category and label.shape
        ]
        return any(shorter(shape) >= SETTINGS.min_box_px for shape in shapes if shape.box in self.boxes[category])

    def counted(self, category: str) -> bool:
        return category in self.facts.vocabulary and category not in self.doubtful

    def complete(self, category: str) -> bool:
        return self.counted(category) or (category in self.pseudo and category not in self.doubtful)

    def mask(self, place: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """The place as pixels of a coarse raster (90, 90) of the tile."""
        rows = {"upper": slice(0, 30), "top": slice(0, 30), "lower": slice(60, 90), "bottom": slice(60, 90)}
        cols = {"left": slice(0, 30), "right": slice(60, 90)}
        raster = np.zeros((90, 90), dtype=bool)
        middle = slice(30, 60) if place == "centre" else slice(0, 90)
        words = place.split()
        row = next((rows[word] for word in words if word in rows), middle)
        col = next((cols[word] for word in words if word in cols), middle)
        raster[row, col] = True
        return raster

    def drawn(self, box: Box) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """The cells of the raster whose centres the box holds."""
        xs = (np.arange(90) + 0.5) * self.facts.width_px / 90
        ys = (np.arange(90) + 0.5) * self.facts.height_px / 90
        return ((ys >= box[1]) & (ys < box[3]))[:, None] & ((xs >= box[0]) & (xs < box[2]))[None, :]

    def cell(self, box: Box) -> str:
        column = min(2, int(3 * (box[0] + box[2]) / 2 / self.facts.width_px))
        row = min(2, int(3 * (box[1] + box[3]) / 2 / self.facts.height_px))
        return PLACES[3 * row + column]


def is_map(label: Label) -> bool:
    return label.kind == "cover" and label.provenance.origin == "annotation"


def around(region: Region) -> Box:
    xs, ys = region[::2], region[1::2]
    return (min(xs), min(ys), max(xs), max(ys))


def size(shape: Shape) -> float:
    """The area by triangles from the first corner."""
    points = list(zip(shape.polygon[::2], shape.polygon[1::2], strict=True))
    if not points:
        return (shape.box[2] - shape.box[0]) * (shape.box[3] - shape.box[1])
    (x, y), rest = points[0], points[1:]
    return abs(sum((a[0] - x) * (b[1] - y) - (b[0] - x) * (a[1] - y) for a, b in pairwise(rest))) / 2


def shorter(shape: Shape) -> float:
    if shape.oriented:
        p = [(shape.polygon[i], shape.polygon[i + 1]) for i in range(0, 8, 2)]
        return min(math.dist(p[0], p[1]), math.dist(p[1], p[2]))
    return min(shape.box[2] - shape.box[0], shape.box[3] - shape.box[1])


def place_in(text: str) -> str:
    found = [place for place in PLACES if re.search(rf"\b{place}\b", text)]
    return max(found, key=len)


def stated_count(said: str) -> int:
    return NUMBERS.index(said) if said in NUMBERS else 1 if said in {"a", "an"} else int(said)


def check_mentions(text: str, oracle: Oracle) -> None:
    """Every number said of a noun: `four ships`, `at least two cars`, `a bus`, `no people`, `many cars`."""
    text = text.lower()
    for category, (one, many) in NOUNS.items():
        true = len(oracle.boxes[category])
        size = "(?:small |medium-sized |large )?"
        for least, said in re.findall(rf"\b(at least )?(a|an|{'|'.join(NUMBERS)}|\d+) {size}(?:{many}|{one})\b(?! of)", text):
            assert stated_count(said) == true or (least and stated_count(said) <= true), (text, category)
            assert oracle.counted(category) or least or true == 1, (text, category)
            assert stated_count(said) == 0 or oracle.seen(category), (text, category)
            assert stated_count(said) > 0 or category not in oracle.doubtful, (text, category)
        assert (true > 50) or not re.search(rf"\bmany {many}\b", text), text
        assert one == many or not re.search(rf"\b(?:1|one|a|an) {many}\b|\b(?:[2-9]|\d\d|two|three) {one}\b", text), text


def check_vqa(question: str, short: str, answer: dict[str, Any], oracle: Oracle) -> None:
    kind = answer["kind"]
    if kind == "answer":
        parts = [phrasing.split("{question}") for phrasing in PHRASINGS["question"]]
        inner = {question[len(a) : len(question) - len(b)] for a, b in parts if question.startswith(a) and question.endswith(b)}
        asked = {text.lower().strip(" ?") for text in inner}
        given = {
            label.category
            for label in oracle.facts.labels
            if label.kind == "question" and label.text.lower().strip(" ?") in asked
        }
        assert {value.lower().strip(" .") for value in given} == {answer["value"].lower().strip(" .")}, (question, given)
        assert short == answer["value"]
    elif kind == "count":
        assert oracle.counted(answer["category"])
        true = len(oracle.boxes[answer["category"]])
        assert answer["value"] == true
        assert short == (str(true) if true <= COUNT_LIMIT else f"about {float(f'{true:.2g}'):g}")
        assert NOUNS[answer["category"]][1] in question
    elif kind == "yes_no" and answer["category"] in COVERS:
        share = oracle.covers[answer["category"]]
        assert share >= 0.05 if answer["value"] else share <= 0.001
    elif kind == "yes_no":
        boxes = oracle.boxes[answer["category"]]
        assert re.search(rf"\b({'|'.join(NOUNS[answer['category']])})\b", question)
        assert (short, answer["value"]) in {("yes", True), ("no", False)}
        if "place" in answer:
            region = oracle.mask(place_in(question))
            assert place_in(question) == answer["place"]
            if answer["value"]:
                assert any(oracle.cell(box) == answer["place"] for box in boxes)
            else:
                assert not any((oracle.drawn(box) & region).any() for box in boxes)
        else:
            assert bool(boxes) == answer["value"]
        assert answer["value"] or oracle.counted(answer["category"])
    elif kind == "place":
        boxes = oracle.boxes[answer["category"]]
        largest = max(boxes, key=lambda box: oracle.sizes[box])
        assert short == oracle.cell(largest)
        assert ("largest" in question) == (len(boxes) > 1)
    elif kind == "relation":
        subjects, others = oracle.boxes[answer["subject"]], oracle.boxes[answer["object"]]
        checks = {
            "left": lambda a, b: a[2] <= b[0],
            "right": lambda a, b: a[0] >= b[2],
            "above": lambda a, b: a[3] <= b[1],
            "below": lambda a, b: a[1] >= b[3],
        }
        assert short in {answer["value"], f"to the {answer['value']}"}
        assert all(checks[answer["value"]](a, b) for a in subjects for b in others)
    elif kind == "category":
        named = {category: share for category, share in oracle.covers.items() if COVERS[category]}
        assert answer["value"] == max(named, key=lambda category: named[category])
        assert short == COVERS[answer["value"]]
    elif kind == "share":
        told = int(re.findall(r"\d+", short)[0]) / 100
        assert abs(told - answer["value"]) < 0.0251
        if "category" in answer:
            assert answer["value"] == oracle.covers[answer["category"]]
    else:
        assert kind == "fact"
        fact = next(label for label in oracle.facts.labels if label.kind == "fact" and label.category == answer["name"])
        assert short == fact.text == answer["value"]


def check_phrase(phrase: str, box: Box, oracle: Oracle) -> None:
    """The phrase means this box and no other."""
    match = re.fullmatch(
        r"the (?:(largest|leftmost|rightmost|topmost|bottommost) )?(.+?)(?: (?:in the|at the|on the) (.+))?", phrase
    )
    assert match, phrase
    category = next(category for category, (one, _) in NOUNS.items() if one == match[2])
    boxes = oracle.boxes[category]
    assert oracle.complete(category)
    keys: dict[str, Callable[[Box], float]] = {
        "largest": lambda b: -oracle.sizes[b],
        "leftmost": lambda b: b[0],
        "rightmost": lambda b: -b[2],
        "topmost": lambda b: b[1],
        "bottommost": lambda b: -b[3],
    }
    if match[3]:
        region = oracle.mask(match[3])
        meant = [other for other in boxes if (oracle.drawn(other) & region).any() or oracle.cell(other) == match[3]]
        assert meant == [box]
    elif match[1]:
        ranked = sorted(boxes, key=keys[match[1]])
        assert ranked[0] == box
        assert keys[match[1]](ranked[0]) < keys[match[1]](ranked[1])
    else:
        assert boxes == [box]


def check_expression(phrase: str, box: Box, oracle: Oracle) -> None:
    """Words of an annotator: written for this box and for no other, and not the bare name of one of several."""
    labels = [label for label in oracle.facts.labels if label.shape]
    same = [label for label in labels if label.kind == "phrase" and label.text.lower() == phrase.lower()]
    assert {label.shape.box for label in same if label.shape} == {box}
    category = same[0].category
    if phrase.lower() in {f"the {NOUNS[category][0]}", NOUNS[category][0]}:
        written = {label.shape.box for label in labels if label.shape and label.kind == "phrase" and label.category == category}
        assert written | set(oracle.boxes[category]) == {box}


def check_boxes(said: str, answer: dict[str, Any], boxes: tuple[Region, ...], oracle: Oracle) -> None:
    """One category's list: all of them, in the stated order, with its number."""
    category = answer["category"]
    listed = [around(boxes[index]) for index in answer["boxes"]]
    assert listed == sorted(oracle.boxes[category], key=lambda box: (box[1], box[0]))
    assert {len(boxes[index]) for index in answer["boxes"]} <= {8 if answer.get("oriented") else 4}
    assert answer["count"] == len(listed) <= SETTINGS.max_boxes
    assert all(min(box[2] - box[0], box[3] - box[1]) >= SETTINGS.min_box_px for box in listed)
    assert oracle.complete(category)
    one, many = NOUNS[category]
    if listed:
        assert f"{'is' if len(listed) == 1 else 'are'} [[{len(listed)} {one if len(listed) == 1 else many}|" in said
    else:
        assert said == f"There are no {many} in the image."


def check_outlines(question: str, said: str, answer: dict[str, Any], boxes: tuple[Region, ...], oracle: Oracle) -> None:
    """What is outlined is what was asked for, and each outline fills most of what its object's own fills."""
    shapes = {label.shape.box: label.shape for label in oracle.facts.labels if label.kind == "box" and label.shape}
    for box, rings, exact in zip(boxes, answer["outlines"], answer["polygons"], strict=True):
        found = shapes[around(box)]
        assert np.allclose(exact, found.polygon, atol=0.051)
        assert len(rings) == 1
        assert abs(size(replace(found, polygon=tuple(rings[0]))) - size(found)) <= 0.11 * size(found) + 0.5
    if answer["kind"] == "outlines":
        check_boxes(said.replace("|#", "|"), answer, boxes, oracle)
    else:
        assert said == "[[|#0]]"
        assert answer["phrase"] in question
        if any(label.kind == "phrase" and label.text == answer["phrase"] for label in oracle.facts.labels):
            check_expression(answer["phrase"], around(boxes[0]), oracle)
        else:
            check_phrase(answer["phrase"], around(boxes[0]), oracle)


def check_choice(question: str, said: str, answer: dict[str, Any], oracle: Oracle) -> None:
    """Read again from the words alone: the option that the letter stands for is true, and every other one is false."""
    lines = re.findall(r"^([A-D])\. (.*)$", question, re.MULTILINE)
    assert [letter for letter, _ in lines] == list("ABCD"[: len(lines)])
    assert len({option for _, option in lines}) == len(lines) >= 3
    true = {letter for letter, option in lines if is_true(option, answer["about"], question, oracle)}
    assert true == {said[0]} == {answer["letter"]}, (question, said)
    assert said in {answer["letter"], f"{answer['letter']}. {answer['value']}"}


def is_true(option: str, about: str, question: str, oracle: Oracle) -> bool:
    asked = question.split("\n")[0]
    named = next((category for category, words in NOUNS.items() if re.search(rf"\b({'|'.join(words)})\b", asked)), "")
    if about == "count":
        assert oracle.counted(named)
        return int(option) == len(oracle.boxes[named])
    if about == "place":
        largest = max(oracle.boxes[named], key=lambda box: oracle.sizes[box])
        return oracle.cell(largest) == option or bool((oracle.drawn(largest) & oracle.mask(option)).any())
    if about == "dominant_cover":
        return max(oracle.covers, key=lambda category: oracle.covers[category]) in {c for c in COVERS if COVERS[c] == option}
    category = next(category for category, words in NOUNS.items() if option in words)
    if about == "choice_present":
        assert oracle.boxes[category] or oracle.counted(category)
        return bool(oracle.boxes[category])
    assert about == "choice_absent"
    assert oracle.boxes[category] or oracle.counted(category)
    return not oracle.boxes[category]


def check_reasoning(question: str, said: str, answer: dict[str, Any], boxes: tuple[Region, ...], oracle: Oracle) -> None:
    facts = oracle.facts
    if answer["kind"] == "unanswerable":
        assert ("colour" in question) == (facts.sensor != "optical") == ("no colours" in said)
        return
    assert answer["kind"] == "chain"
    assert replay(json.loads(json.dumps(answer)), boxes, facts) == ""
    nouns = {one: category for category, (one, _) in NOUNS.items()}
    named = [nouns.get(step["category"], step["category"]) for step in answer["steps"] if step["op"] == "locate"]
    assert all(oracle.counted(category) for category in named)
    found = [oracle.boxes[category] for category in named]
    assert sorted(map(around, boxes)) == sorted(box for some in found for box in some)
    middles = [[np.array([(b[0] + b[2]) / 2, (b[1] + b[3]) / 2]) for b in some] for some in found]
    value, kind = answer["value"], answer["chain"]
    if kind == "more_of":
        assert (
            (value == "yes") == (len(found[0]) > len(found[1])) == (", yes, there are more" in said.replace("so yes", ", yes"))
        )
    elif kind == "count_inside":
        place = next(place for place in ("top", "bottom", "left", "right") if f"the {place} third" in question)
        inside = [box for box in found[0] if (oracle.drawn(box) & oracle.mask(place)).any()]
        assert value == len(inside)
        assert all(
            place in oracle.cell(box) or {"top": "upper", "bottom": "lower"}.get(place, "-") in oracle.cell(box)
            for box in inside
        )
    elif kind == "nearest_to":
        away = [float(np.hypot(*(middle - middles[0][0]))) for middle in middles[1]]
        assert around(boxes[value]) == found[1][int(np.argmin(away))]
    elif kind == "distance_between":
        assert facts.gsd_m
        true = float(np.hypot(*(middles[0][0] - middles[1][0]))) * facts.gsd_m
        assert abs(value - true) <= 0.051 * true
        assert f"about {value:g} metres" in said
    elif kind == "left_after":
        assert value == len(found[0]) - answer["steps"][2]["number"] >= 0
    else:
        assert kind == "share_covered"
        raster = np.zeros((facts.height_px, facts.width_px), bool)
        for label in facts.labels:
            if label.kind == "box" and label.category == named[0] and label.shape:
                raster |= draw_polygon(label.shape.polygon, facts.height_px, facts.width_px)
        assert abs(raster.mean() - value) <= 0.06 * value + 0.0005


def check_graph(said: str, answer: dict[str, Any], boxes: tuple[Region, ...], oracle: Oracle) -> None:
    """Every relation holds of the drawn boxes, and a whole graph has every object of the tile."""
    drawn = [oracle.drawn(around(box)) for box in boxes]
    triples = answer.get("triples") or [{"subject": 0, "predicate": answer["value"], "object": 1}]
    for triple in triples:
        (rows, cols), (other_rows, other_cols) = (np.nonzero(drawn[triple[name]]) for name in ("subject", "object"))
        match triple["predicate"]:
            case "left of":
                assert cols.max() <= other_cols.min()
            case "right of":
                assert cols.min() >= other_cols.max()
            case "above":
                assert rows.max() <= other_rows.min()
            case "below":
                assert rows.min() >= other_rows.max()
            case _:
                assert triple["predicate"] == "inside"
                assert (drawn[triple["subject"]] & drawn[triple["object"]]).sum() >= 0.9 * len(rows)
    if answer["kind"] == "scene_graph":
        assert not oracle.doubtful
        assert sorted(map(around, boxes)) == sorted(box for found in oracle.boxes.values() for box in found)
        assert all(oracle.counted(category) for category, found in oracle.boxes.items() if found)
        assert len(re.findall(r"^\(\d, [a-z ]+, \d(?:, [\d.e+]+ m)?\)$", said, re.MULTILINE)) == len(triples)


def draw_polygon(ring: tuple[float, ...], height_px: int, width_px: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    image = Image.new("1", (width_px, height_px))
    ImageDraw.Draw(image).polygon(list(zip(ring[::2], ring[1::2], strict=True)), fill=1)
    return np.asarray(image, dtype=bool)


def check(instruction: Instruction, oracle: Oracle) -> None:
    facts, boxes, answer = oracle.facts, instruction.boxes, instruction.answer
    roles = [turn.role for turn in instruction.turns]
    assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert roles
    used = [index for turn in instruction.turns for found in marks(turn.text) for index in found.boxes]
    used += [int(index) for turn in instruction.turns for found in OUTLINE.findall(turn.text) for index in found.split(",")]
    assert sorted(set(used)) == list(range(len(boxes)))
    assert all(0 <= position < len(facts.labels) for position in instruction.labels)
    rested_on = [facts.labels[position] for position in instruction.labels]
    there: set[tuple[float, ...]] = {label.shape.box for label in rested_on if label.shape}
    there |= {label.shape.polygon for label in rested_on if label.shape and label.shape.oriented}
    assert set(boxes) <= there
    assert not collapsed_boxes(get_dialect("mmrs"), boxes, facts.height_px, facts.width_px)
    json.dumps(answer, allow_nan=False)
    text = " ".join(turn.text for turn in instruction.turns)
    assert "<image>" not in text
    assert not re.search(r"  |\{|\}| [.,;?]|\bNone\b(?! of them)|\.\.", text), text
    if facts.sensor != "optical" and answer["kind"] != "unanswerable":
        assert not re.search(r"colour|green|blue|brown", text)
    if facts.sensor != "sar":
        assert "backscatter" not in text
    question, short = instruction.turns[0].text, instruction.turns[-1].text
    if instruction.task in {"grounding", "detection"}:
        assert bool(re.search("oriented|rotated", question)) == bool(answer.get("oriented")), question
    if instruction.task == "vqa":
        check_vqa(question, short, answer, oracle)
    elif instruction.task == "grounding":
        assert answer["phrase"] in question
        if any(label.kind == "phrase" for label in rested_on):
            check_expression(answer["phrase"], around(boxes[0]), oracle)
        elif answer["category"] not in COVERS:
            check_phrase(answer["phrase"], around(boxes[0]), oracle)
    elif instruction.task == "segmentation":
        check_outlines(question, short, answer, boxes, oracle)
    elif instruction.task == "multiple_choice":
        check_choice(question, short, answer, oracle)
    elif instruction.task == "reasoning":
        check_reasoning(question, short, answer, boxes, oracle)
    elif instruction.task == "detection":
        for group in answer.get("groups", [answer]):
            check_boxes(short, group, boxes, oracle)
    elif instruction.task == "region_captioning":
        if rested_on[0].kind == "phrase":
            assert short.lower() == rested_on[0].text.lower()
            check_expression(rested_on[0].text, around(boxes[0]), oracle)
            return
        assert around(boxes[0]) in oracle.boxes[answer["category"]]
        assert NOUNS[answer["category"]][0] in short
        if any(place in short for place in PLACES):
            assert place_in(short) == oracle.cell(around(boxes[0]))
    elif instruction.task == "scene_graph":
        check_graph(short, answer, boxes, oracle)
    elif instruction.task in {"captioning", "description"}:
        check_mentions(short, oracle)
    elif instruction.task == "classification":
        value = answer["value"]
        if value in COVERS:
            assert oracle.covers[value] >= 0.6
            assert short.lower() == f"{COVERS[value]}."
        else:
            assert [category for category, found in oracle.boxes.items() if found] == [value]
            assert not oracle.doubtful
            assert oracle.seen(value)
            assert short.lower() == f"{NOUNS[value][0]}."
    else:
        assert instruction.task == "conversation"
        assert len(roles) >= 6
        # Each sentence about numbers is checked like a caption's; its boxes and phrases were checked with the single tasks.
        for turn in instruction.turns[1::2]:
            written = turn.text.lower().rstrip(".") in {label.text.lower() for label in facts.labels if label.kind == "phrase"}
            if not marks(turn.text) and not written and not turn.text.startswith(("It is the", "The ")):
                check_mentions(re.sub(r"^No, there are no .* (at the|in the|on the) .* of the image\.", "", turn.text), oracle)


@st.composite
def shapes(draw: st.DrawFn, box: Box, rng: np.random.Generator, height_px: int, width_px: int) -> Shape:
    """Half of them boxes; the others rotated rectangles or hexagons about as large, some not certain."""
    flags = draw(st.sampled_from([()] * 15 + [("difficult",), ("crowd",), ("occluded",)]))
    visible = draw(st.sampled_from([1.0, 1.0, 0.5]))
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    a, b = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    kind = draw(st.sampled_from(["box", "box", "oriented", "polygon"]))
    if kind == "oriented":
        lean = rng.uniform(0, math.pi)
        cos, sin, fit = math.cos(lean), math.sin(lean), min(a, b) / math.hypot(a, b)
        halves = [(sx * a * fit, sy * b * fit) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        ring = tuple(value for u, v in halves for value in (x + u * cos - v * sin, y + u * sin + v * cos))
        return Shape(around(ring), ring, visible, True, flags)  # type: ignore[arg-type]
    if kind == "polygon":
        turns = [(i + rng.uniform(0, 0.8)) * math.pi / 3 for i in range(6)]
        ring = tuple(value for t in turns for value in (x + a * math.cos(t), y + b * math.sin(t)))
        return Shape(around(ring), ring, visible, False, flags)  # type: ignore[arg-type]
    return Shape(box, (), visible, False, flags)


@st.composite
def tiles(draw: st.DrawFn) -> TileFacts:
    height_px, width_px = draw(st.sampled_from([(512, 512), (300, 640), (900, 400)]))
    labels: list[Label] = []
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    there = draw(st.lists(st.sampled_from(sorted(NOUNS)), max_size=4, unique=True))
    for category in there:
        weak = Provenance("labeller", "cfar", quality=draw(st.sampled_from([0.3, 0.7, None])))
        source = draw(st.sampled_from([ANNOTATION, ANNOTATION, weak]))
        for _ in range(draw(st.sampled_from([1, 1, 2, 3, 8, 25, 60]))):
            x, y = rng.uniform(0, width_px - 3), rng.uniform(0, height_px - 3)
            # Clumps, so that places and relations come up; a few specks.
            if draw(st.booleans()):
                x, y = x * 0.3, y * 0.3
            low = draw(st.sampled_from([2, 8, 8]))
            box = (x, y, min(width_px, x + rng.uniform(low, 120)), min(height_px, y + rng.uniform(low, 120)))
            score = draw(st.sampled_from([None, 0.4, 0.9])) if source.origin == "labeller" else None
            shape = draw(shapes(box, rng, height_px, width_px))
            labels.append(Label("box", category, source, shape, score=score))
    for label in draw(st.lists(st.sampled_from(labels), max_size=3)) if labels else []:
        noun = NOUNS[label.category][0]
        text = draw(st.sampled_from([f"the {noun}", f"A {noun} beside the quay", f"the {noun} that is white"]))
        labels.append(Label("phrase", label.category, ANNOTATION, label.shape, text=text))
    for _ in range(draw(st.integers(0, 3))):
        text = draw(st.sampled_from(["Is there a road?", "is there a  road", "how many lakes are there", "Is it rural?"]))
        labels.append(
            Label("question", draw(st.sampled_from(["yes", "Yes", "no", "3"])), ANNOTATION, text=" ".join(text.split()))
        )
    for source in draw(st.sampled_from([[], [SPECTRAL], [ANNOTATION], [SPECTRAL, ANNOTATION], [SPECTRAL]])):
        shares = sorted(rng.dirichlet([0.4] * len(COVERS)), reverse=True)
        for category, share in zip(draw(st.permutations(sorted(COVERS))), shares, strict=True):
            region = Shape((0.0, 0.0, width_px * share, float(height_px))) if share > 0.01 else None
            labels.append(Label("cover", category, source, region, value=float(share)))
    for name, values in {
        "brightness": ["dark", "medium", "bright"],
        "texture": ["smooth", "moderately textured", "strongly textured"],
        "colour": ["green", "blue", "grey"],
        "brightest_part": PLACES,
        "darkest_part": PLACES,
    }.items():
        if draw(st.booleans()):
            labels.append(Label("fact", name, Provenance("labeller", "scene"), text=draw(st.sampled_from(values)), value=0.5))
    if draw(st.booleans()):
        labels.append(Label("fact", "low_backscatter_share", Provenance("labeller", "scene"), value=float(rng.uniform(0, 1))))
    exhaustive = draw(st.booleans())
    annotated = {label.category for label in labels if label.kind == "box" and label.provenance.origin == "annotation"}
    extra = draw(st.sets(st.sampled_from(sorted(set(NOUNS) - set(there)))))
    return TileFacts(
        tile_id=f"t/{draw(st.integers(0, 10**9))}",
        sensor=draw(st.sampled_from(["optical", "sar", "infrared"])),
        height_px=height_px,
        width_px=width_px,
        gsd_m=draw(st.sampled_from([None, 0.5, 10.0])),
        labels=tuple(draw(st.permutations(labels))),
        vocabulary=tuple(sorted(annotated | extra)) if exhaustive else (),
    )


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(tiles(), st.integers(0, 3))
def test_every_answer_is_true(facts: TileFacts, seed: int) -> None:
    oracle = Oracle(facts)
    instructions, rejects = compose(facts, SETTINGS, seed, LABELS)
    for instruction in instructions:
        check(instruction, oracle)
    assert all(reject.kind == "instruction" and reject.subject.startswith(facts.tile_id) for reject in rejects)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(tiles(), st.randoms(use_true_random=False))
def test_the_order_of_labels_does_not_matter(facts: TileFacts, random: Any) -> None:
    order = list(range(len(facts.labels)))
    random.shuffle(order)
    turned = TileFacts(
        *(facts.tile_id, facts.sensor, facts.height_px, facts.width_px, facts.gsd_m),
        tuple(facts.labels[position] for position in order),
        facts.vocabulary,
    )
    settings = config.Instructions()
    one, other = (compose(tile, settings, 1, LABELS)[0] for tile in (facts, turned))
    assert [(item.turns, item.boxes, item.answer) for item in one] == [(item.turns, item.boxes, item.answer) for item in other]
    for a, b in zip(one, other, strict=True):
        assert sorted(a.labels) == sorted(order[position] for position in b.labels)


def hit_uav(test_data: Path) -> list[TileFacts]:
    data = json.loads((test_data / "infrared/hit_uav/annotations_hbb.json").read_text())
    names = {item["id"]: item["name"] for item in data["categories"]}
    found: dict[int, list[Label]] = defaultdict(list)
    for item in data["annotation"]:
        x, y, width, height = item["bbox"]
        if names[item["category_id"]] != "DontCare":
            box = (float(x), float(y), float(x + width), float(y + height))
            found[item["image_id"]].append(Label("box", names[item["category_id"]], ANNOTATION, Shape(box)))
    known = tuple(name for name in names.values() if name != "DontCare")
    return [
        TileFacts(item["filename"], "infrared", item["height"], item["width"], None, tuple(found[item["id"]]), known)
        for item in data["images"]
    ]


def test_every_answer_on_real_pictures_is_true(test_data: Path) -> None:
    tasks: Counter[str] = Counter()
    for facts in hit_uav(test_data):
        oracle = Oracle(facts)
        # With every question asked by itself nothing is left for a conversation.
        for instruction in (one for each in (SETTINGS, config.Instructions()) for one in compose(facts, each, 0, LABELS)[0]):
            check(instruction, oracle)
            tasks[instruction.task] += 1
    assert set(tasks) == set(TASKS) - {"segmentation"}  # no outlines are there


def test_yes_and_no_are_in_balance(test_data: Path) -> None:
    answers = Counter(
        instruction.answer["value"]
        for facts in hit_uav(test_data)
        for seed in range(4)
        for instruction in compose(facts, config.Instructions(tasks=("vqa",)), seed, LABELS)[0]
        if instruction.answer["kind"] == "yes_no"
    )
    assert answers.total() > 200
    assert 0.45 < answers[True] / answers.total() < 0.55


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=tiles())
def test_each_tile_asks_as_many_yes_as_no(facts: TileFacts) -> None:
    instructions, _ = compose(facts, config.Instructions(tasks=("vqa",), per_task=1000), 0, LABELS)
    values: dict[str, list[bool]] = defaultdict(list)
    for answer in (item.answer for item in instructions if item.answer["kind"] == "yes_no"):
        form = "presence_at" if "place" in answer else "cover_presence" if answer["category"] in COVERS else "presence"
        values[form].append(answer["value"])
    assert all(said.count(True) == said.count(False) for said in values.values())
