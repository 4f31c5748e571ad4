"""Two dates of a cell: what changed, from dated vector layers, dated class rasters and calibrated bands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin
from scipy import ndimage

from rsflow.dialects import get_dialect, spell_text
from rsflow.dialects.spelling.several_pictures import spell_on_pictures
from rsflow.evaluation import Answer, Question, read_questions, score_answers
from rsflow.phases.build import BuildResult, run
from rsflow.planning.recipe import load
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.verify import verify_snapshot

WEST, NORTH, SIDE = 640_000.0, 4_993_280.0, 128  # a corner of cells of 1280 m in UTM zone 33
FOREST, BARE = 0.8, 0.2  # vegetation index
CUT = (slice(70, 110), slice(20, 60))  # 40 x 40 pixels of 10 m: 16 hectares
HOUSES = {"old": (10, 10, 20, 22), "gone": (40, 10, 52, 20), "new": (80, 30, 95, 45)}  # x0, y0, x1, y1


def write(path: Path, pixels: Any, names: tuple[str, ...] = ()) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, height, width = pixels.shape
    shape = {"count": bands, "height": height, "width": width, "dtype": str(pixels.dtype)}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32633", transform=from_origin(WEST, NORTH, 10, 10), **shape) as to:
        to.write(pixels)
        for number, name in enumerate(names, 1):
            to.set_band_description(number, name)


def reflectance(ndvi: Any, seed: int) -> Any:
    """Green, red, near and short-wave infrared of ground with a texture that both dates share."""
    rng = np.random.default_rng(7)
    texture = sum(ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), sigma) * sigma for sigma in (2, 5, 11))
    nir = 0.3 + 0.04 * texture + np.random.default_rng(seed).normal(scale=0.002, size=(SIDE, SIDE))
    red = nir * (1 - ndvi) / (1 + ndvi)
    return np.clip(np.stack([red * 1.1, red, nir, nir * 0.5]), 0.001, 1).astype("float32")


def layer(path: Path, *names: str) -> str:
    def ring(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
        return [[WEST + 10 * x, NORTH - 10 * y] for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))]

    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring(*HOUSES[name])]}}
        for name in names
    ]
    frame = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring(-9, -9, 140, 140)]}}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    for place, found in ((path, features), (path.with_name("area.geojson"), [frame])):
        place.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": found}))
    return str(path)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    place = tmp_path_factory.mktemp("dates")
    ndvi = np.full((SIDE, SIDE), FOREST)
    after, classes = ndvi.copy(), np.full((1, SIDE, SIDE), 1, "uint8")
    after[CUT] = BARE
    for number, (index, name) in enumerate(((ndvi, "20200601"), (after, "20220605"))):
        write(place / f"scenes/s_{name}.tif", reflectance(index, number), ("green", "red", "nir", "swir16"))
    write(place / "cover2020.tif", classes)
    classes[0][CUT] = 2
    write(place / "cover2022.tif", classes)
    houses = {2020: layer(place / "h2020.geojson", "old", "gone"), 2022: layer(place / "h2022.geojson", "old", "new")}
    entries: list[dict[str, Any]] = []
    for year in (2020, 2022):
        dates = {"since": str(year), "until": str(year)}
        options = {"category": "building", "area_of_interest": str(place / "area.geojson")}
        entries.append(
            {"format": "vector", "files": houses[year], "dates": dates, "exhaustive": ["building"], "options": options}
        )
        cover = {"legend": {"1": "forest", "2": "bare soil"}}
        entries.append({"format": "cover", "files": str(place / f"cover{year}.tif"), "dates": dates, "options": cover})
    scenes = {"files": str(place / "scenes/*.tif"), "acquired_at": "_([0-9]{8})[.]tif", "unit": "reflectance"}
    config = {
        "root": str(place / "lake"),
        "sources": [
            {"name": "optical", "sensor": "optical", "licence": "CC0-1.0", "scenes": scenes, "annotations": entries},
        ],
        "tiles": {"grid": "ground", "size_px": 128, "gsd_m": 10},
        "render": {"raw_bands": True},
        "groups": {"changes": {"indices": ["ndvi"]}},
        "instructions": {"tasks": ["change", "series"], "per_task": 100},
        "select": {"max_answer_share": 1.0},
        "engine": {"kind": "inline"},
    }
    (place / "build.yaml").write_text(yaml.safe_dump(config))
    return run(load(str(place / "build.yaml"), ()))


def told(built: BuildResult, kind: str) -> dict[str, dict[str, Any]]:
    """The answers of one kind of the group's change questions, by what they are about."""
    found = [row for row in built.now.instructions().to_pylist() if row["task"] == "change"]
    answers = [(json.loads(row["answer"]), row) for row in found]
    return {
        answer.get("name") or answer.get("category", ""): {**answer, **row} for answer, row in answers if answer["kind"] == kind
    }


