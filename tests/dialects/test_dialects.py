"""Laws of every dialect: what is spelled is read back, up to its own rounding; and each one's published examples."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.dialects import DIALECTS, collapsed, get, qwen
from rsflow.errors import ConfigError, DataError
from rsflow.geometry import Box
from rsflow.turns import mark, marks

DELIMITS_PHRASE = {"internvl", "mmrs"}
PHRASES = st.from_regex(r"[a-z0-9][a-z0-9 ,'-]{0,20}", fullmatch=True) | st.just("")


def quantum_px(name: str, height_px: int, width_px: int) -> tuple[float, float]:
    """The most that a coordinate (x, y) may move, in pixels."""
    side = max(height_px, width_px)
    if name == "qwen":
        height, width = qwen.resized(height_px, width_px)
        return 1.0001 * width_px / width, 1.0001 * height_px / height  # the last row and column are cut off at the far edge
    if name == "internvl":
        return 0.0005001 * width_px, 0.0005001 * height_px
    return {"pixels": (0.0501, 0.0501), "mmrs": (0.005001 * side,) * 2, "llava": (0.005001 * side,) * 2}[name]


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[Box], int, int]:
    height_px, width_px = draw(st.integers(16, 3000)), draw(st.integers(16, 3000))
    share = st.floats(0, 1)
    boxes: list[Box] = []
    for xs, ys in draw(st.lists(st.tuples(st.tuples(share, share), st.tuples(share, share)), min_size=1, max_size=5)):
        (x0, x1), (y0, y1) = sorted(xs), sorted(ys)
        boxes.append((x0 * width_px, y0 * height_px, x1 * width_px, y1 * height_px))
    groups = draw(st.lists(st.lists(st.integers(0, len(boxes) - 1), min_size=1, max_size=4), min_size=1, max_size=3))
    pieces = [f"There {draw(st.sampled_from(['is', 'are 3 ships; here:']))} {mark(draw(PHRASES), *group)}." for group in groups]
    return " ".join(pieces), boxes, height_px, width_px


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=60, deadline=None)
@given(case=texts())
def test_what_is_spelled_is_read_back(name: str, case: tuple[str, list[Box], int, int]) -> None:
    text, boxes, height_px, width_px = case
    dialect = DIALECTS[name]
    spelled = dialect.spell(text, boxes, height_px, width_px)
    assert not marks(spelled), "no mark survives spelling"
    back, found = dialect.parse(spelled, height_px, width_px)
    tolerance = quantum_px(name, height_px, width_px) * 2
    assert len(marks(back)) == len(marks(text))
    for asked, read in zip(marks(text), marks(back), strict=True):
        assert len(read.boxes) == len(asked.boxes)
        assert read.phrase == (asked.phrase if name in DELIMITS_PHRASE else "")
        for was, now in zip(asked.boxes, read.boxes, strict=True):
            for a, b, limit in zip(boxes[was], found[now], tolerance, strict=True):
                assert abs(a - b) <= limit + 1e-6


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=40, deadline=None)
@given(case=texts())
def test_spelling_again_changes_nothing(name: str, case: tuple[str, list[Box], int, int]) -> None:
    text, boxes, height_px, width_px = case
    dialect = DIALECTS[name]
    spelled = dialect.spell(text, boxes, height_px, width_px)
    back, found = dialect.parse(spelled, height_px, width_px)
    assert dialect.spell(back, found, height_px, width_px) == spelled


@pytest.mark.parametrize("name", DIALECTS)
def test_text_without_marks_is_left_alone(name: str) -> None:
    text = "Water covers 70% (see [1], [2, 3]) of a 3 x 4 picture, {so} it <is>."
    assert DIALECTS[name].spell(text, [], 100, 100) == text
    assert DIALECTS[name].parse(text, 100, 100) == (text, [])


@pytest.mark.parametrize("name", DIALECTS)
def test_an_index_without_a_box_is_an_error(name: str) -> None:
    with pytest.raises(IndexError):
        DIALECTS[name].spell(mark("a ship", 1), [(0.0, 0.0, 1.0, 1.0)], 100, 100)


def test_mmrs_pads_the_shorter_side() -> None:
    """The check of the published rule: w 1000, h 500, COCO box (100, 50, 200, 100) is (0.1, 0.3, 0.3, 0.4)."""
    mmrs = DIALECTS["mmrs"]
    assert mmrs.spell("[[|0]]", [(100.0, 50.0, 300.0, 150.0)], 500, 1000) == "[0.10,0.30,0.30,0.40]"
    assert mmrs.spell("[[|0]]", [(0.0, 0.0, 500.0, 1000.0)], 1000, 500) == "[0.25,0.00,0.75,1.00]"
    two = mmrs.spell("There are [[2 ships|0,1]]", [(0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 100.0, 100.0)], 100, 100)
    assert two == "There are <p>2 ships</p>[0.00,0.00,0.10,0.10;0.50,0.50,1.00,1.00]"


def test_mmrs_pads_are_whole_pixels() -> None:
    assert DIALECTS["mmrs"].spell("[[|0]]", [(0.0, 0.0, 7.0, 10.0)], 10, 7) == "[0.10,0.00,0.80,1.00]"  # int(1.5) = 1


def test_internvl_rounds_to_thousandths_of_each_side() -> None:
    """RefCOCO's example of the InternVL documentation: 427 x 640 pixels, as COCO has the box."""
    spelled = DIALECTS["internvl"].spell("[[the lady|0]]", [(103.93, 299.99, 238.15, 477.41)], 640, 427)
    assert spelled == "<ref>the lady</ref><box>[[243, 469, 558, 746]]</box>"


