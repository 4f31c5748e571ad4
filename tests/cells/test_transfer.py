"""Labels of one scene serve the tiles of other scenes on the same cells: moved, marked, counted, and only where they hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin
from scipy import ndimage

from rsflow.errors import ConfigError
from rsflow.inspection.explain import Explained, explain
from rsflow.lake.tables import open_lake
from rsflow.phases.build import BuildResult, run
from rsflow.planning.recipe import load
from rsflow.report.explain import explanation_text
from rsflow.review.decisions import make_decision
from rsflow.review.store import add_decisions
from rsflow.shards.verify import verify_snapshot

Build = Callable[..., BuildResult]
WEST, NORTH, SIDE = 640_000.0, 4_993_280.0, 128  # a corner of cells of 1280 m in UTM zone 33
BOXES = {"building": [(20, 30, 26, 24), (80, 70, 20, 30)], "ship": [(50, 90, 14, 8)], "tree": [(100, 20, 3, 3)]}  # x, y, w, h


def ground() -> Any:
    rng = np.random.default_rng(3)
    layers = [ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), sigma) * sigma for sigma in (2, 5, 11)]
    field = sum(np.where(layer > 0.2, layer + 1, layer) for layer in layers)
    return 20 + 160 * (field - field.min()) / np.ptp(field)


def write(path: Path, pixels: Any, east_px: float = 0) -> None:
    """`east_px`: how far the scene's georeference is wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"count": pixels.shape[0], "height": SIDE, "width": SIDE, "dtype": str(pixels.dtype)}
    where = from_origin(WEST + 10 * east_px, NORTH, 10, 10)
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32633", transform=where, **shape) as to:
        to.write(pixels)


def optical(seed: int) -> Any:
    noise = np.random.default_rng(100 + seed).normal(scale=3, size=(3, SIDE, SIDE))
    return np.clip(ground() + noise, 1, 255).astype("uint8")


def radar(seed: int) -> Any:
    return (ground() * np.random.default_rng(200 + seed).gamma(4, 0.25, (1, SIDE, SIDE))).astype("float32") + 1


def annotate(path: Path, picture: str) -> None:
    names = list(BOXES)
    boxes = [(names.index(name) + 1, box) for name, mine in BOXES.items() for box in mine]
    coco = {
        "images": [{"id": 1, "file_name": picture, "height": SIDE, "width": SIDE}],
        "categories": [{"id": number, "name": name} for number, name in enumerate([*names, "harbour"], 1)],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": category, "bbox": list(box), "area": box[2] * box[3], "iscrowd": 0}
            for number, (category, box) in enumerate(boxes, 1)
        ],
    }
    path.write_text(json.dumps(coco))


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """An annotated optical scene, another optical date that is not, and a radar scene: one cell."""
    write(tmp_path / "annotated/a_20200601T100000.tif", optical(1))
    write(tmp_path / "later/b_20200611T100000.tif", optical(2))
    write(tmp_path / "sar/s_20200603T170000.tif", radar(1))
    annotate(tmp_path / "boxes.json", "a_20200601T100000.tif")

    def make(*overrides: str, **transfer: Any) -> BuildResult:
        when = "_([0-9]{8}T[0-9]{6})[.]tif"
        sources = [
            {
                "name": name,
                "sensor": "sar" if name == "sar" else "optical",
                "licence": "CC0-1.0",
                "scenes": {"files": str(tmp_path / name / "*.tif"), "acquired_at": when, **unit},
            }
            for name, unit in (("annotated", {}), ("later", {}), ("sar", {"unit": "amplitude"}))
        ]
        sources[0]["annotations"] = {"format": "coco", "files": str(tmp_path / "boxes.json"), "exhaustive": True}
        built = {
            "root": str(tmp_path / "lake"),
            "sources": sources,
            "tiles": {"grid": "ground", "size_px": SIDE, "gsd_m": 10},
            "screen": {"min_valid_share": 0.5},
            "transfer": {**transfer},
            "engine": {"kind": "inline"},
        }
        (tmp_path / "build.yaml").write_text(yaml.safe_dump(built))
        return run(load(str(tmp_path / "build.yaml"), overrides))

    return make


