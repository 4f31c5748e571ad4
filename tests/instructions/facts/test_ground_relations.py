"""Distances and directions between objects are those on the ellipsoid, wherever the picture lies and however it is turned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pyproj import CRS, Geod, Transformer

from rsflow.config.settings import Instructions
from rsflow.instructions.facts import cover_relations, ground_measures, ground_relations
from rsflow.instructions.facts.ground_relations import DIRECTIONS, direction_name, format_distance
from rsflow.instructions.region_captioning import question_answers as region_questions
from rsflow.records import BORDER, LENGTH, Label, Provenance, Shape, TileFacts
from rsflow.spatial.geodesy import axis_bearings, pixel_size_m

GEOD = Geod(ellps="WGS84")
VECTOR = Provenance("annotation", "vector", "places.gpkg")
SIZE = 500


def facts_at(
    latitude: float, turn_deg: float, pixel: tuple[float, float], objects: dict[str, tuple[float, float]], crs: str = "utm"
) -> tuple[TileFacts, dict[str, tuple[float, float]]]:
    """A picture around (15 E, latitude) turned by so much, with small squares at these pixels; and where these are on Earth."""
    local = CRS.from_proj4("+proj=utm +zone=33") if crs == "utm" else CRS.from_epsg(4326)
    x0, y0 = Transformer.from_crs(4326, local, always_xy=True).transform(16.5, latitude)
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))

    def place(col: float, row: float) -> tuple[float, float]:
        x, y = col * pixel[0], -row * pixel[1]
        lon, lat = Transformer.from_crs(local, 4326, always_xy=True).transform(x0 + x * cos - y * sin, y0 + x * sin + y * cos)
        return lon, lat

    corners = [(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)]
    middle = [place(SIZE / 2 + dx, SIZE / 2 + dy) for dx, dy in ((-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5))]
    pixel_m = pixel_size_m(*np.array(middle).T)
    assert pixel_m
    labels = tuple(
        Label("box", name, VECTOR, Shape((col - 4.0, row - 4.0, col + 4.0, row + 4.0))) for name, (col, row) in objects.items()
    )
    ring = tuple(value for corner in corners for value in place(*corner))
    gsd = math.sqrt(pixel_m[0] * pixel_m[1])
    facts = TileFacts("t", "optical", SIZE, SIZE, gsd, labels, tuple(objects), pixel_m, (), ring)
    return facts, {name: place(*at) for name, at in objects.items()}


@pytest.mark.parametrize("latitude", [0.0, 45.0, 60.0, 80.0, -45.0])
@pytest.mark.parametrize(
    ("crs", "pixel"), [("utm", (2.0, 2.0)), ("utm", (2.0, 5.0)), ("degrees", (1e-4, 1e-4)), ("degrees", (1e-4, 5e-5))]
)
@pytest.mark.parametrize("turn_deg", [0.0, 37.0, 200.0])
def test_distance_and_direction_are_those_of_the_geodesic(
    latitude: float, crs: str, pixel: tuple[float, float], turn_deg: float
) -> None:
    turn_deg = turn_deg if crs == "utm" else 0.0
    facts, places = facts_at(latitude, turn_deg, pixel, {"stadium": (420, 60), "harbour": (80, 330)}, crs)
    found = ground_relations.list_relations(facts, Instructions())
    assert len(found) == 2
    for relation in found:
        other, subject = places[relation.other.category], places[relation.subject.category]
        bearing, _, length = GEOD.inv(*other, *subject)
        assert relation.distance_m == pytest.approx(length, rel=2e-3)
        nearest = round((bearing % 360) / 45) % 8
        expected = DIRECTIONS[nearest] if abs((bearing % 360) - 45 * round((bearing % 360) / 45)) < 14.5 else None
        if expected:
            assert relation.direction == expected


def test_a_sentence_says_where_one_lies_from_the_other() -> None:
    facts, _ = facts_at(47.0, 0.0, (2.0, 2.0), {"stadium": (350, 110), "harbour": (110, 350)})
    asked = {(qa.kind, qa.subject): qa for qa in ground_relations.question_answers(facts, Instructions())}
    assert asked["direction", "the stadium the harbour"].short_answer == "north-east"
    assert asked["direction", "the harbour the stadium"].short_answer == "south-west"
    distance = asked["distance", "the harbour the stadium"]
    assert distance.short_answer == "about 680 m"
    assert distance.answer["least"] <= distance.answer["number"] <= distance.answer["most"]
    (first, _) = ground_relations.list_relations(facts, Instructions())
    assert first.sentence == "The harbour is about 680 m south-west of the stadium."


@pytest.mark.parametrize(
    "change",
    ["no place", "cut off", "another may be there", "large beside the distance"],
    ids=lambda text: text.replace(" ", "_"),
)
def test_nothing_is_said_where_it_could_be_false(change: str) -> None:
    facts, _ = facts_at(47.0, 0.0, (2.0, 2.0), {"stadium": (350, 110), "harbour": (110, 350)})
    first, _ = facts.labels
    changed = {
        "no place": {"footprint": None},
        "cut off": {"labels": (first, Label("box", "harbour", VECTOR, Shape((100, 340, 120, 360), (), 0.6)))},
        "another may be there": {"vocabulary": ("stadium",)},
        "large beside the distance": {"labels": (first, Label("box", "harbour", VECTOR, Shape((40, 280, 180, 420))))},
    }[change]
    fields = {name: getattr(facts, name) for name in TileFacts.__dataclass_fields__}
    assert not ground_relations.list_relations(TileFacts(**{**fields, **changed}), Instructions())


def test_named_features_are_called_by_their_names_where_their_layer_allows_it() -> None:
    facts, _ = facts_at(47.0, 0.0, (2.0, 2.0), {"stadium": (350, 110), "harbour": (110, 350)})
    labels = tuple(
        Label("box", "school", VECTOR, label.shape, text=name) for label, name in zip(facts.labels, "AB", strict=True)
    )
    fields = {name: getattr(facts, name) for name in TileFacts.__dataclass_fields__}
    named = TileFacts(**{**fields, "labels": labels, "vocabulary": ()})
    (first, _) = ground_relations.list_relations(named, Instructions())
    assert first.sentence == "The school called A is about 680 m north-east of the school called B."
    texts = [qa.short_answer for qa in region_questions(named, Instructions(), 0) if not hasattr(qa, "reason")]
    assert texts[0].startswith("The school called A")
    same = TileFacts(**{**fields, "labels": tuple(Label("box", "school", VECTOR, one.shape, text="A") for one in labels)})
    assert not ground_relations.list_relations(same, Instructions()), "two schools have that name"
    elsewhere = Provenance("annotation", "coco")
    others = tuple(Label("box", "school", elsewhere, one.shape, text=one.text) for one in labels)
    assert not ground_relations.list_relations(TileFacts(**{**fields, "labels": others, "vocabulary": ()}), Instructions())


@pytest.mark.parametrize(
    ("metres", "said", "least", "most"),
    [(384, "380 m", 375, 385), (996, "1 km", 995, 1005), (1849, "1.8 km", 1750, 1850), (7.26, "7.3 m", 7.25, 7.35)],
)
def test_a_distance_has_two_digits_and_their_interval(metres: float, said: str, least: float, most: float) -> None:
    assert format_distance(metres) == (said, pytest.approx(least), pytest.approx(most))


@pytest.mark.parametrize(
    ("bearing", "name"),
    [(0, "north"), (-44, "north-west"), (359, "north"), (180, "south"), (-180, "south"), (22, None), (290, None)],
)
def test_a_direction_between_two_has_no_name(bearing: float, name: str | None) -> None:
    assert direction_name(bearing) == name


def test_a_footprint_without_extent_has_no_directions() -> None:
    assert axis_bearings([5.0, 50.0] * 4) is None
    assert axis_bearings([5.0, 50.0, 6.0, 50.0]) is None


def test_lengths_and_borders_are_asked_for() -> None:
    cover = Provenance("annotation", "cover")
    labels = (
        *(Label("cover", name, cover, value=share) for name, share in (("forest", 0.5), ("water", 0.3), ("cropland", 0.2))),
        Label("fact", f"{BORDER}cropland", cover, text="forest", value=900.0),
        Label("fact", f"{BORDER}forest", cover, text="water", value=0.0),
        Label("fact", f"{BORDER}cropland", cover, text="water", value=30.0),
        Label("fact", f"{LENGTH}road", VECTOR, text="m", value=1234.0),
    )
    found = {
        (qa.kind, qa.short_answer): qa
        for tile in [TileFacts("t", "sar", 64, 64, 10.0, labels)]
        for qa in (*ground_measures.question_answers(tile), *cover_relations.question_answers(tile, 0))
    }
    assert set(found) == {("line_length", "about 1.2 km"), ("cover_border", "yes"), ("cover_border", "no")}
    assert found["cover_border", "yes"].full_answer == "Yes, farmland borders on forest."
    assert found["cover_border", "no"].full_answer == "No, forest and water do not touch in the image."
    assert found["cover_border", "yes"].labels == (3, 2, 0)
