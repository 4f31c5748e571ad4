"""Laws of cutting labels to windows: nothing is gained, lost or moved."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.annotations import clip_labels, find_hidden_categories
from rsflow.annotations.parsing.mask_outlines import trace_outline
from rsflow.records import Label, LabelKind, Provenance, Shape
from rsflow.schemas import label_from_row, label_row
from rsflow.spatial.geometry import Box, Window, area
from rsflow.spatial.polygons import from_geometry, parts_bounds, scale_parts, to_geometry

SIDE = 64
SCENE: Box = (0.0, 0.0, float(SIDE), float(SIDE))
FROM = Provenance("annotation", "test")

number = st.floats(0, SIDE, allow_nan=False).map(lambda value: round(value, 3))
edges = st.lists(st.integers(1, SIDE - 1), max_size=4, unique=True).map(lambda inner: [0, *sorted(inner), SIDE])


@st.composite
def boxes(draw: st.DrawFn) -> Shape:
    x0, y0 = draw(st.floats(0, SIDE - 1)), draw(st.floats(0, SIDE - 1))
    return Shape((x0, y0, draw(st.floats(x0 + 0.5, SIDE)), draw(st.floats(y0 + 0.5, SIDE))))


@st.composite
def polygons(draw: st.DrawFn) -> Shape:
    """Rings as annotators draw them, crossing themselves now and then."""
    points = draw(st.lists(st.tuples(number, number), min_size=3, max_size=8, unique=True))
    xs, ys = [x for x, _ in points], [y for _, y in points]
    ring = tuple(value for point in points for value in point)
    box = (min(xs), min(ys), max(xs), max(ys))
    return Shape(box if area(box) else (0.0, 0.0, 1.0, 1.0), ring if area(box) else ())


def label(shape: Shape | None, kind: LabelKind = "box", category: str = "ship") -> Label:
    return Label(kind, category, FROM, shape)


def windows(rows: list[int], cols: list[int]) -> list[Window]:
    return [Window(r, c, r1 - r, c1 - c) for r, r1 in itertools.pairwise(rows) for c, c1 in itertools.pairwise(cols)]


@st.composite
def masks(draw: st.DrawFn) -> Shape:
    """Blots of pixels: of several parts, with holes."""
    seed, scale = draw(st.integers(0, 999)), draw(st.sampled_from([1, 3, 8]))
    cells = np.random.default_rng(seed).random((SIDE // scale, SIDE // scale)) > 0.4
    parts = scale_parts(trace_outline(cells), scale, scale)
    return Shape.of_parts(parts_bounds(parts), parts)


def geometry(shape: Shape) -> shapely.Geometry:
    """As its rings say it: what an even number of them holds is not of it."""
    if not shape.polygon:
        return shapely.box(*shape.box)
    rings = [ring for part in shape.area_parts for ring in part]
    found = shapely.Polygon()
    for ring in rings:
        points = list(zip(ring[::2], ring[1::2], strict=True))
        found = shapely.symmetric_difference(found, shapely.make_valid(shapely.Polygon(points)))
    return found


@given(st.one_of(boxes(), polygons()), edges, edges)
@settings(max_examples=60, deadline=None)
def test_the_pieces_of_a_partition_hold_the_whole_object(shape: Shape, rows: list[int], cols: list[int]) -> None:
    pieces = [piece for window in windows(rows, cols) for piece in clip_labels([label(shape)], window, 0.0, SCENE)]
    if geometry(shape).area > 0:
        assert sum(piece.shape.visibility for piece in pieces if piece.shape) == pytest.approx(1, abs=1e-6)
    if not shape.polygon:
        assert sum(area(piece.shape.box) for piece in pieces if piece.shape) == pytest.approx(area(shape.box), rel=1e-6)


@given(
    st.one_of(boxes(), polygons()), st.integers(0, SIDE - 1), st.integers(0, SIDE - 1), st.integers(1, 80), st.integers(1, 80)
)
@settings(max_examples=60, deadline=None)
def test_a_piece_is_what_shapely_sees_through_the_window(shape: Shape, row: int, col: int, height: int, width: int) -> None:
    window = Window(row, col, height, width)
    found = clip_labels([label(shape)], window, 0.0, SCENE)
    seen = shapely.intersection(geometry(shape), shapely.box(*window.box)).area
    whole = geometry(shape).area
    if seen > 1e-9 * max(whole, 1):
        (piece,) = found
        assert piece.shape
        assert piece.shape.visibility == pytest.approx(seen / whole, abs=1e-6)
    for piece in found:
        assert piece.shape
        x0, y0, x1, y1 = piece.shape.box
        assert -1e-9 <= x0 <= x1 <= width + 1e-9
        assert -1e-9 <= y0 <= y1 <= height + 1e-9
        assert all(-1e-9 <= x <= width + 1e-9 for x in piece.shape.polygon[::2])
        assert all(-1e-9 <= y <= height + 1e-9 for y in piece.shape.polygon[1::2])


@given(st.lists(st.one_of(boxes(), polygons()), max_size=5))
@settings(max_examples=50, deadline=None)
def test_a_window_on_the_whole_scene_changes_nothing(shapes: list[Shape]) -> None:
    labels = [label(shape) for shape in shapes] + [label(None, "category"), label(None, "caption")]
    assert clip_labels(labels, Window(0, 0, SIDE, SIDE), 1.0, SCENE) == labels
    assert clip_labels(labels, Window(0, 0, SIDE + 9, SIDE + 9), 1.0, SCENE) == labels


@given(boxes(), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_cutting_twice_is_cutting_once(shape: Shape, row: int, col: int) -> None:
    outer, inner = Window(10, 10, 50, 50), Window(row, col, 12, 12)
    twice = clip_labels(clip_labels([label(shape)], outer, 0.0, SCENE), inner, 0.0, (0.0, 0.0, 50.0, 50.0))
    once = clip_labels([label(shape)], Window(10 + row, 10 + col, min(12, 50 - row), min(12, 50 - col)), 0.0, SCENE)
    assert len(twice) == len(once)
    for a, b in zip(twice, once, strict=True):
        assert a.shape
        assert b.shape
        assert a.shape.box == pytest.approx(b.shape.box, abs=1e-9)
        assert a.shape.visibility == pytest.approx(b.shape.visibility, abs=1e-9)


def test_what_shows_too_little_is_no_label_but_its_category_is_told() -> None:
    ship, crane = label(Shape((0, 0, 10, 10))), label(Shape((20, 20, 30, 30)), category="crane")
    window = Window(0, 7, 64, 57)
    assert [found.category for found in clip_labels([ship, crane], window, 0.31, SCENE)] == ["crane"]
    assert find_hidden_categories([ship, crane], window, 0.31, SCENE) == ("ship",)
    kept = clip_labels([ship, crane], window, 0.3, SCENE)
    assert find_hidden_categories([ship, crane], window, 0.3, SCENE) == ()
    assert [found.category for found in kept] == ["ship", "crane"]
    assert kept[0].shape == Shape((0, 0, 3, 10), (), 0.3)
    assert kept[0].shape.truncated
    assert kept[1].shape
    assert not kept[1].shape.truncated


def test_what_is_said_of_the_scene_is_said_of_a_tile_only_where_it_is_the_scene() -> None:
    labels = [label(None, "category"), label(None, "caption"), label(Shape((0, 0, 9, 9)), "cover")]
    assert clip_labels(labels, Window(0, 0, SIDE, SIDE), 0.5, SCENE) == labels
    assert clip_labels(labels, Window(0, 0, SIDE, SIDE - 1), 0.5, SCENE) == []


@given(masks(), edges, edges)
@settings(max_examples=25, deadline=None)
def test_every_part_and_every_hole_is_in_one_of_the_windows(shape: Shape, rows: list[int], cols: list[int]) -> None:
    whole = geometry(shape)
    total = 0.0
    for window in windows(rows, cols):
        seen = shapely.intersection(whole, shapely.box(*window.box))
        for piece in clip_labels([label(shape)], window, 0.0, SCENE):
            assert piece.shape
            total += piece.shape.visibility
            left = from_geometry(shapely.transform(seen, lambda xy, w=window: xy - [w.col_off, w.row_off]))
            assert to_geometry(piece.shape.area_parts).symmetric_difference(to_geometry(left)).area == pytest.approx(
                0, abs=1e-6
            )
            assert piece.shape.box == pytest.approx(parts_bounds(left), abs=1e-9)
            assert label_from_row(label_row(piece)) == piece
    assert total == pytest.approx(1, abs=1e-6)


def test_a_bridge_of_two_spans_is_seen_by_its_spans_and_not_by_its_box() -> None:
    bridge = Shape.of_parts((20, 10, 60, 20), (((20, 10, 40, 10, 40, 20, 20, 20),), ((50, 10, 60, 10, 60, 20, 50, 20),)))
    (left,), (right,) = (clip_labels([label(bridge)], Window(0, col, SIDE, 45), 0.0, SCENE) for col in (0, 45))
    assert (left.shape.box, left.shape.visibility) == ((20, 10, 40, 20), pytest.approx(2 / 3))
    assert (right.shape.box, right.shape.visibility) == ((5, 10, 15, 20), pytest.approx(1 / 3))
    assert clip_labels([label(bridge)], Window(0, 41, SIDE, 8), 0.0, SCENE) == []  # between the spans


def test_of_a_horseshoe_the_box_spans_both_arms_and_the_ring_is_one() -> None:
    horseshoe = Shape((0, 0, 30, 20), (0, 0, 10, 0, 10, 15, 25, 15, 25, 0, 30, 0, 30, 20, 0, 20))
    (piece,) = clip_labels([label(horseshoe)], Window(0, 0, 10, SIDE), 0.0, SCENE)
    assert piece.shape
    assert piece.shape.box == (0, 0, 30, 10)
    assert (min(piece.shape.polygon[::2]), max(piece.shape.polygon[::2])) == (0, 10)
    assert len(piece.shape.parts) == 2


def test_nothing_is_shown_beyond_the_edge_of_the_scene() -> None:
    (piece,) = clip_labels([label(Shape((50, 50, 90, 60)))], Window(32, 32, 64, 64), 0.0, SCENE)
    assert piece.shape
    assert piece.shape.box == (18, 18, 32, 28)


@pytest.mark.parametrize("ring", [(), (0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0)])
def test_an_object_that_was_cut_before_keeps_what_it_had_lost(ring: tuple[float, ...]) -> None:
    (piece,) = clip_labels([label(Shape((0, 0, 10, 10), ring, 0.5))], Window(0, 0, 5, SIDE), 0.0, SCENE)
    assert piece.shape
    assert piece.shape.visibility == pytest.approx(0.25)
    (whole,) = clip_labels([label(Shape((0, 0, 10, 10), ring, 0.5))], Window(0, 0, 20, SIDE), 0.0, SCENE)
    assert whole.shape
    assert whole.shape.visibility == 0.5


def test_an_oriented_box_stays_one_until_it_is_cut_and_its_flags_stay_anyway() -> None:
    ring = (20.0, 10.0, 30.0, 20.0, 20.0, 30.0, 10.0, 20.0)
    ship = label(Shape((10, 10, 30, 30), ring, 1.0, True, ("difficult",)))
    (whole,) = clip_labels([ship], Window(5, 5, 30, 30), 0.0, SCENE)
    assert whole.shape == Shape((5, 5, 25, 25), tuple(value - 5 for value in ring), 1.0, True, ("difficult",))
    (half,) = clip_labels([ship], Window(0, 0, 64, 20), 0.0, SCENE)
    assert half.shape
    assert (half.shape.oriented, half.shape.flags, half.shape.truncated) == (False, ("difficult",), True)
    assert half.shape.visibility == pytest.approx(0.5)
    assert half.shape.box == (10, 10, 20, 30)
    assert sorted(zip(half.shape.polygon[::2], half.shape.polygon[1::2], strict=True)) == [(10, 20), (20, 10), (20, 30)]


def test_a_phrase_and_a_question_are_of_the_whole_scene() -> None:
    labels = [label(Shape((0, 0, 9, 9)), "phrase"), label(None, "question")]
    assert clip_labels(labels, Window(0, 0, SIDE, SIDE), 0.5, SCENE) == labels
    assert clip_labels(labels, Window(0, 0, 32, 32), 0.5, SCENE) == []