def passed(result: BuildResult) -> dict[str, list[dict[str, Any]]]:
    """The labels that tiles of each source got from others."""
    sources = {row["tile_id"]: row["source"] for row in result.now.tiles().to_pylist()}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in result.now.labels().to_pylist():
        if row["transferred_from"]:
            found.setdefault(sources[row["tile_id"]], []).append(row)
    return found


def reasons(result: BuildResult) -> Counter[str]:
    rows = [row for row in result.now.rejects().to_pylist() if row["step"] == "transfer"]
    return Counter(
        {reason: sum(row["rows"] for row in rows if row["reason"] == reason) for reason in {r["reason"] for r in rows}}
    )


def test_boxes_of_an_optical_scene_serve_other_dates_and_sensors(build: Build, tmp_path: Path) -> None:
    result = build()
    found = passed(result)
    assert found.keys() == {"later", "sar"}
    for rows in found.values():
        assert [row["category"] for row in rows] == ["building", "building"]
        assert all(row["transferred_from"].startswith("annotated.") and row["origin"] == "annotation" for row in rows)
        for row, (x, y, width, height) in zip(rows, BOXES["building"], strict=True):
            assert row["box"] == pytest.approx([x, y, x + width, y + height], abs=1.5)
    assert reasons(result) == {"moving_thing": 2, "too_small": 2}
    assert [balance.line() for balance in result.balances if not balance.is_balanced] == []
    assert any(balance.line().startswith("transfer: 8 labels = 4 kept") for balance in result.balances)
    assert verify_snapshot(str(tmp_path / "lake")).differences == ()


def test_what_is_known_of_all_objects_is_passed_but_for_what_moves_or_was_not_passed(build: Build) -> None:
    result = build()
    tiles = {row["source"]: row for row in result.now.tiles().to_pylist()}
    assert tiles["annotated"]["vocabulary"] == ["building", "harbour", "ship", "tree"]
    for source in ("later", "sar"):
        assert tiles[source]["vocabulary"] == ["building", "harbour"]
        assert {*tiles[source]["unknown"]} == {"ship", "tree"}
    asked = [row for row in result.now.instructions().to_pylist() if row["tile_id"] == tiles["sar"]["tile_id"]]
    assert asked
    assert not any("ship" in turn["text"] or "tree" in turn["text"] for row in asked for turn in row["turns"])
    assert any("#transfer." in label for row in asked for label in row["label_ids"])


def test_a_box_lies_where_the_thing_is_in_a_scene_with_a_wrong_place(build: Build, tmp_path: Path) -> None:
    """The later scene's georeference is 2 pixels off: its pictures show the building 2 pixels further east on the ground."""
    write(tmp_path / "later/b_20200611T100000.tif", optical(2), east_px=1.5)
    rows = passed(build("screen.min_valid_share=0.05"))["later"]
    cell = [row for row in rows if "/0_128_128" in row["tile_id"] or row["box"][0] < SIDE]
    first = next(row for row in cell if row["category"] == "building")
    assert first["box"] == pytest.approx([21.5, 30, 47.5, 54], abs=0.7)


def test_nothing_is_passed_where_scenes_are_too_far_apart(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "later/b_20200611T100000.tif", optical(2), east_px=6)
    result = build("transfer.max_days=20", "transfer.max_shift_px=3")
    assert "later" not in passed(result)
    assert reasons(result)["misregistered"] == 4
    result = build("transfer.max_days=2")
    assert passed(result) == {}
    assert reasons(result) == {"too_long_between": 8}
    (later,) = [row for row in result.now.tiles().to_pylist() if row["source"] == "later" and row["valid_share"] > 0.6]
    assert (later["vocabulary"], later["unknown"]) == ([], [])


