"""What the sources hold now: every scene with its content's fingerprint, opened only if it is new or changed.

One idea: a scene is known by the content of its files, sidecars included. Reading all bytes of an archive at every run would
take hours, so sizes and times (or an object store's ETags) are compared first, and only files whose sign changed are hashed and
opened again. A file that was touched but not changed gets the same fingerprint, so nothing is done again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import pyarrow as pa

from rsflow.config.select_settings import UNKNOWN as UNKNOWN_LICENCE
from rsflow.config.settings import BuildConfig
from rsflow.errors import DataError, StorageError, UnavailableError
from rsflow.files import storage
from rsflow.files.faults import retry_transient
from rsflow.planning.sources.placed_scenes import place_scene, target_of
from rsflow.planning.sources.zoom_scales import factor_of, with_scales
from rsflow.readers import READERS, SceneInfo, list_scenes, open_scene, select_reader
from rsflow.readers.products import PRODUCTS
from rsflow.readers.reduced_scene import reduced_info
from rsflow.readers.warped_scene import warped_info
from rsflow.records import Reject, SceneFiles
from rsflow.schemas import SCENES
from rsflow.stage import fingerprint
from rsflow.stages.label.cut_scenes import pixel_unit, stats_key

THREADS = 8
SCENES_PER_TASK = 16  # what is known takes less time than handing it to a thread
PROBE_VERSION = 6  # raised when what is stored of a scene changes

Placed = tuple[SceneFiles, dict[str, Any]]  # a scene, on a target grid where it is warped, and its SCENES row


class ProbedSource(NamedTuple):
    """SCENES rows, their files by scene_id, and by scene_id why a scene is not known now: its store cannot be
    reached."""

    scenes: pa.Table
    files: dict[str, SceneFiles]
    undone: dict[str, str]


class Listed(NamedTuple):
    """The scenes of every source, by its name; rejects of what is none; and why a source's catalogue or API does not answer."""

    scenes: dict[str, list[SceneFiles]]
    rejects: dict[str, list[Reject]]
    unanswered: dict[str, str]


def list_all_scenes(built: BuildConfig, lake_root: str | None = None, keep: bool = False) -> Listed:
    """The scenes of every source. ConfigError where a source has none. `lake_root`, `keep`: see rsflow.stac.listing."""
    listed = Listed({}, {}, {})
    for source in built.sources:
        if source.scenes.stac is None:
            listed.scenes[source.name] = list_scenes(source)
            continue
        from rsflow.stac.listing import list_stac_scenes  # with its client: most builds need neither

        try:
            found = list_stac_scenes(source, lake_root, keep)
        except UnavailableError as error:
            listed.scenes[source.name] = []
            listed.unanswered[source.name] = storage.mask_secrets(str(error))
            continue
        listed.scenes[source.name] = found.scenes
        if found.rejects:
            listed.rejects[source.name] = found.rejects
    return listed


def probe_scenes(
    built: BuildConfig,
    listed: dict[str, list[SceneFiles]],
    known: pa.Table,
    retry_rejects: bool = False,
    on_scene: Callable[[int], None] = lambda total: None,
) -> ProbedSource:
    """SCENES rows of all listed scenes that can be reached, sorted by scene_id. Rows of `known` are reused where nothing
    changed.

    `on_scene` is called after every scene with the number of all, in this thread.
    """
    before = _by_listed_id(known.to_pylist())
    licences = {source.name: source.licence for source in built.sources}

    undone: dict[str, str] = {}

    def rows_of(scene: SceneFiles) -> list[Placed]:
        try:
            licence = licences[scene.source] or scene.options.get("licence") or UNKNOWN_LICENCE
            return _rows(scene, built, licence, before.get(scene.scene_id, []), retry_rejects)
        except UnavailableError as error:
            undone[scene.scene_id] = storage.mask_secrets(str(error))
            return []

    every = [scene for scenes in listed.values() for scene in scenes]
    rows: list[dict[str, Any]] = []
    files: dict[str, SceneFiles] = {}
    size = min(SCENES_PER_TASK, 1 + len(every) // (8 * THREADS))
    parts = [every[start : start + size] for start in range(0, len(every), size)]
    with ThreadPoolExecutor(THREADS) as pool:
        # Consumed here, so that Ctrl-C lands here and the generator's end cancels what has not begun.
        for found in pool.map(lambda scenes: [rows_of(scene) for scene in scenes], parts):
            for placed in found:
                rows += [row for _, row in placed]
                files |= {scene.scene_id: scene for scene, _ in placed}
                on_scene(len(every))
    scenes = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["scene_id"])), schema=SCENES)
    return ProbedSource(scenes, files, dict(sorted(undone.items())))


