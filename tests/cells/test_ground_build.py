"""A build on the ground grid: tiles of all sensors and dates on one cell, labels, groups, and what a new date redoes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from PIL import Image
from rasterio.transform import Affine, from_origin
from scipy import ndimage

from rsflow.errors import ConfigError
from rsflow.lake.tile_files import read_pictures
from rsflow.phases.build import BuildResult, run
from rsflow.planning.recipe import load
from rsflow.shards.verify import verify_snapshot
from rsflow.tiles.encode import decode

Build = Callable[..., BuildResult]
WEST, NORTH = 640_000.0, 4_993_280.0  # a corner of cells of 1280 m in UTM zone 33


def ground(seed: int = 0) -> Any:
    """The brightness of 320 x 320 pixels of ground, 20 to 230."""
    rng = np.random.default_rng(seed)
    layers = [ndimage.gaussian_filter(rng.normal(size=(320, 320)), sigma) * sigma for sigma in (2, 5, 11)]
    field = sum(np.where(layer > 0.2, layer + 1, layer) for layer in layers)
    return 20 + 210 * (field - field.min()) / np.ptp(field)


def write(path: Path, pixels: Any, transform: Affine | None = None, crs: str = "EPSG:32633") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, height, width = pixels.shape
    shape = {"count": bands, "height": height, "width": width, "dtype": str(pixels.dtype)}
    where = transform or from_origin(WEST, NORTH, 10, 10)
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=where, **shape) as to:
        to.write(pixels)


def optical(seed: int = 0, dx: float = 0.0) -> Any:
    """Three bands of the ground, noise of their own, everything `dx` pixels further east."""
    noise = np.random.default_rng(100 + seed).normal(scale=3, size=(3, 320, 320))
    return np.clip(ndimage.shift(ground(), (0, dx), mode="nearest") + noise, 1, 255).astype("uint8")


def radar(seed: int = 0) -> Any:
    return (ground() * np.random.default_rng(200 + seed).gamma(4, 0.25, (1, 320, 320))).astype("float32") + 1


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two optical dates and a radar one of one place, of 2 x 2 cells of 128 pixels and a strip beyond."""
    write(tmp_path / "optical/a_20200601.tif", optical(1))
    write(tmp_path / "optical/b_20200801.tif", optical(2))
    write(tmp_path / "sar/s_20200603.tif", radar())
    return tmp_path


@pytest.fixture
def build(place: Path) -> Build:
    def make(*overrides: str) -> BuildResult:
        when = "_([0-9]{8})[.]tif"
        same = {"licence": "CC0-1.0", "labellers": [{"name": "scene"}]}
        colour = {"files": str(place / "optical/*.tif"), "acquired_at": when}
        echo = {"files": str(place / "sar/*.tif"), "acquired_at": when, "unit": "amplitude"}
        built = {
            "root": str(place / "lake"),
            "sources": [
                {"name": "optical", "sensor": "optical", "scenes": colour, **same},
                {"name": "sar", "sensor": "sar", "scenes": echo, **same},
            ],
            "tiles": {"grid": "ground", "size_px": 128, "gsd_m": 10},
            "groups": {},
            "engine": {"kind": "inline"},
        }
        (place / "build.yaml").write_text(yaml.safe_dump(built))
        return run(load(str(place / "build.yaml"), overrides))

    return make


def groups_of(result: BuildResult) -> dict[str, dict[str, Any]]:
    return {row["group_id"]: row for row in result.now.groups().to_pylist()}