def test_a_new_date_redoes_its_cell_and_gives_what_a_fresh_build_gives(build: Build, tmp_path: Path) -> None:
    build()
    write(tmp_path / "later/c_20200605T100000.tif", optical(3))
    grown, fresh = build(), build(f"root={tmp_path / 'fresh'}")
    assert {row["transferred_from"][:9] for row in passed(grown)["later"]} == {"annotated"}
    assert len(passed(grown)["later"]) == 4

    def plain(result: BuildResult, table: str) -> list[dict[str, Any]]:
        rows = result.now.read(table).to_pylist()
        kept = [{name: value for name, value in row.items() if name not in ("unit", "receipt", "file")} for row in rows]
        return sorted(kept, key=lambda row: json.dumps(row, default=str, sort_keys=True))

    for table in ("labels", "transfers", "instructions"):
        assert plain(grown, table) == plain(fresh, table)
    marks = {row["unit"] for row in grown.now.all_marks.to_pylist()}
    assert {row["unit"] for row in build().now.all_marks.to_pylist()} == marks


def test_labels_of_another_date_say_nothing_of_what_changed(build: Build) -> None:
    result = build("groups={}", "instructions.per_task=50")
    groups = {row["group_id"]: row["kind"] for row in result.now.groups().to_pylist()}
    assert {"dates", "sensors"} <= {*groups.values()}
    for row in result.now.instructions().to_pylist():
        if groups.get(row["tile_id"]) in ("dates", "pair"):
            assert not any("#transfer" in label for label in row["label_ids"])
            assert "building" not in json.dumps(row["turns"])
    named = [row for row in result.now.instructions().to_pylist() if groups.get(row["tile_id"]) == "sensors"]
    assert any("#transfer" in label for row in named for label in row["label_ids"])


def test_a_review_of_what_a_tile_got_leaves_the_rest(build: Build, tmp_path: Path) -> None:
    first, second = passed(build())["later"]
    lake = open_lake(str(tmp_path / "lake"))
    added = {"category": "building", "box": [5.0, 90.0, 25.0, 110.0]}
    add_decisions(lake, [make_decision("label", "reject", first["tile_id"], "ada", first, reason="wrong_place")])
    add_decisions(lake, [make_decision("label", "add", first["tile_id"], "ada", None, added)])
    result = build()
    rows = [row for row in result.now.labels().to_pylist() if row["tile_id"] == first["tile_id"] and row["kind"] == "box"]
    assert sorted(row["box"] for row in rows) == sorted([second["box"], added["box"]])
    assert len(passed(result)["sar"]) >= 1
    (tile,) = [row for row in result.now.tiles().to_pylist() if row["tile_id"] == first["tile_id"]]
    assert "building" in tile["unknown"]


def test_what_a_tile_got_is_explained(build: Build, tmp_path: Path) -> None:
    result = build()
    tile = next(row["tile_id"] for row in result.now.tiles().to_pylist() if row["source"] == "sar")
    found = explain(str(tmp_path / "lake"), tile)
    assert isinstance(found, Explained)
    (row,) = found.transfers
    assert (row["labels"], row["days"], row["vocabulary"]) == (2, pytest.approx(2.29, abs=0.01), ["building", "harbour"])
    text = explanation_text(found.subject, found.tile, found.members, found.instructions, transfers=found.transfers)
    assert "2 labels transferred from annotated.a_20200601T100000" in text


def test_transfer_needs_the_ground_grid(build: Build) -> None:
    with pytest.raises(ConfigError, match=r"set tiles\.grid to ground"):
        build("tiles={size_px: 128}")


def test_coarse_pixels_get_boxes_on_the_same_ground_where_an_unknown_shift_is_allowed(build: Build) -> None:
    result = build("tiles.gsd_m={optical: 10, sar: 40}", on_unknown="keep", kinds=["box"])
    tiles = {row["source"]: row for row in result.now.tiles().to_pylist()}
    assert (tiles["later"]["height_px"], tiles["sar"]["height_px"]) == (128, 32)
    for row, (x, y, width, height) in zip(passed(result)["sar"], BOXES["building"], strict=True):
        assert row["box"] == pytest.approx([x / 4, y / 4, (x + width) / 4, (y + height) / 4], abs=0.01)
    (known,) = [row for row in result.now.read("transfers").to_pylist() if row["tile_id"] == tiles["sar"]["tile_id"]]
    assert (known["dx_px"], known["registration_confidence"]) == (None, 0.0)
    strict = build("tiles.gsd_m={optical: 10, sar: 40}", on_unknown="reject", kinds=["box"])
    assert passed(strict).keys() == {"later"}
    assert reasons(strict)["misregistration_unknown"] == 4
