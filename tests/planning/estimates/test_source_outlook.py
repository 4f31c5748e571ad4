"""`plan` says before a build what the build will see, and what of it will be empty, lost or other than it seems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from PIL import Image
from rasterio.transform import from_origin

from rsflow.cli import main
from rsflow.config.settings import BuildConfig, Scenes, Source
from rsflow.planning.estimates.source_outlook import SourceOutlook, find_warnings

INLINE = "engine.kind=inline"


def write_scene(place: Path, size: int = 256, bands: int = 3, east: float = 0.0, dtype: str = "uint8", **tags: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "height": size, "width": size, "count": bands, "dtype": dtype, "crs": "EPSG:32633"}
    profile["transform"] = from_origin(500000 + east, 5000000, 10, 10)
    with rasterio.open(place, "w", **profile) as file:
        file.write(np.random.default_rng(1).integers(0, 250, (bands, size, size)).astype(dtype))
        file.update_tags(**tags)


def planned(folder: Path, capsys: pytest.CaptureFixture[str], *sources: dict[str, Any], **settings: Any) -> dict[str, Any]:
    config = folder / "build.yaml"
    filled = [{"sensor": "optical", "licence": "CC0-1.0", "labellers": [{"name": "scene"}], **source} for source in sources]
    config.write_text(yaml.safe_dump({"root": "lake", "sources": filled, "tiles": {"size_px": 128}, **settings}))
    capsys.readouterr()
    assert main(["plan", str(config), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_outlook_is_what_the_files_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        write_scene(tmp_path / f"s/a_2024010{number + 1}.tif", 256, 3, 40_000 * number)
    write_scene(tmp_path / "s/b_20240301.tif", 300, 3, 200_000)
    scenes = {"files": "s/*.tif", "acquired_at": r"_(\d{8})\."}
    document = planned(tmp_path, capsys, {"name": "land", "scenes": scenes}, select={"splits": {"train": 0.75, "val": 0.25}})
    (source,) = document["sources"]
    assert (source["scenes"], source["tiles"], source["samples"]) == (4, 3 * 4 + 9, None)
    assert source["sizes"] == {"256 x 256": 3, "300 x 300": 1}
    assert (source["dates"], source["undated"], source["unplaced"]) == (["2024-01-01", "2024-03-01"], 0, 0)
    assert source["gsd_m"] == pytest.approx([10, 10], rel=0.01)
    assert document["warnings"] == []
    assert main(["build", str(tmp_path / "build.yaml"), INLINE]) == 0
    chosen = json.loads((tmp_path / "lake/snapshots/1.json").read_text())["splits"]
    samples = sum(shard["samples"] for split in chosen.values() for shard in split["shards"])
    capsys.readouterr()
    assert main(["plan", str(tmp_path / "build.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"][0]["samples"] == samples
    assert main(["plan", str(tmp_path / "build.yaml")]) == 0
    assert f"source land (optical, CC0-1.0): 4 scenes, 21 tiles, about {samples} samples" in capsys.readouterr().out


def test_differing_bands_and_types_and_missing_dates_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scene(tmp_path / "s/a_20240101.tif", bands=3)
    write_scene(tmp_path / "s/b_20240102.tif", bands=4, east=200_000)
    write_scene(tmp_path / "s/c.tif", bands=3, east=400_000, dtype="uint16")
    scenes = {"files": "s/*.tif", "acquired_at": r"_(\d{8})\."}
    warnings = planned(tmp_path, capsys, {"name": "land", "scenes": scenes}, select={"splits": {"train": 1.0}})["warnings"]
    assert any("differ in bands" in each and each.startswith("land: ") for each in warnings)
    assert any("differ in pixel types: uint8 (2 scenes); uint16 (1 scenes)" in each for each in warnings)
    assert any("1 of 3 scenes have no date" in each for each in warnings)


@pytest.mark.parametrize("day", ["19190101", "29990101"])
def test_a_date_that_cannot_be_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str) -> None:
    write_scene(tmp_path / f"s/a_{day}.tif")
    scenes = {"files": "s/*.tif", "acquired_at": r"_(\d{8})\."}
    warnings = planned(tmp_path, capsys, {"name": "land", "scenes": scenes}, select={"splits": {"train": 1.0}})["warnings"]
    assert [each for each in warnings if f"dated {day[:4]}-01-01" in each]


def test_sources_that_come_out_empty_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scene(tmp_path / "s/a.tif")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/b.tif").write_bytes(b"no picture")
    sources = (
        {"name": "silent", "scenes": {"files": "s/*.tif"}, "labellers": []},
        {"name": "broken", "scenes": {"files": "broken/*.tif"}},
        {"name": "closed", "scenes": {"files": "s/*.tif"}, "licence": "unknown"},
    )
    warnings = planned(tmp_path, capsys, *sources, select={"splits": {"train": 1.0}}, max_reject_share=1.0)["warnings"]
    assert [each for each in warnings if each.startswith("silent: comes out empty: it has neither annotations nor labellers")]
    assert [each for each in warnings if each.startswith("broken: comes out empty: none of its 1 scenes")]
    assert [each for each in warnings if each.startswith("closed: no sample may be used")]


def test_captions_of_pictures_that_are_cut_are_warned_of_and_the_advice_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p").mkdir()
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (300, 400, 3), dtype=np.uint8)).save(tmp_path / "p/a.png")
    sentences = [{"raw": "A harbour with two ships."}]
    captions = {"images": [{"filename": "a.png", "split": "train", "sentences": sentences}]}
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    source = {"name": "told", "scenes": {"files": "p/*.png"}, "annotations": {"format": "captions", "files": "captions.json"}}
    small = {"size_px": 128, "whole_up_to_px": 128}
    document = planned(tmp_path, capsys, source, tiles=small, select={"splits": {"train": 1.0}})
    assert document["sources"][0]["lost"] == {"picture_is_cut": 1}
    (warning,) = [each for each in document["warnings"] if "1 captions, classes or questions" in each]
    assert "tiles.whole_up_to_px=400" in warning
    document = planned(tmp_path, capsys, source, tiles={**small, "whole_up_to_px": 400}, select={"splits": {"train": 1.0}})
    assert (document["warnings"], document["sources"][0]["lost"], document["sources"][0]["labels"]) == ([], {}, 1)


def test_splits_that_cannot_be_met_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scene(tmp_path / "s/a.tif", 512)
    source = {"name": "land", "scenes": {"files": "s/*.tif"}}
    splits = {"splits": {"train": 0.9, "val": 0.1}}
    wide = planned(tmp_path, capsys, source, tiles={"size_px": 128, "cell_km": 100.0}, select=splits)["warnings"]
    assert [each for each in wide if "splits train, val cannot be met" in each and "cell_km" in each]
    narrow = planned(tmp_path, capsys, source, tiles={"size_px": 128, "cell_km": 0.5}, select=splits)["warnings"]
    assert not [each for each in narrow if "split" in each]
    few = {"splits": {"train": 0.98, "val": 0.02}}
    some = planned(tmp_path, capsys, source, tiles={"size_px": 128, "cell_km": 2.0}, select=few)["warnings"]
    assert [each for each in some if each.startswith("split val is to have 2.0%")]


def test_a_build_says_it_too_before_it_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scene(tmp_path / "s/a.tif", 512)
    planned(tmp_path, capsys, {"name": "land", "scenes": {"files": "s/*.tif"}}, tiles={"size_px": 128, "cell_km": 100.0})
    assert main(["build", str(tmp_path / "build.yaml"), INLINE]) == 0
    errors = capsys.readouterr().err
    assert 0 <= errors.index("rsflow: warning: splits train, val, test cannot be met") < errors.index("label: ")


@pytest.mark.parametrize(("apart_m", "shares", "warning"), [
    (0, {"train": 0.5, "val": 0.5}, "splits train, val cannot be met: tiles form about 1 groups"),
    (400_000, {"train": 0.9, "val": 0.1}, "split val is to have 10.0%, but tiles form about 4 groups"),
    (400_000, {"train": 0.75, "val": 0.25}, None),
])  # fmt: skip
def test_too_few_groups_for_the_splits_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], apart_m: float, shares: dict[str, float], warning: str | None
) -> None:
    for number in range(4):
        write_scene(tmp_path / f"s/{number}.tif", 128, 3, apart_m * number)
    settings = {"select": {"splits": shares}, "tiles": {"size_px": 128, "cell_km": 300}}
    warnings = planned(tmp_path, capsys, {"name": "land", "scenes": {"files": "s/*.tif"}}, **settings)["warnings"]
    found = [each for each in warnings if "groups" in each]
    assert len(found) == (warning is not None)
    assert warning is None or found[0].startswith(warning)


def test_a_product_that_lacks_bands_is_told_unless_bands_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "S2B_MSIL2A_X.SAFE"
    for band in ("B02", "B03", "B08"):
        write_scene(folder / f"GRANULE/L2A_X/IMG_DATA/R10m/T_X_{band}_10m.tif", bands=1, dtype="uint16")
    (folder / "MTD_MSIL2A.xml").write_text(
        "<P><PRODUCT_START_TIME>2022-04-13T15:07:59Z</PRODUCT_START_TIME>"
        "<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE></P>"
    )
    scenes = {"files": "*.SAFE", "product": "sentinel2_l2a"}
    (warning,) = [one for one in planned(tmp_path, capsys, {"name": "s2", "scenes": scenes})["warnings"] if " lack" in one]
    assert warning.startswith("s2: 1 product lacks the bands coastal, nir08, nir09, red, rededge071")
    named = {**scenes, "bands": {"green": "B03", "nir": "B08"}}
    assert not [one for one in planned(tmp_path, capsys, {"name": "s2", "scenes": named})["warnings"] if " lack" in one]


def test_products_that_lack_bands_are_told_though_most_are_whole() -> None:
    """Variants of whole products, which have further bands or not, do not crowd them out."""
    bands = {"blue, green, red": 90, "green, red, swir16": 70, "green, nir08, red": 60, "blue, green": 8, "red": 1, "green": 1}
    source = Source(name="l8", sensor="optical", licence="CC0-1.0", scenes=Scenes("*.xml", product="landsat_c2"))
    build = BuildConfig("lake", (source,))
    numbers = {"scenes": 230, "tiles": 230, "samples": None, "undated": 0, "unplaced": 0, "pictures": 0, "labels": 0}
    counts: dict[str, dict[str, int]] = {name: {} for name in ("sizes", "dtypes", "units", "calibration", "rejected", "lost")}
    outlook = SourceOutlook("l8", "optical", "CC0-1.0", bands=bands, gsd_m=None, dates=None, **numbers, **counts)
    found = [one for one in find_warnings(build, [outlook]) if " lack" in one]
    assert [one.partition(":")[2].partition(":")[0] for one in found] == [
        " 9 products lack the bands red",
        " 1 product lacks the bands green",
    ]
