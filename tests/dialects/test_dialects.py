"""Laws of every dialect: what is spelled is read back, up to its own rounding; and each one's published examples."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.dialects import DIALECTS, collapsed_boxes, displacement_px, get_dialect, qwen
from rsflow.errors import ConfigError, DataError
from rsflow.spatial.geometry import Region, RotatedRectangle, bounding_box, corners, min_area_rectangle
from rsflow.text.turns import mark, marks

DELIMITS_PHRASE = {"geochat", "internvl", "mmrs", "qwen2"}
PHRASES = st.from_regex(r"[a-z0-9][a-z0-9 ,'-]{0,20}", fullmatch=True) | st.just("")


@st.composite
def quads(draw: st.DrawFn, height_px: int, width_px: int) -> Region:
    """A rotated rectangle whose corners all lie in the picture."""
    x, y = draw(st.floats(0.1, 0.9)) * width_px, draw(st.floats(0.1, 0.9)) * height_px
    room = min(x, y, width_px - x, height_px - y)
    turned = draw(st.floats(0, 2 * math.pi))
    lean = draw(st.floats(0.05, 1.5))  # of the diagonal against the side
    return RotatedRectangle(x, y, 2 * room * math.cos(lean), 2 * room * math.sin(lean), turned).quad


@st.composite
def texts(draw: st.DrawFn, oriented: bool = False) -> tuple[str, list[Region], int, int]:
    height_px, width_px = draw(st.integers(16, 3000)), draw(st.integers(16, 3000))
    share = st.floats(0, 1)
    boxes: list[Region] = []
    for xs, ys in draw(st.lists(st.tuples(st.tuples(share, share), st.tuples(share, share)), min_size=1, max_size=5)):
        (x0, x1), (y0, y1) = sorted(xs), sorted(ys)
        horizontal = (x0 * width_px, y0 * height_px, x1 * width_px, y1 * height_px)
        boxes.append(draw(quads(height_px, width_px)) if oriented and draw(st.booleans()) else horizontal)
    groups = draw(st.lists(st.lists(st.integers(0, len(boxes) - 1), min_size=1, max_size=4), min_size=1, max_size=3))
    pieces = [f"There {draw(st.sampled_from(['is', 'are 3 ships; here:']))} {mark(draw(PHRASES), *group)}." for group in groups]
    return " ".join(pieces), boxes, height_px, width_px


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=60, deadline=None)
@given(case=texts(oriented=True))
def test_what_is_spelled_is_read_back(name: str, case: tuple[str, list[Region], int, int]) -> None:
    text, boxes, height_px, width_px = case
    dialect = DIALECTS[name]
    spelled = dialect.spell(text, boxes, height_px, width_px)
    assert not marks(spelled), "no mark survives spelling"
    back, found = dialect.parse(spelled, height_px, width_px)
    limits = [limit * 1.0001 + 1e-6 for limit in dialect.max_rounding_px(height_px, width_px)]
    assert len(marks(back)) == len(marks(text))
    for asked, read in zip(marks(text), marks(back), strict=True):
        assert len(read.boxes) == len(asked.boxes)
        assert read.phrase == (asked.phrase if name in DELIMITS_PHRASE else "")
        for was, now in zip(asked.boxes, read.boxes, strict=True):
            if name == "geochat" and len(boxes[was]) == 8:
                check_turned(boxes[was], found[now], limits)
            else:
                assert len(found[now]) == len(boxes[was])
                assert all(abs(a - b) <= limits[i % 2] for i, (a, b) in enumerate(zip(boxes[was], found[now], strict=True)))


def check_turned(was: Region, now: Region, limits: list[float]) -> None:
    """The same rectangle but for rounding of centre, sides and half a degree; or, near an edge, what holds it."""
    if len(now) == 4 and not all(
        math.isclose(min_area_rectangle(was).angle % (math.pi / 2), a, abs_tol=0.01) for a in (0, math.pi / 2)
    ):
        upright = [abs(a - b) <= limits[i % 2] for i, (a, b) in enumerate(zip(bounding_box(was), now, strict=True))]
        angle = min_area_rectangle(was).angle
        assert all(upright) or min(angle, math.pi / 2 - angle) < 0.01
        return
    radius = math.hypot(min_area_rectangle(was).width_px, min_area_rectangle(was).height_px) / 2
    # Centre and half sides each move by at most the limits, and the turn carries a corner along by its distance.
    most = 2 * math.hypot(*limits) + math.radians(0.5001) * radius
    there, here = (list(zip(corners(r)[::2], corners(r)[1::2], strict=True)) for r in (was, now))
    assert all(min(math.dist(a, b) for b in here) <= most for a in there)


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=40, deadline=None)
@given(case=texts())
def test_spelling_again_changes_nothing(name: str, case: tuple[str, list[Region], int, int]) -> None:
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


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_rectangle_is_found_from_its_corners(data: st.DataObject) -> None:
    was = data.draw(quads(700, 900))
    found = min_area_rectangle(was)
    assert 0 <= found.angle < math.pi / 2
    there, here = (sorted(zip(corners(r)[::2], corners(r)[1::2], strict=True)) for r in (was, found.quad))
    assert all(min(math.dist(a, b) for b in here) < 1e-6 for a in there)


def test_geochat_turns_counter_clockwise_as_its_demo_draws() -> None:
    """A ship of 200 x 40 pixels whose bow points up and right by 30 degrees, as seen."""
    ship = RotatedRectangle(250.0, 250.0, 200.0, 40.0, math.radians(-30)).quad
    assert ship[2] > ship[0]
    assert ship[3] < ship[1], "to the right it goes up, and y points down"
    spelled = get_dialect("geochat").spell("[[1 ship|0]]", [ship], 500, 500)
    assert spelled == "<p>1 ship</p> {<30><46><70><54>|<30>}"
    steep = RotatedRectangle(250.0, 250.0, 200.0, 40.0, math.radians(30)).quad
    assert get_dialect("geochat").spell("[[|0]]", [steep], 500, 500) == "{<46><30><54><70>|<60>}"


def test_geochat_reads_what_its_demo_takes() -> None:
    parse = get_dialect("geochat").parse
    text, boxes = parse("[identify] what is this {<8><26><22><37>}", 200, 100)
    assert (text, boxes) == ("[identify] what is this [[|0]]", [(8.0, 52.0, 22.0, 74.0)])
    text, boxes = parse("<p>2 planes</p> {<0><0><10><20>|<90>}{<50><50><60><60>|<0>}", 100, 100)
    assert text == "[[2 planes|0,1]]"
    assert [tuple(round(value, 6) for value in box) for box in boxes] == [(-5, 5, 15, 15), (50, 50, 60, 60)]


def test_geochat_stays_within_its_range() -> None:
    """A long thing aslant in the corner: turned back it would leave the picture, whichever way."""
    quay = RotatedRectangle(150.0, 150.0, 400.0, 10.0, math.radians(45)).quad
    numbers = [int(number) for number in re.findall(r"-?\d+", get_dialect("geochat").spell("[[|0]]", [quay], 500, 500))]
    assert all(0 <= number <= 100 for number in numbers[:4])
    assert numbers == [1, 1, 59, 59, 0]
    assert displacement_px(get_dialect("geochat"), quay, 500, 500) > 200, "the loss is told"
    tall = RotatedRectangle(60.0, 250.0, 300.0, 100.0, math.radians(80)).quad
    assert get_dialect("geochat").spell("[[|0]]", [tall], 500, 500) == "{<2><20><22><80>|<10>}"


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_spelling_leaves_the_range_or_moves_further_than_it_says(name: str, data: st.DataObject) -> None:
    height_px, width_px = data.draw(st.integers(16, 3000)), data.draw(st.integers(16, 3000))
    box = data.draw(quads(height_px, width_px))
    limits = DIALECTS[name].max_rounding_px(height_px, width_px)
    assert displacement_px(DIALECTS[name], bounding_box(box), height_px, width_px) <= math.hypot(*limits) * 1.0001 + 1e-6
    if name != "geochat":
        assert displacement_px(DIALECTS[name], box, height_px, width_px) <= math.hypot(*limits) * 1.0001 + 1e-6


def test_qwen2_writes_tokens_in_thousandths() -> None:
    """The example of its maintainers: (0, 0, 320, 320) of 640 x 640 is (0,0),(500,500)."""
    spell = get_dialect("qwen2").spell
    one = spell("[[a ship|0]]", [(0.0, 0.0, 320.0, 320.0)], 640, 640)
    assert one == "<|object_ref_start|>a ship<|object_ref_end|><|box_start|>(0,0),(500,500)<|box_end|>"
    assert spell("[[|0,0]]", [(0.0, 0.0, 640.0, 640.0)], 640, 640) == "<|box_start|>(0,0),(999,999)<|box_end|>" * 2
    text, boxes = get_dialect("qwen2").parse("Here: <|box_start|>(10, 20), (30, 40)<|box_end|>.", 1000, 2000)
    assert (text, boxes) == ("Here: [[|0]].", [(20.0, 20.0, 60.0, 40.0)])


def test_qwen3_counts_in_thousandths() -> None:
    assert get_dialect("qwen3").spell("[[|0]]", [(64.0, 51.2, 640.0, 512.0)], 512, 640) == '{"bbox_2d": [100, 100, 1000, 1000]}'
    text, boxes = get_dialect("qwen3").parse('[{"bbox_2d": [139, 768, 315, 954], "label": "cat"}]', 1000, 2000)
    assert (text, boxes) == ("[[|0]]", [(278.0, 768.0, 630.0, 954.0)])


def test_an_oriented_box_is_eight_numbers_where_a_family_has_no_spelling() -> None:
    diamond = (50.0, 0.0, 100.0, 50.0, 50.0, 100.0, 0.0, 50.0)
    expected = {
        "geochat": "{<15><15><85><85>|<45>}",
        "internvl": "<quad>[[500, 0, 1000, 500, 500, 1000, 0, 500]]</quad>",
        "llava": "[0.5, 0.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.5]",
        "mmrs": "[0.50,0.00,1.00,0.50,0.50,1.00,0.00,0.50]",
        "pixels": "[50, 0, 100, 50, 50, 100, 0, 50]",
        "qwen": '{"quad_2d": [56, 0, 111, 56, 56, 111, 0, 56]}',
        "qwen2": "<|quad_start|>(500,0),(999,500),(500,999),(0,500)<|quad_end|>",
        "qwen3": '{"quad_2d": [500, 0, 1000, 500, 500, 1000, 0, 500]}',
    }
    assert {name: get_dialect(name).spell("[[|0]]", [diamond], 100, 100) for name in expected} == expected


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
    assert 56 * 56 <= height * width <= 12_845_056


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
    assert collapsed_boxes(get_dialect("mmrs"), boxes, 100, 100) == (1,)
    assert collapsed_boxes(get_dialect("pixels"), boxes, 100, 100) == ()
    sliver = RotatedRectangle(50.0, 50.0, 30.0, 0.2, math.radians(45)).quad
    assert collapsed_boxes(get_dialect("mmrs"), [sliver], 100, 100) == (0,)


def test_an_unknown_dialect_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=rf"did you mean 'llava'.*{', '.join(DIALECTS)}"):
        get_dialect("llvaa")