def test_maps_of_two_dates_say_what_became_what(built: BuildResult) -> None:
    group = "dates:utm33n/1280m/3900/500:optical"
    labels = [row for row in built.now.labels().to_pylist() if row["tile_id"] == group]
    cover = next(row for row in labels if row["kind"] == "change" and row["origin_name"] == "cover")
    assert (cover["text"], cover["category"], cover["box"]) == ("forest", "bare soil", [20, 70, 60, 110])
    ground = told(built, "fact")["changed ground, land cover"]
    assert ground["number"] == pytest.approx(160_000, rel=0.002)  # of the ellipsoid: the grid's scale at its edge is 0.9998
    assert ground["label_ids"] == [cover["label_id"]]
    became = told(built, "fact")["change of land cover"]
    assert (became["value"], became["boxes"], became["box_pictures"]) == ("forest to bare soil", [[20, 70, 60, 110]], [1])


def test_objects_of_two_layers_are_new_gone_or_the_same(built: BuildResult) -> None:
    counts = told(built, "count")
    assert {name: counts[name]["value"] for name in ("new buildings", "removed buildings")} == {
        "new buildings": 1,
        "removed buildings": 1,
    }
    placed = [
        row
        for row in built.now.instructions().to_pylist()
        if json.loads(row["answer"]).get("category") == "building" and json.loads(row["answer"])["kind"] == "boxes"
    ]
    found = {json.loads(row["answer"])["direction"]: row["boxes"] for row in placed}
    assert found["new"] == [list(HOUSES["new"])]
    assert found["gone"][0] == pytest.approx(HOUSES["gone"], abs=0.3)  # moved by the measured shift


def test_an_index_fell_where_it_did(built: BuildResult) -> None:
    share = told(built, "share")["ndvi"]
    assert (share["value"], share["direction"], share["least"]) == (pytest.approx(1600 / SIDE**2), "fell", 0.2)
    assert told(built, "yes_no")["ndvi"]["value"] is True


def test_the_group_is_a_sample_that_can_be_checked(built: BuildResult) -> None:
    assert verify_snapshot(built.now.lake.root).differences == ()
    assert [balance.line() for balance in built.balances if not balance.is_balanced] == []
    assert [row for row in built.now.rejects().to_pylist() if row["kind"] == "group"] == []


def test_right_answers_about_two_dates_score_one_and_boxes_on_the_wrong_date_less(built: BuildResult) -> None:
    dialect, root = get_dialect("qwen"), built.now.lake.root
    asked = [one for split in read_snapshot(root).splits for one in read_questions(root, split, dialect)]
    groups = [question for question, pictures in asked if question.sizes and len(pictures) == 2]
    assert {question.task for question in groups} == {"change"}

    def spell(question: Question) -> str:
        def on_picture(text: str, boxes: Any, height_px: int, width_px: int) -> str:
            return spell_text(dialect, text, boxes, question.answer, height_px, width_px)

        if not question.box_pictures:
            return question.reference
        return spell_on_pictures(on_picture, question.reference, question.boxes, question.box_pictures, question.sizes)

    scored = score_answers([(one, Answer(one.question_id, spell(one))) for one in groups], dialect)
    judged = {one.question.kind for one in scored if one.measures}
    assert {"boxes", "boxes_in_both", "count", "share", "yes_no", "fact"} <= judged
    for one in scored:
        assert one.parsed, (one.question.reference, one.text)
        assert all(
            value == pytest.approx(0 if name.endswith("error") else 1, abs=0.06) for name, value in one.measures.items()
        ), one
    both = [one for one in groups if one.kind == "boxes_in_both"]
    swapped = [(one, Answer(one.question_id, spell(one).replace("image 1", "image 9"))) for one in both]
    assert all(one.measures["iou"] <= 0.51 for one in score_answers(swapped, dialect))
