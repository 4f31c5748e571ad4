"""Class rasters and continuous rasters on grids of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.warp import calculate_default_transform, reproject

from rsflow.config.annotation_settings import Annotations
from rsflow.config.settings import Instructions, Labels
from rsflow.errors import ConfigError
from rsflow.ground.categories.legends import LEGENDS
from rsflow.instructions import compose
from rsflow.instructions.facts import fields
from rsflow.phases.build import run
from rsflow.planning.plan import make_plan
from rsflow.planning.sources.raster_layers import check_is_below
from rsflow.records import Label, Provenance, Shape, TileFacts
from tests.ground.conftest import EAST, NORTH, PIXEL, GroundBuild, settings

LEGEND = {"0": None, "1": "forest", "2": "water", "3": ""}


def write_raster(
    path: Path, values: Any, pixel: float = PIXEL, crs: str | None = "EPSG:32633", nodata: float | None = None, **more: Any
) -> Path:
    """A raster whose upper left corner is that of the usual scene."""
    found = np.asarray(values)
    profile = {"driver": "GTiff", "count": 1, "height": found.shape[0], "width": found.shape[1], "dtype": found.dtype}
    place = {"crs": crs, "transform": rasterio.Affine(pixel, 0, EAST, 0, -pixel, NORTH), "nodata": nodata}
    with rasterio.open(path, "w", **profile, **place, **more) as out:
        out.write(found, 1)
    return path


def cover(build: GroundBuild, file: Path, legend: Any = LEGEND, **more: Any) -> list[dict[str, Any]]:
    entry = {"format": "cover", "files": str(file), "options": {"legend": legend, **more.pop("options", {})}, **more}
    run(settings(build.folder, f"{build.folder}/scenes/*.tif", entry), ["label"])
    return build.rows("labels")


def shares(rows: list[dict[str, Any]], tile: str = "scenes.a/0_0_64") -> dict[str, float]:
    return {r["category"]: round(r["value"], 9) for r in rows if r["tile_id"] == tile and r["kind"] == "cover"}


@pytest.mark.parametrize("pixel", [10.0, 5.0, 2.5, 20.0, 40.0])
def test_shares_are_exact_on_grids_that_divide_each_other(build: GroundBuild, tmp_path: Path, pixel: float) -> None:
    values = np.random.default_rng(1).integers(0, 4, (int(1280 / pixel),) * 2).astype(np.uint8)
    found = shares(cover(build, write_raster(tmp_path / "cover.tif", values, pixel)))
    mine = values[: int(640 / pixel), : int(640 / pixel)]
    expected = {"forest": (mine == 1).mean(), "water": (mine == 2).mean(), "unknown": (mine == 0).mean()}
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("pixel", "least", "expected"), [(160.0, 16.0, True), (320.0, 16.0, False), (320.0, 4.0, True)])
def test_a_tile_as_large_as_few_pixels_of_a_raster_says_nothing_of_it(
    build: GroundBuild, tmp_path: Path, pixel: float, least: float, expected: bool
) -> None:
    values = np.ones((int(1280 / pixel),) * 2, np.uint8)
    rows = cover(build, write_raster(tmp_path / "cover.tif", values, pixel), options={"min_raster_px": least})
    assert bool(rows) is expected


def test_regions_have_the_outline_of_their_pixels(build: GroundBuild, tmp_path: Path) -> None:
    values = np.ones((128, 128), np.uint8)
    values[10:20, 30:50] = 2
    values[12:14, 32:34] = 1
    values[40:43, 5:9] = 2
    rows = cover(build, write_raster(tmp_path / "cover.tif", values), options={"objects": ["water"], "min_px": 12})
    mine = [row for row in rows if row["tile_id"] == "scenes.a/0_0_64" and row["category"] == "water"]
    (share,) = [row for row in mine if row["kind"] == "cover"]
    assert share["box"] == [30, 10, 50, 20]
    assert [len(part) for part in share["parts"]] == [2]
    assert sorted(row["box"] for row in mine if row["kind"] == "box") == [[5, 40, 9, 43], [30, 10, 50, 20]]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3035", "EPSG:3857"])
def test_a_raster_may_be_in_another_projection(build: GroundBuild, tmp_path: Path, crs: str) -> None:
    """A fine class raster warped to another projection keeps its shares, to within pixels at the edges."""
    values = np.ones((640, 640), np.uint8)
    values[100:300, 50:250] = 2
    plain = write_raster(tmp_path / "plain.tif", values, 2.0)
    with rasterio.open(plain) as source:
        transform, width, height = calculate_default_transform(source.crs, crs, 640, 640, *source.bounds)
        warped = np.zeros((height, width), np.uint8)
        reproject(rasterio.band(source, 1), warped, dst_transform=transform, dst_crs=crs)
    profile = {"driver": "GTiff", "count": 1, "height": height, "width": width, "dtype": "uint8", "nodata": 0}
    with rasterio.open(tmp_path / "warped.tif", "w", crs=crs, transform=transform, **profile) as out:
        out.write(warped, 1)
    found = shares(cover(build, tmp_path / "warped.tif"))
    expected = (values[:320, :320] == 2).mean()
    assert found["water"] == pytest.approx(expected, abs=0.01)
    assert found["forest"] == pytest.approx(1 - expected, abs=0.02)


def test_several_files_are_one_layer_and_what_none_holds_is_unknown(build: GroundBuild, tmp_path: Path) -> None:
    write_raster(tmp_path / "cover_a.tif", np.ones((128, 32), np.uint8))
    other = np.full((128, 16), 2, np.uint8)
    profile = {"driver": "GTiff", "count": 1, "height": 128, "width": 16, "dtype": "uint8", "crs": "EPSG:32633"}
    at = rasterio.Affine(PIXEL, 0, EAST + 320, 0, -PIXEL, NORTH)
    with rasterio.open(tmp_path / "cover_b.tif", "w", transform=at, **profile) as out:
        out.write(other, 1)
    rows = cover(build, tmp_path / "cover_*.tif", exhaustive=True)
    assert shares(rows) == {"forest": 0.5, "water": 0.25, "unknown": 0.25}


def test_absent_classes_of_a_wholly_mapped_tile_have_no_share(build: GroundBuild, tmp_path: Path) -> None:
    values = np.ones((128, 128), np.uint8)
    values[100, 100] = 0
    rows = cover(build, write_raster(tmp_path / "cover.tif", values), exhaustive=True)
    assert shares(rows) == {"forest": 1.0, "water": 0.0}
    assert "water" not in shares(rows, "scenes.a/64_64_64")


def test_values_that_the_legend_lacks_are_told_before_any_tile_is_cut(build: GroundBuild, tmp_path: Path) -> None:
    values = np.ones((128, 128), np.uint8)
    values[:2, :5], values[5, 5] = 7, 9
    file = write_raster(tmp_path / "cover.tif", values)
    entry = {"format": "cover", "files": str(file), "options": {"legend": LEGEND}}
    with pytest.raises(ConfigError, match=r"cover.tif holds 7 \(10 pixels\), 9 \(1 pixels\) on the ground") as error:
        make_plan(settings(build.folder, f"{build.folder}/scenes/*.tif", entry), None)
    assert "options.legend" in str(error.value)


def refusal(build: GroundBuild, file: Path, options: dict[str, Any], kind: str = "cover") -> str:
    entry = {"format": kind, "files": str(file), "options": options}
    with pytest.raises(ConfigError) as error:
        make_plan(settings(build.folder, f"{build.folder}/scenes/*.tif", entry), None)
    return str(error.value)


def test_bad_rasters(build: GroundBuild, tmp_path: Path) -> None:
    values = np.ones((128, 128), np.uint8)
    bare = write_raster(tmp_path / "bare.tif", values, crs=None)
    assert "names no coordinate reference system" in refusal(build, bare, {"legend": LEGEND})
    far = tmp_path / "far.tif"
    profile = {"driver": "GTiff", "count": 1, "height": 9, "width": 9, "dtype": "uint8", "crs": "EPSG:32633"}
    with rasterio.open(far, "w", transform=rasterio.Affine(10, 0, 700_000, 0, -10, 5_100_000), **profile) as out:
        out.write(values[:9, :9], 1)
    text = refusal(build, far, {"legend": LEGEND})
    assert "(700000, 5099910, 700090, 5100000)" in text
    assert "(500000, 4998720, 501280, 5000000)" in text
    good = write_raster(tmp_path / "good.tif", values)
    assert "shipped legends: worldcover" in refusal(build, good, {"legend": "world"})
    assert "has 1 bands" in refusal(build, good, {"legend": LEGEND, "band": 2})
    assert "no category of the legend" in refusal(build, good, {"legend": LEGEND, "objects": ["ship"]})
    assert "keys are values" in refusal(build, good, {"legend": {"a": "forest"}})
    (tmp_path / "broken.tif").write_bytes(good.read_bytes()[:300])
    assert "broken.tif" in refusal(build, tmp_path / "broken.tif", {"legend": LEGEND})
    assert "unit" in refusal(build, good, {"quantity": "elevation"}, "field")


def test_a_field_gives_mean_and_extremes_with_unit_and_place(build: GroundBuild, tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(300, 20, (128, 128)).astype(np.float32)
    values[7, 9], values[50, 60], values[100, 100] = 900, 10, -9999
    file = write_raster(tmp_path / "height.tif", values, nodata=-9999.0)
    entry = {"format": "field", "files": str(file), "options": {"quantity": "elevation", "unit": "m"}}
    run(settings(build.folder, f"{build.folder}/scenes/*.tif", entry), ["label"])
    rows = {row["category"]: row for row in build.rows("labels") if row["tile_id"] == "scenes.a/0_0_64"}
    assert rows["mean elevation"]["value"] == pytest.approx(float(values[:64, :64].mean()), rel=1e-6)
    assert (rows["highest elevation"]["value"], rows["highest elevation"]["box"]) == (900, [9, 7, 10, 8])
    assert (rows["lowest elevation"]["value"], rows["lowest elevation"]["box"]) == (10, [60, 50, 61, 51])
    assert {row["text"] for row in rows.values()} == {"m"}


def test_scale_and_offset_of_a_field_are_applied(build: GroundBuild, tmp_path: Path) -> None:
    file = write_raster(tmp_path / "height.tif", np.full((128, 128), 100, np.int16))
    with rasterio.open(file, "r+") as source:
        source.scales, source.offsets = (0.5,), (20.0,)
    entry = {"format": "field", "files": str(file), "options": {"quantity": "elevation", "unit": "m"}}
    run(settings(build.folder, f"{build.folder}/scenes/*.tif", entry), ["label"])
    assert {row["value"] for row in build.rows("labels")} == {70.0}


def test_a_changed_raster_labels_again_only_the_scenes_of_that_ground(build: GroundBuild, tmp_path: Path) -> None:
    values = np.ones((128, 400), np.uint8)
    file = write_raster(tmp_path / "cover.tif", values)
    from tests.ground.conftest import write_scene

    write_scene(tmp_path / "scenes/b.tif", transform=(PIXEL, 0, EAST + 2000, 0, -PIXEL, NORTH))
    entry = {"format": "cover", "files": str(file), "options": {"legend": LEGEND}}
    config = settings(build.folder, f"{build.folder}/scenes/*.tif", entry)

    def units() -> dict[str, str]:
        return {unit.scene_id: unit.id for unit in make_plan(config, None).units}

    before = units()
    values[:, 300:] = 2
    write_raster(file, values)
    after = units()
    assert after["scenes.a"] == before["scenes.a"]
    assert after["scenes.b"] != before["scenes.b"]


@pytest.mark.parametrize("name", LEGENDS)
def test_shipped_legends_name_each_value_once(name: str) -> None:
    legend = LEGENDS[name]
    named = [category for category in legend.values() if category]
    assert len(named) >= 8
    assert None in legend.values() or name == "esri"
    assert all(category == category.strip() for category in named)


def test_questions_about_a_field_have_numbers_with_their_interval_and_clear_places() -> None:
    facts = TileFacts("t", "sar", 100, 100, 10.0, field_labels(711.58, (50.0, 50.0), 820.0, (83.0, 10.0), 664.0))
    found = {qa.kind: qa for qa in fields.question_answers(facts)}
    mean = found["field_mean"]
    assert mean.short_answer == "about 710 m"
    assert mean.answer["least"] <= 711.58 < mean.answer["most"]
    assert (mean.answer["least"], mean.answer["most"], mean.answer["unit"]) == (705.0, 715.0, "m")
    assert found["field_highest"].short_answer == "centre"
    assert found["field_lowest"].full_answer == "The elevation is lowest in the upper right of the image."
    flat = TileFacts("t", "sar", 100, 100, 10.0, field_labels(700.0, (50.0, 50.0), 701.0, (83.0, 10.0), 699.0))
    assert [qa.kind for qa in fields.question_answers(flat)] == ["field_mean"], "hardly a difference"
    border = TileFacts("t", "sar", 100, 100, 10.0, field_labels(711.58, (33.0, 60.0), 820.0, (83.0, 10.0), 664.0))
    assert "field_highest" not in {qa.kind for qa in fields.question_answers(border)}, "on the border of two parts"


def field_labels(mean: float, top: tuple[float, float], most: float, bottom: tuple[float, float], least: float) -> Any:
    source = Provenance("annotation", "field", "dem.tif")

    def at(place: tuple[float, float]) -> Shape:
        return Shape((place[0], place[1], place[0] + 1, place[1] + 1))

    return (
        Label("fact", "mean elevation", source, text="m", value=mean),
        Label("fact", "lowest elevation", source, at(bottom), "m", least),
        Label("fact", "highest elevation", source, at(top), "m", most),
    )


def test_every_task_takes_the_facts_of_a_field() -> None:
    facts = TileFacts("t", "sar", 100, 100, 10.0, field_labels(711.58, (50.0, 50.0), 820.0, (83.0, 10.0), 664.0))
    made, rejects = compose(facts, Instructions(per_task=20), 3, Labels())
    assert not rejects
    assert {item.task for item in made} >= {"vqa"}
    assert sum("elevation" in turn.text for item in made for turn in item.turns) >= 3


def test_a_virtual_raster_names_no_file_outside_of_its_folder_unless_it_is_meant(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    write_raster(tmp_path / "secret.tif", np.ones((8, 8), np.uint8), 10.0)
    source = f'<SourceFilename relativeToVRT="0">{tmp_path}/secret.tif</SourceFilename>'
    band = f'<VRTRasterBand dataType="Byte" band="1"><SimpleSource>{source}</SimpleSource></VRTRasterBand>'
    file = tmp_path / "set/cover.tif"  # known by its content
    file.write_text(f'<VRTDataset rasterXSize="8" rasterYSize="8">{band}</VRTDataset>')
    entry = Annotations("cover", str(file), options={"legend": {1: "water"}})
    with pytest.raises(ConfigError, match="not below"):
        check_is_below(str(file), entry, "here")
    check_is_below(str(file), replace(entry, allow_outside=True), "here")


def test_a_raster_without_a_value_on_the_ground_is_a_counted_reject(build: GroundBuild, tmp_path: Path) -> None:
    raster = write_raster(tmp_path / "empty.tif", np.full((128, 128), np.nan, np.float32))
    entry = {"format": "field", "files": str(raster), "options": {"quantity": "elevation", "unit": "m"}}
    plan = make_plan(settings(tmp_path, str(build.scene), entry), None)
    (reject,) = plan.ground.rejects["scenes"]
    assert (reject.reason, reject.file) == ("layer_without_value", str(raster))


def test_a_unit_that_the_file_states_otherwise_is_told(build: GroundBuild, tmp_path: Path) -> None:
    raster = write_raster(tmp_path / "feet.tif", np.full((128, 128), 300, np.float32))
    with rasterio.open(raster, "r+") as file:
        file.units = ("ft",)
    entry = {"format": "field", "files": str(raster), "options": {"quantity": "elevation", "unit": "m"}}
    (note,) = make_plan(settings(tmp_path, str(build.scene), entry), None).ground.notes
    assert note.endswith("its files say 'ft', options.unit 'm' is taken")


def test_fractions_are_no_classes(build: GroundBuild, tmp_path: Path) -> None:
    values = np.full((128, 128), 10, np.float32)
    values[:4] = 10.5
    raster = write_raster(tmp_path / "fractions.tif", values)
    entry = {"format": "cover", "files": str(raster), "options": {"legend": {"10": "forest"}}}
    with pytest.raises(ConfigError, match=r"fractions.tif holds 10.5 \(\d+ pixels\) on the ground of the scenes"):
        make_plan(settings(tmp_path, str(build.scene), entry), None)