def digests(root: Path) -> dict[str, str]:
    """Of all shards."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((root / "shards").rglob("*.tar"))}


def test_tiles_of_all_sensors_lie_on_the_same_cells(build: Build, place: Path) -> None:
    result = build()
    cells: dict[str, set[str]] = {}
    for row in result.now.tiles().to_pylist():
        cells.setdefault(row["grid_cell"], set()).add(row["scene_id"])
        assert (row["height_px"], row["width_px"], row["gsd_m"], row["crs"]) == (128, 128, 10.0, "EPSG:32633")
    full = {f"utm33n/1280m/{3900 - down}/{500 + right}" for down in (0, 1) for right in (0, 1)}
    assert {cell for cell, scenes in cells.items() if len(scenes) == 3} >= full
    assert [balance.line() for balance in result.balances if not balance.is_balanced] == []
    assert verify_snapshot(str(place / "lake")).differences == ()


def test_groups_of_dates_and_sensors_hold_their_measured_shifts(build: Build, place: Path) -> None:
    write(place / "optical/b_20200801.tif", optical(2, dx=1.5))
    found = groups_of(build())
    cell = "utm33n/1280m/3900/500"
    dates = found[f"dates:{cell}:optical"]
    assert [member["role"] for member in dates["members"]] == ["date1", "date2"]
    assert dates["members"][0]["registration_confidence"] == 1.0
    assert dates["members"][1]["dx_px"] == pytest.approx(1.5, abs=0.3)
    assert dates["members"][1]["dy_px"] == pytest.approx(0.0, abs=0.3)
    assert dates["presence_only"] is False
    sensors = [row for row in found.values() if row["kind"] == "sensors" and row["place"] == cell]
    assert len(sensors) == 1  # August is too far
    assert {member["sensor"] for member in sensors[0]["members"]} == {"optical", "sar"}  # in an order by hash
    assert abs(sensors[0]["members"][1]["dx_px"]) < 1


@pytest.mark.parametrize(("action", "presence"), [("presence", True), ("keep", False), ("reject", None)])
def test_what_a_large_shift_means_is_a_setting(build: Build, place: Path, action: str, presence: bool | None) -> None:
    write(place / "optical/b_20200801.tif", optical(2, dx=5))
    result = build(f"groups.on_shift={action}")
    dates = [row for row in groups_of(result).values() if row["kind"] == "dates" and row["place"].endswith("3900/500")]
    assert [row["presence_only"] for row in dates] == ([] if presence is None else [presence])
    reasons = {row["reason"] for row in result.now.rejects().to_pylist() if row["kind"] == "group"}
    assert ({"misregistered", "no_partner"} <= reasons) == (presence is None)


def test_a_second_build_does_nothing_and_a_new_date_redoes_its_cells_only(build: Build, place: Path) -> None:
    # Another place, one cell wide, of two dates.
    elsewhere = from_origin(WEST + 12_800, NORTH, 10, 10)
    write(place / "optical/c_20200601.tif", optical(3)[:, :128, :128], elsewhere)
    write(place / "optical/d_20200701.tif", optical(4)[:, :128, :128], elsewhere)
    first = build()
    again = build()
    assert marks(again) == marks(first)
    write(place / "optical/e_20200901.tif", optical(5)[:, :128, :128], elsewhere)
    later = build()
    new = marks(later).keys() - marks(first).keys()
    assert len(new) == 1
    changed = {
        name for name, row in groups_of(later).items() if row["members"] != groups_of(first).get(name, {}).get("members")
    }
    pairs = {f"pair:utm33n/1280m/3900/510:optical:date{one}-date{other}" for one, other in ((1, 2), (2, 3), (1, 3))}
    assert changed == {"dates:utm33n/1280m/3900/510:optical", "shuffled:utm33n/1280m/3900/510:optical", *pairs}
    fresh = build(f"root={place / 'fresh'}")
    assert plain(groups_of(fresh)) == plain(groups_of(later))
    assert digests(place / "fresh") == {
        name: digest for name, digest in digests(place / "lake").items() if name in digests(place / "fresh")
    }


def marks(result: BuildResult) -> dict[str, str]:
    return {row["unit"]: row["receipt"] for row in result.now.all_marks.to_pylist() if row["step"] == "group_cells"}


def plain(groups: dict[str, dict[str, Any]]) -> str:
    rows = [{name: value for name, value in row.items() if name not in ("unit", "receipt")} for row in groups.values()]
    return json.dumps(rows, default=str, sort_keys=True)


@pytest.mark.ray
def test_any_number_of_workers_gives_the_same_bytes(build: Build, place: Path, ray_session: None) -> None:
    inline = build()
    ray = build(f"root={place / 'ray'}", "engine.kind=ray", "engine.workers=2", "tiles.unit_mb=0.2")
    assert plain(groups_of(ray)) == plain(groups_of(inline))
    assert digests(place / "ray") == digests(place / "lake")


def test_a_cell_and_all_its_dates_and_sensors_are_in_one_split(build: Build) -> None:
    result = build("select.splits={train: 0.5, val: 0.5}", "tiles.cell_km=2")
    cells: dict[str, set[str]] = {}
    for row in result.now.tiles().to_pylist():
        cells.setdefault(row["grid_cell"], set()).add(row["cell"])
    assert all(len(found) == 1 for found in cells.values())


def test_scenes_without_a_place_keep_their_own_pixels(build: Build, place: Path) -> None:
    Image.fromarray(optical(7).transpose(1, 2, 0)).save(place / "optical/picture_20200601.png")
    result = build(
        f"sources.0.scenes.files=['{place}/optical/*.tif', '{place}/optical/*.png']",
        "sources.0.scenes.acquired_at=_([0-9]{8})[.]",
    )
    (row,) = [row for row in result.now.tiles().to_pylist() if row["scene_id"].endswith("picture_20200601")]
    assert (row["grid_cell"], row["cell"], row["height_px"], row["width_px"]) == (None, None, 320, 320)


def test_annotations_in_pixels_lie_on_the_same_ground(build: Build, place: Path) -> None:
    """A box around a bright square, in a rotated scene of other pixels: after the warp it is around the square still."""
    for path in (place / "optical").iterdir():
        path.unlink()
    pixels = np.full((3, 300, 300), 60, "uint8") + np.random.default_rng(0).integers(0, 9, (3, 300, 300)).astype("uint8")
    pixels[:, 120:150, 100:160] = 250
    turned = Affine.translation(WEST + 200, NORTH - 900) @ Affine.rotation(20) @ Affine.scale(8, -8)
    write(place / "optical/r_20200601.tif", pixels, turned)
    outline = [100, 120, 160, 120, 160, 150, 100, 150]
    box = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [100, 120, 60, 30],
        "segmentation": [outline],
        "area": 1800,
        "iscrowd": 0,
    }
    coco = {
        "images": [{"id": 1, "file_name": "r_20200601.tif", "height": 300, "width": 300}],
        "categories": [{"id": 1, "name": "building"}],
        "annotations": [box],
    }
    (place / "boxes.json").write_text(json.dumps(coco))
    result = build(
        f"sources.0.annotations={{format: coco, files: {place / 'boxes.json'}}}",
        "screen.min_valid_share=0.1",
        "tiles.size_px=256",
    )
    labels = [row for row in result.now.labels().to_pylist() if row["kind"] == "box"]
    assert labels
    tiles = {row["tile_id"]: row for row in result.now.tiles().to_pylist()}
    for label in labels:
        tile = tiles[label["tile_id"]]
        picture = decode(read_pictures(str(place / "lake"), [tile])[tile["tile_id"]]).max(axis=2)
        rows, cols = np.nonzero(picture > 200)
        x0, y0, x1, y1 = label["box"]
        assert abs(cols.min() - x0) < 2.5
        assert abs(cols.max() + 1 - x1) < 2.5
        assert abs(rows.min() - y0) < 2.5
        assert abs(rows.max() + 1 - y1) < 2.5


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tiles.gsd_m=null", "gsd_m is missing"),
        ("tiles.overlap_px=8", "do not overlap"),
        ("tiles.gsd_m={optical: 10, sar: 7}", "whole number of pixels of 10 m"),
        ("tiles.gsd_m=0", "greater than 0"),
        ("tiles.system=majortom", "smaller than the 10000 m"),
        ("tiles.grid=scene", "gsd_m is a setting of the ground grid"),
        ("groups.max_shift_px=20", "must be smaller than search_px"),
        ("groups.kinds=[]", "at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(build: Build, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(override)


def test_a_sensor_without_a_pixel_size_is_rejected_with_its_reason(build: Build) -> None:
    result = build("tiles.gsd_m={optical: 10}", "max_reject_share=0.5")
    assert {row["reason"] for row in result.now.rejects().to_pylist() if row["source"] == "sar"} == {"no_pixel_size"}


def test_truth_in_ground_coordinates_and_raw_bands_lie_on_the_cells_of_every_zone(build: Build, place: Path) -> None:
    """A bright square across the meridian between two zones, outlined by a vector layer, in a scene in degrees."""
    for path in (place / "optical").iterdir():
        path.unlink()
    pixels = np.random.default_rng(0).integers(40, 60, (3, 300, 400)).astype("uint8")
    pixels[:, 140:170, 185:215] = 250
    write(place / "optical/z_20200601.tif", pixels, from_origin(11.98, 45.0, 0.0001, 0.0001), "EPSG:4326")
    west, north, east, south = 11.9985, 44.986, 12.0015, 44.983
    ring = [[west, north], [east, north], [east, south], [west, south], [west, north]]
    feature = {"type": "Feature", "properties": {"kind": "hall"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (place / "truth.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    rules = "[{where: {kind: hall}, category: hall}]"
    layer = f"{{format: vector, files: {place / 'truth.geojson'}, options: {{rules: {rules}}}}}"
    result = build(
        f"sources.0.annotations={layer}",
        "render.raw_bands=true",
        "render.stretch=none",
        "screen.min_valid_share=0.05",
        "tiles.size_px=64",
    )
    tiles = {row["tile_id"]: row for row in result.now.tiles().to_pylist() if row["source"] == "optical"}
    assert {row["scene_id"].partition("@")[2] for row in tiles.values()} == {"utm32n", "utm33n"}
    boxes = [row for row in result.now.labels().to_pylist() if row["kind"] == "box"]
    assert {tiles[row["tile_id"]]["crs"] for row in boxes} == {"EPSG:32632", "EPSG:32633"}
    for label in boxes:
        tile = tiles[label["tile_id"]]
        assert tile["raw"]["dtype"] == "uint8"
        picture = decode(read_pictures(str(place / "lake"), [tile])[tile["tile_id"]]).max(axis=2)
        rows, cols = np.nonzero(picture > 150)
        x0, y0, x1, y1 = label["box"]
        assert cols.min() + 0.5 >= x0 - 2.5
        assert cols.max() + 0.5 <= x1 + 2.5
        assert rows.min() + 0.5 >= y0 - 2.5
        assert rows.max() + 0.5 <= y1 + 2.5
        assert abs((x1 - x0) - (cols.max() + 1 - cols.min())) < 4
    assert [balance.line() for balance in result.balances if not balance.is_balanced] == []


def test_a_pair_of_sensors_is_told_from_one_of_two_places_as_often(build: Build) -> None:
    result = build("instructions.tasks=[sensors]", "instructions.per_task=50")
    groups = groups_of(result)
    asked = [row for row in result.now.instructions().to_pylist() if json.loads(row["answer"]).get("category") == "same place"]
    values = {row["tile_id"]: json.loads(row["answer"])["value"] for row in asked}
    places = {name: row for name, row in groups.items() if row["kind"] == "places"}
    assert {name for name, value in values.items() if not value} == places.keys()
    assert sum(values.values()) == len(places) > 0
    cells = {row["tile_id"]: row["grid_cell"] for row in result.now.tiles().to_pylist()}
    for row in groups.values():
        if row["kind"] in ("places", "sensors"):
            shown = [cells[member["tile_id"]] for member in row["members"]]
            assert (len({*shown}) == 1) == (row["kind"] == "sensors")
            assert len({member["sensor"] for member in row["members"]}) == 2
    assert [balance.line() for balance in result.balances if not balance.is_balanced] == []
