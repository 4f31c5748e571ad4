"""Raw bands from the files to the stream: what is read is what is trained on, and whoever asks for none gets what he had."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import yaml
from rasterio.windows import Window

import rsflow
from rsflow.config.settings import BuildConfig, resolved
from rsflow.config.validation import check
from rsflow.phases.build import BuildResult, plan_build, run
from rsflow.phases.shard.shard import YOUNGER, config_fingerprint
from rsflow.planning.recipe import label_recipe
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import TILES
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.shards.verify import verify_snapshot
from rsflow.stage import fingerprint
from rsflow.stages.label.encode_tiles import EncodeTiles
from rsflow.stages.shard.sample_record import digest, tile_record
from tests.archive import config_of, optical, shards_of, write_scene

RAW, BOTH = "render.raw_bands=true", ("render.raw_bands=true", "shard.companions=[optical, sar]")


def build(archive: Path, *overrides: str) -> BuildResult:
    return run(config_of(archive, *overrides))


@pytest.fixture
def varied(archive: Path) -> Path:
    """The archive with a source of one file per band, one of them coarser, and a scene that is smaller than a tile."""
    bands = optical(5)
    bands[2, 100:104, 30:50] = 0  # no value in one band alone
    for name, band in zip(("b", "g", "r"), bands, strict=False):
        write_scene(archive / f"split/x_{name}.tif", band[None], 800_000.0)
    with rasterio.open(archive / "split/x_n.tif", "w", **coarse()) as out:
        out.write(bands[3:, ::2, ::2])
    write_scene(archive / "optical/small.tif", optical(6)[:, :40, :100], 900_000.0)
    settings = yaml.safe_load((archive / "build.yaml").read_text())
    settings["tiles"] |= {"small": "pad", "overlap_px": 10}
    scenes = {"files": f"{archive}/split/x_{{band}}.tif", "bands": {"blue": "b", "green": "g", "red": "r", "nir": "n"}}
    base: dict[str, Any] = {"name": "split", "sensor": "optical", "licence": "CC0-1.0", "labellers": [{"name": "scene"}]}
    settings["sources"].append({**base, "scenes": {**scenes, "unit": "reflectance"}})
    (archive / "build.yaml").write_text(yaml.safe_dump(settings))
    return archive


def coarse() -> dict[str, Any]:
    transform = rasterio.transform.from_origin(800_000.0, 5_000_000.0, 20, 20)
    size = {"count": 1, "height": 80, "width": 80, "dtype": "uint16", "nodata": 0}
    return {"driver": "GTiff", "crs": "EPSG:32633", "transform": transform, **size}


def examples(root: Path) -> Iterator[dict[str, Any]]:
    for split in read_snapshot(str(root)).splits:
        yield from rsflow.stream(str(root), split=split)


def valid(example: dict[str, Any]) -> npt.NDArray[np.bool_]:
    """Which pixels hold values, by what the record tells."""
    mask = np.ones(example["height_px"] * example["width_px"], np.bool_)
    runs = example["meta"]["raw"]["invalid"]
    for start, stop in zip(runs[::2], runs[1::2], strict=True):
        mask[start:stop] = False
    return mask.reshape(example["height_px"], example["width_px"])


def read(path: Path, number: int, window: list[int]) -> npt.NDArray[Any]:
    """A band of a file by rasterio alone; what lies beyond the scene is 0."""
    row, col, height, width = window
    with rasterio.open(path) as file:
        pixels: npt.NDArray[Any] = file.read(number, window=Window(col, row, width, height), boundless=True, fill_value=0)
    return pixels


def test_the_stream_gives_what_the_files_hold(varied: Path) -> None:
    build(varied, RAW)
    assert verify_snapshot(str(varied / "lake")).differences == ()
    seen = set()
    for example in examples(varied / "lake"):
        meta, bands = example["meta"], example["bands"].numpy()
        source, _, scene = meta["scene_id"].partition(".")
        numbers = {"blue": 1, "green": 2, "red": 3, "nir": 4, "band1": 1}
        if source == "split":
            files = {name: varied / f"split/x_{name[0]}.tif" for name in ("blue", "green", "red")}
            expected = {name: read(path, 1, meta["window"]) for name, path in files.items()}
        else:
            path = varied / ("optical" if source == "land" else "sar") / f"{scene}.tif"
            expected = {name: read(path, numbers[name], meta["window"]) for name in meta["bands"]}
        for name, band in expected.items():
            assert np.array_equal(bands[meta["bands"].index(name)], band), (meta["tile_id"], name)
        assert bands.shape == (len(meta["bands"]), example["height_px"], example["width_px"])
        assert meta["raw"]["dtype"] == str(bands.dtype) == ("float32" if source == "sea" else "uint16")
        assert meta["raw"]["unit"] == {"land": "dn", "sea": "amplitude", "split": "reflectance"}[source]
        assert meta["raw"]["nodata"] == [0.0] * len(bands)
        told = valid(example)
        assert told.mean() == meta["scores"]["valid_share"]
        assert not told[(np.stack(list(expected.values())) == 0).all(axis=0)].any()
        seen.add((source, scene == "small", bool(told.all())))
    assert {("land", True, False), ("land", False, True), ("sea", False, True)} <= seen
    assert {("split", False, True), ("split", False, False)} & seen


def test_raw_bands_cut_tiles_again_and_nothing_else(archive: Path) -> None:
    first = build(archive)
    plain = shards_of(archive / "lake")
    second = build(archive, RAW)
    assert (second.planned.units, second.planned.instruct_units) == (4, 0)
    assert second.now.marks["instruct"].equals(first.now.marks["instruct"])
    assert pictures_of(archive / "lake") == pictures_of(archive / "lake", 1)
    third = build(archive)
    assert (third.planned.units, third.planned.instruct_units) == (0, 0)
    assert first.sharded
    assert third.sharded
    assert (third.sharded.written, third.sharded.manifest) == (0, first.sharded.manifest)
    assert shards_of(archive / "lake").items() >= plain.items()
    assert build(archive, RAW).planned.units == 0


def test_no_model_looks_again(archive: Path) -> None:
    looker: Any = EncodeTiles("jpg", 92)  # any stage: what a look is called is all that is asked here
    plans = [plan_build(config_of(archive, *more), None) for more in ((), (RAW,))]
    every = [UnitIds(replace(plan, predictors={"land": (looker,), "sea": (looker,)}), plan.marks) for plan in plans]
    looks = [
        [each.id for unit in plan.units for each in units.predictions(unit)] for plan, units in zip(plans, every, strict=True)
    ]
    assert len(looks[0]) == 4
    assert looks[0] == looks[1]
    assert every[0].merges == every[1].merges
    assert not {unit.id for unit in plans[0].units} & {unit.id for unit in plans[1].units}


def pictures_of(root: Path, n: int | None = None) -> dict[str, bytes]:
    manifest = read_snapshot(str(root), n)
    shards = [shard for split in manifest.splits.values() for shard in split.shards]
    return {sample.key: sample.picture for shard in shards for sample in ShardReader(str(root), shard)}


def test_a_shard_is_cut_by_what_raw_bands_take(archive: Path) -> None:
    few = build(archive, "shard.target_mb=0.5").sharded
    many = build(archive, "shard.target_mb=0.5", RAW).sharded
    assert few
    assert many
    sizes = [shard.bytes for split in many.manifest.splits.values() for shard in split.shards]
    assert len(sizes) > sum(len(split.shards) for split in few.manifest.splits.values())
    assert max(sizes) <= 500_000


def test_left_off_they_change_no_fingerprint() -> None:
    """The hashes were taken without them: that they are left off changes neither recipes nor records."""
    sea = {"name": "sea", "sensor": "sar", "licence": "CC-BY-4.0", "scenes": {"files": "sea/*.tif"}}
    base: dict[str, Any] = {"root": "lake", "sources": [sea]}
    off = check(BuildConfig, base, "off")
    assert label_recipe(off, off.sources[0]).fingerprint == "f5acbf278d26e7cb0374786d840a12a7"
    row = {**dict.fromkeys(TILES.names), "key": "k", "tile_id": "land/a/0_0_64", "height_px": 64, "width_px": 64}
    assert digest(tile_record({**row, "bands": ["red"], "footprint": [1.0, 2.0]})) == "519815b514dfa214709362e0039c7eb4"
    plain = {name: value for name, value in resolved(off).items() if name not in {"root", "engine"}}
    for section, name, _ in YOUNGER:
        if name != "appearance":  # whose default is another than what older datasets were made with
            del plain[section][name]
    del plain["groups"], plain["transfer"], plain["zoom"]
    del plain["sources"][0]["scenes"]["stac"], plain["sources"][0]["scenes"]["backscatter"]
    assert config_fingerprint(off) == fingerprint(plain)
    raw, beside = (
        check(BuildConfig, {**base, **more}, "on")
        for more in ({"render": {"raw_bands": True}}, {"shard": {"companions": ["sar"]}})
    )
    assert len({config_fingerprint(built) for built in (off, raw, beside)}) == 3
    recipes = [label_recipe(built, built.sources[0]) for built in (off, raw, beside)]
    assert [made.fingerprint == recipes[0].fingerprint for made in recipes] == [True, False, True]
    assert {made.label_fingerprint for made in recipes} == {recipes[0].fingerprint}


def test_pixels_that_no_loader_takes_reject_their_scene(archive: Path) -> None:
    write_scene(archive / "optical/wide.tif", optical(7).astype(np.uint32), 700_000.0)
    outcome = build(archive, RAW, "max_reject_share=0.5")
    rejects = [row for row in outcome.now.rejects().to_pylist() if row["kind"] == "scene"]
    assert [(row["scene_id"], row["reason"]) for row in rejects] == [("land.wide", "unsupported")]
    assert rejects[0]["detail"].startswith("land.wide/0_0_64: raw bands are uint32, expected uint8")


def test_numpy_and_webdataset_read_the_members(archive: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    build(archive, *BOTH)
    place = next(str(path) for path in sorted((archive / "lake/shards").rglob("*.tar")))
    for sample in webdataset.WebDataset(place, shardshuffle=False):
        assert np.load(io.BytesIO(sample["npy"])).ndim == 3
        assert {"json", "npy"} < set(sample)
