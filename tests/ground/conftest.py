"""Scenes at known places, layers of known squares, and the labels that a stage or a build makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from pyproj import Transformer

from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.lake.tables import open_lake
from rsflow.phases.build import BuildResult, run
from rsflow.planning.plan import Plan, make_plan
from rsflow.shards.reader import ShardReader

SIZE = 128
PIXEL = 10.0
EAST, NORTH = 500_000.0, 5_000_000.0  # upper left corner of the usual scene, in UTM 33N


def write_scene(
    path: Path,
    crs: str | None = "EPSG:32633",
    transform: Sequence[float] = (PIXEL, 0, EAST, 0, -PIXEL, NORTH),
    size: int = SIZE,
) -> Path:
    """A textured picture of three bands, so that the screen keeps it. `transform`: a, b, c, d, e, f."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(20, 235, (3, size, size), dtype=np.uint8)
    profile = {"driver": "GTiff", "count": 3, "height": size, "width": size, "dtype": "uint8", "photometric": "RGB"}
    with rasterio.open(path, "w", crs=crs, transform=rasterio.Affine(*transform), **profile) as out:
        out.write(pixels)
    return path


def square(col: float, row: float, width: float, height: float | None = None) -> shapely.Polygon:
    """A rectangle of the usual scene's pixels, in its coordinates."""
    height = width if height is None else height
    return shapely.box(EAST + PIXEL * col, NORTH - PIXEL * (row + height), EAST + PIXEL * (col + width), NORTH - PIXEL * row)


def write_layer(
    path: Path,
    geometries: Sequence[Any],
    fields: dict[str, Sequence[Any]] | None = None,
    crs: str | None = "EPSG:32633",
    file_crs: str | None = None,
    **options: Any,
) -> Path:
    """Geometries in `crs` as a file of the format that its suffix says, in `file_crs` where that is another."""
    found = np.array(list(geometries), dtype=object)
    if file_crs and crs:
        mapping = Transformer.from_crs(crs, file_crs, always_xy=True)
        found = shapely.transform(shapely.segmentize(found, 50.0), lambda x, y: mapping.transform(x, y), interleaved=False)
    values = {name: np.array(list(column), dtype=object) for name, column in (fields or {}).items()}
    types = {str(kind) for kind in shapely.get_type_id(found)}
    pyogrio.raw.write(
        path,
        shapely.to_wkb(found),
        list(values.values()),
        list(values),
        crs=file_crs or crs,
        geometry_type=found[0].geom_type if len(types) == 1 else "Unknown",
        **options,
    )
    return path


def settings(folder: Path, pattern: str, annotations: Any, **more: Any) -> BuildConfig:
    source = {"name": "scenes", "sensor": "optical", "licence": "CC-BY-4.0", "annotations": annotations}
    plain = {
        "root": str(folder / "lake"),
        "sources": [{**source, "scenes": {"files": pattern, **more.pop("scenes", {})}}],
        "tiles": {"size_px": 64},
        "screen": {"min_contrast": 0.0, "min_sharpness": 0.0, "min_valid_share": 0.0, "max_cloud_share": 1.0},
        "engine": {"kind": "inline"},
        **more,
    }
    return check(BuildConfig, json.loads(json.dumps(plain)), "test")


class GroundBuild:
    """Builds of one folder: what they plan, and the rows that they leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scene = write_scene(folder / "scenes/a.tif")

    def config(self, files: Any, options: dict[str, Any], **more: Any) -> BuildConfig:
        entry = {"format": "vector", "files": str(files), "options": options, **more.pop("entry", {})}
        return settings(self.folder, more.pop("files", f"{self.folder}/scenes/*.tif"), entry, **more)

    def plan(self, files: Any, options: dict[str, Any], **more: Any) -> Plan:
        return make_plan(self.config(files, options, **more), None)

    def labels(self, files: Any, options: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        """LABELS rows of a build, by tile and place in it."""
        run(self.config(files, options, **more), ["label"])
        return self.rows("labels")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Live rows of a table: those of the last run that committed them."""
        found = open_lake(str(self.folder / "lake")).read(table).to_pylist()
        key = {"labels": "label_id", "tiles": "tile_id", "instructions": "instruction_id"}.get(table)
        return sorted(found, key=lambda row: str(row[key])) if key else found


@pytest.fixture
def build(tmp_path: Path) -> GroundBuild:
    return GroundBuild(tmp_path)


def assert_same_boxes(found: Sequence[Sequence[float]], expected: Sequence[Sequence[float]], within: float = 1e-4) -> None:
    order = [sorted(map(tuple, boxes)) for boxes in (found, expected)]
    assert len(order[0]) == len(order[1])
    np.testing.assert_allclose(np.array(order[0]), np.array(order[1]), atol=within)


def sample_records(outcome: BuildResult) -> list[dict[str, Any]]:
    """The records of all samples of a build's snapshot."""
    assert outcome.sharded
    splits = outcome.sharded.manifest.splits.values()
    return [sample.record for split in splits for shard in split.shards for sample in ShardReader(outcome.lake.root, shard)]