def _by_listed_id(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows by the id of the listed scene that they may be of: their own, or what stands before their zone or cell."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for name in {row["scene_id"], row["scene_id"].rpartition("@")[0]} - {""}:
            found[name].append(row)
    return found


def _rows(
    scene: SceneFiles, built: BuildConfig, licence: str, before: list[dict[str, Any]], retry_rejects: bool
) -> list[Placed]:
    """The SCENES rows of a listed scene: several where the ground grid has it in several zones or cells, or it has coarser
    scales."""
    tiles, zoom = built.tiles, [built.zoom] if built.zoom else []
    providers = (READERS.provider(scene.reader), PRODUCTS.provider(scene.options.get("product") or ""))
    plugin = [provider for provider in providers if provider]
    grid = [tiles.system, tiles.pixel_size(scene.sensor), tiles.cell_side_m] if tiles.grid == "ground" else []
    # Without signatures: another one of the same address is no other file.
    named = replace(scene, files={band: storage.mask_secrets(path) for band, path in scene.files.items()})
    settings = fingerprint(PROBE_VERSION, named, licence, *plugin, *grid, *zoom)
    if fault := scene.options.get("listing_error"):
        return [(scene, _rejected(scene, licence, settings, "", fingerprint(*fault), DataError(*fault)))]
    try:
        stats = stats_key(scene)
    except DataError as error:
        return [(scene, _rejected(scene, licence, settings, "", fingerprint(error.reason, error.detail), error))]
    same = {row["scene_id"]: row for row in before if row["stats_key"] == stats and row["probed_with"] == settings}
    rejected = [row for row in same.values() if row["probe_reason"]]
    if rejected and not retry_rejects:
        return [(scene, rejected[0])]
    if same and not rejected:
        one = next(iter(same.values()))
        size = (one["file_height_px"] or one["height_px"], one["file_width_px"] or one["width_px"])
        placed = _placed(scene, one["footprint"], size, built)
        if all(each.scene_id in same for each in placed):
            return [(each, same[each.scene_id]) for each in placed]
    content = stats
    try:
        content = content_fingerprint(scene)
        return [(each, {**_base(each, licence, settings, stats, content), **probed}) for each, probed in _probe(scene, built)]
    except DataError as error:
        return [(scene, _rejected(scene, licence, settings, stats, content, error))]


def content_fingerprint(scene: SceneFiles) -> str:
    """A hash of the bytes of all files of a scene with their bands; an object store's ETag stands for an object's bytes."""
    try:
        sidecars = [_digest(path) for path in scene.sidecars]
        return fingerprint({band: _digest(path) for band, path in scene.files.items()}, *sidecars)
    except UnavailableError:
        raise
    except StorageError as error:
        raise DataError("unreadable", str(error)) from error


@retry_transient
def _digest(path: str) -> str:
    sign = storage.stat_key(path)
    if sign.startswith("etag:"):
        return sign
    fs, name = storage.filesystem(path)
    with storage.translate_errors(path, "read"), fs.open(path if storage.is_remote(path) else name, "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _base(scene: SceneFiles, licence: str, settings: str, stats: str, content: str) -> dict[str, Any]:
    return {
        "scene_id": scene.scene_id,
        "source": scene.source,
        "sensor": scene.sensor,
        "licence": licence,
        "files": [storage.mask_secrets(path) for path in scene.files.values()],
        "sidecars": [storage.mask_secrets(path) for path in scene.sidecars],
        "stats_key": stats,
        "fingerprint": content,
        "reader": scene.reader,
        "probed_with": settings,
        "stac_item": scene.stac_item,
    }


def _placed(
    scene: SceneFiles, footprint: Sequence[float] | None, size: tuple[int, int], built: BuildConfig
) -> list[SceneFiles]:
    """A scene of `size` (rows, columns) on every target grid, or at every scale."""
    if built.tiles.grid == "ground":
        return place_scene(scene, footprint, built.tiles)
    return with_scales(scene, *size, built.zoom)


def _probe(scene: SceneFiles, built: BuildConfig) -> list[Placed]:
    """What is found in the files, on every target grid and at every scale."""
    with open_scene(scene) as reader:
        info, error_m = reader.info, reader.position_error_m()
    unit, is_picture = pixel_unit(scene, info), select_reader(scene) == "picture"
    found = []
    for each in _placed(scene, info.footprint, (info.height_px, info.width_px), built):
        target, factor = target_of(each), factor_of(each)
        read_as = warped_info(info, target) if target else reduced_info(info, factor) if factor > 1 else info
        more = {} if read_as is info else {"file_height_px": info.height_px, "file_width_px": info.width_px}
        found.append((each, {**_facts(read_as), **more, "unit": unit, "is_picture": is_picture, "position_error_m": error_m}))
    return found


def _facts(info: SceneInfo) -> dict[str, Any]:
    return {
        "bands": list(info.bands),
        "dtype": info.dtype,
        "height_px": info.height_px,
        "width_px": info.width_px,
        "georeference": info.georeference,
        "crs": info.crs,
        "transform": list(info.transform) if info.transform else None,
        "footprint": list(info.footprint) if info.footprint else None,
        "gsd_m": info.gsd_m,
        "pixel_m": list(info.pixel_m) if info.pixel_m else None,
        "georeference_error": storage.mask_secrets(info.georeference_error) if info.georeference_error else None,
        "nodata": list(info.nodata),
        "calibration": [asdict(how) for how in info.calibration],
        "acquired_at": info.acquired_at,
        "sun_elevation_deg": info.angles.sun_elevation,
        "sun_azimuth_deg": info.angles.sun_azimuth,
        "incidence_angle_deg": info.angles.incidence_angle,
    }


def _rejected(scene: SceneFiles, licence: str, settings: str, stats: str, content: str, error: DataError) -> dict[str, Any]:
    found = {"probe_reason": error.reason, "probe_detail": storage.mask_secrets(error.detail)}
    return {**_base(scene, licence, settings, stats, content), **found}