def test_llava_spells_as_its_training_files() -> None:
    assert DIALECTS["llava"].spell("[[|0]]", [(30.0, 0.0, 60.0, 45.0)], 100, 100) == "[0.3, 0.0, 0.6, 0.45]"


def test_pixels_reads_plainly() -> None:
    boxes = [(12.0, 30.04, 45.26, 60.0), (0.0, 1.0, 2.0, 3.0)]
    assert DIALECTS["pixels"].spell("[[2 cars|0,1]]", boxes, 100, 100) == "2 cars [12, 30, 45.3, 60; 0, 1, 2, 3]"


@pytest.mark.parametrize(
    ("height_px", "width_px"), [(28, 28), (512, 640), (1000, 2000), (20, 30), (4000, 4000), (60, 9000), (1092, 1092)]
)
def test_qwen_resizes_within_its_limits(height_px: int, width_px: int) -> None:
    height, width = qwen.resized(height_px, width_px)
    assert height % 28 == 0
    assert width % 28 == 0
    assert 56 * 56 <= height * width <= 14 * 14 * 4 * 1280


def test_qwen_spells_json_in_resized_pixels() -> None:
    assert qwen.resized(512, 640) == (504, 644)
    one = qwen.spell("[[|0]]", [(64.0, 51.2, 320.0, 512.0)], 512, 640)
    assert json.loads(one) == {"bbox_2d": [64, 50, 322, 503]}  # 503: the last row of 504
    two = qwen.spell("There are [[2 cars|0,0]].", [(0.0, 0.0, 100.0, 100.0)], 512, 640)
    assert json.loads(re.sub(r"^There are 2 cars (.*)\.$", r"\1", two)) == [{"bbox_2d": [0, 0, 101, 98]}] * 2


def test_qwen_reads_what_the_model_answers() -> None:
    answer = '```json\n[\n{"bbox_2d": [10, 20, 30, 40], "label": "car"},\n{"bbox_2d": [1, 2, 3, 4], "label": "bus"}\n]\n```'
    text, boxes = qwen.parse(answer, 280, 280)
    assert text == "```json\n[[|0,1]]\n```"
    assert boxes == [(10.0, 20.0, 30.0, 40.0), (1.0, 2.0, 3.0, 4.0)]


def test_qwen_refuses_a_ribbon() -> None:
    with pytest.raises(DataError, match="too_elongated"):
        qwen.spell("", [], 10, 2001)


def test_a_box_that_would_collapse_is_found() -> None:
    boxes = [(0.0, 0.0, 50.0, 50.0), (10.0, 10.0, 10.4, 30.0), (5.0, 5.0, 5.0, 9.0)]
    assert collapsed(get("mmrs"), boxes, 100, 100) == (1,)
    assert collapsed(get("pixels"), boxes, 100, 100) == ()


def test_an_unknown_dialect_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'llava'.*internvl, llava, mmrs, pixels, qwen"):
        get("llvaa")
