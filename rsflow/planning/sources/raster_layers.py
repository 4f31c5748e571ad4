"""A class raster or continuous raster compared with the scenes of its source.

The values on each scene's ground are read once: for the digest that changes with that ground, and to refuse values
that the legend lacks. The result is kept beside the copies of vector layers, by the files' sizes and times.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from rsflow.calibration import missing_values
from rsflow.config.annotation_settings import Annotations
from rsflow.config.settings import Source
from rsflow.config.validation import check
from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.files.faults import mask_secrets
from rsflow.ground.files.raster_files import RasterFile, describe_raster, files_around, read_band_tags, values_around
from rsflow.ground.layer_store import FOLDER, find_files
from rsflow.ground.raster_layer import RasterLayer
from rsflow.ground.raster_settings import CoverOptions, FieldOptions, legend_of
from rsflow.ground.scene_grid import SceneGrid, project_box
from rsflow.lake.json_files import read_cached_json, write_cached_json
from rsflow.planning.sources.layer_overlap import LayerPlan, check_overlap, layer_name, scene_bounds
from rsflow.readers.listing.mosaic_sources import check_sources
from rsflow.records import Reject
from rsflow.stage import fingerprint

SHOWN = 8  # values that a message names
MOST_FRACTIONS = 100  # different values that are counted in a strip of fractions, which are no classes
VERSION = 2  # raised when what is kept of a scene's ground changes


def plan_raster_layer(source: Source, entry: Annotations, rows: Sequence[dict[str, Any]], root: str, where: str) -> LayerPlan:
    """What the scenes of `rows` (SCENES rows with a map projection) take from a raster. `root`: where findings are kept.

    ConfigError for a file that is no raster with a place, overlaps no scene or holds values that the legend lacks.
    """
    options = check_raster_options(entry, where)
    found = find_files((entry.files,) if isinstance(entry.files, str) else entry.files, where)
    for file in found:
        check_is_below(file, entry, where)
    files = [describe_raster(file, options.band, options.crs, where) for file in found]
    _check_overlaps(files, rows, where, entry)
    layer, counts = _layer(entry, options), Counter[float]()
    of_scene: dict[str, RasterLayer] = {}
    rejects = []
    for row in rows:
        grid = SceneGrid(row["crs"], tuple(row["transform"]))
        near = files_around(files, grid, (0.0, 0.0, float(row["width_px"]), float(row["height_px"])))
        if not near:
            detail = f"{layer_name(entry)} does not reach it"
            rejects.append(Reject("annotation", row["scene_id"], "layer_elsewhere", detail, files[0].path))
            continue
        found_values = _values_on(near, options, grid, row, root)
        counts.update(found_values.counts)
        if not found_values.known:
            detail = f"{layer_name(entry)} has no value on its ground: all of it is fill or not a number"
            rejects.append(Reject("annotation", row["scene_id"], "layer_without_value", detail, near[0].path))
        of_scene[row["scene_id"]] = replace(layer, digest=found_values.digest, files=tuple(near))
    if isinstance(options, CoverOptions):
        _check_legend(counts, dict(legend_of(options, where)), where, entry)
    note = f"raster {layer_name(entry)} of {source.name}: on the ground of {len(of_scene)} scenes"
    return LayerPlan(of_scene, rejects, f"{note}{_unit_note(files, options)}")


def _unit_note(files: Sequence[RasterFile], options: CoverOptions | FieldOptions) -> str:
    """What to know where the files state another unit than the settings, which beat them."""
    if isinstance(options, CoverOptions):
        return ""
    stated = sorted({unit for file in files if (unit := read_band_tags(file, options.band)[1])} - {options.unit})
    return f"; its files say {', '.join(map(repr, stated))}, options.unit {options.unit!r} is taken" if stated else ""


def check_is_below(file: str, entry: Annotations, where: str) -> None:
    """ConfigError where the file is a virtual raster that names files outside of its folder."""
    try:
        check_sources(file, allow_outside=entry.allow_outside)
    except DataError as error:
        raise ConfigError(f"{where}: {error.detail}") from error


def check_raster_options(entry: Annotations, where: str) -> CoverOptions | FieldOptions:
    """The options of a raster layer, checked. ConfigError with their path."""
    if entry.format == "field":
        return check(FieldOptions, entry.options, f"{where}.options")
    options = check(CoverOptions, entry.options, f"{where}.options")
    named = {name for _, name in legend_of(options, where) if name}
    if unknown := [name for name in options.objects if name not in named]:
        raise ConfigError(f"{where}.options.objects: {unknown[0]!r} is no category of the legend ({', '.join(sorted(named))})")
    return options


def _layer(entry: Annotations, options: CoverOptions | FieldOptions) -> RasterLayer:
    """What the layer is for every scene, but for its digest and files."""
    same = RasterLayer(
        "field",
        layer_name(entry),
        "",
        options.band,
        min_raster_px=options.min_raster_px,
        licence=entry.licence,
        attribution=entry.attribution,
    )
    if isinstance(options, FieldOptions):
        return replace(same, quantity=options.quantity, unit=options.unit, nodata=options.nodata)
    legend = tuple((value, entry.categories.get(name, name) if name else name) for value, name in legend_of(options, ""))
    complete = entry.complete_categories(sorted({name for _, name in legend if name}))
    return replace(same, kind="cover", legend=legend, objects=options.objects, min_px=options.min_px, complete=tuple(complete))


def _check_overlaps(files: Sequence[RasterFile], rows: Sequence[dict[str, Any]], where: str, entry: Annotations) -> None:
    boxes = [{row["scene_id"]: project_box(file.crs, scene_bounds(row), row["crs"]) for row in rows} for file in files]
    faults = []
    for file, of_scene in zip(files, boxes, strict=True):
        try:
            check_overlap(file.bounds, file.crs, of_scene, where, entry)
        except ConfigError as error:
            faults.append(error)
    if len(faults) == len(files):
        raise faults[0]


class _GroundValues(NamedTuple):
    """Of the rasters' own pixels on a scene's ground: a digest, the pixels by value (of classes) and how many have a value."""

    digest: str
    counts: dict[float, int]
    known: int


def _values_on(
    files: Sequence[RasterFile], options: CoverOptions | FieldOptions, grid: SceneGrid, row: dict[str, Any], root: str
) -> _GroundValues:
    window = (0.0, 0.0, float(row["width_px"]), float(row["height_px"]))
    stats = [[mask_secrets(file.path), storage.stat_key(file.path), file.crs] for file in files]
    fill = options.nodata if isinstance(options, FieldOptions) else None
    key = fingerprint(VERSION, stats, options.band, type(options).__name__, fill, grid, list(window))
    place = storage.join(root, FOLDER, f"{key}.values.json")
    kept = read_cached_json(place)
    if kept is None:
        digest, counts, known = _read_values(files, options, grid, window)
        kept = [digest, sorted(counts.items()), known]
        write_cached_json(place, kept)
    return _GroundValues(kept[0], dict(kept[1]), kept[2])


def _read_values(
    files: Sequence[RasterFile], options: CoverOptions | FieldOptions, grid: SceneGrid, window: Any
) -> _GroundValues:
    digest, counts, known = hashlib.blake2b(digest_size=16), Counter[float](), 0
    for file in files:
        digest.update(fingerprint(file.crs, list(file.transform)).encode())
        try:
            fill = options.nodata if isinstance(options, FieldOptions) else None
            fill = read_band_tags(file, options.band)[0] if fill is None else fill
            for strip in values_around(file, options.band, grid, window):
                digest.update(np.ascontiguousarray(strip).tobytes() + str(strip.shape).encode())
                missing = missing_values(strip, fill)
                known += strip.size if missing is None else int((~missing).sum())
                if isinstance(options, CoverOptions):
                    counts.update(_count_classes(strip, missing))
        except DataError as error:
            raise ConfigError(f"{file.path}: cannot be read: {error.detail}") from error
    return _GroundValues(digest.hexdigest(), counts, known)


def _count_classes(strip: Any, missing: Any) -> dict[float, int]:
    """Pixels by value, of whole numbers all; of fractions those that are known, and of too many different ones the first."""
    if strip.dtype.kind == "f" and missing is not None:
        strip = strip[~missing]
    values, numbers = np.unique(strip, return_counts=True)
    most = MOST_FRACTIONS if strip.dtype.kind == "f" else len(values)
    return dict(zip(values[:most].tolist(), numbers[:most].tolist(), strict=True))


def _check_legend(counts: Counter[float], legend: dict[int, str | None], where: str, entry: Annotations) -> None:
    unknown = [(value, count) for value, count in sorted(counts.items()) if value not in legend]
    if unknown:
        listed = ", ".join(f"{value:g} ({count:,} pixels)" for value, count in unknown[:SHOWN])
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise ConfigError(
            f"{where}: {entry.files} holds {listed}{more} on the ground of the scenes, which the legend lacks: "
            'give each a name, null (no data) or "" (says nothing) in options.legend'
        )
