"""Fingerprints of held-out benchmarks, and which tiles match them.

A folder, a published fingerprint file and a lake all become rows of FINGERPRINTS. Where the pictures are available they confirm
a match; where only fingerprints are, signatures must be closer.

A picture of a benchmark that cannot be read is an error, not a picture less to hold out.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rsflow.annotations import list_annotation_files, picture_name
from rsflow.annotations import read_annotations as read_annotations
from rsflow.config.select_settings import HeldOut, Select
from rsflow.config.settings import Annotations
from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.pairs.candidates import Confirm
from rsflow.curation.duplicates.pairs.partial_overlap import ConfirmRegions
from rsflow.curation.duplicates.pictures.fingerprint_parts import crop_part, iter_parts
from rsflow.curation.duplicates.pictures.image_signature import Picture
from rsflow.curation.duplicates.pictures.picture_fingerprints import FINGERPRINTS, fingerprint_picture, match_fingerprints
from rsflow.errors import DataError, UsageError
from rsflow.files import storage
from rsflow.lake.tables import Lake
from rsflow.phases.select.confirm_duplicates import ReadPictures, confirm_pairs, confirm_regions, make_picture_reader
from rsflow.readers import SUFFIXES, open_scene
from rsflow.records import SceneFiles
from rsflow.spatial.geometry import Window

MAX_PICTURE_PX = 64_000_000  # a larger one is a scene, not a picture: only its ground is compared


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Rows of FINGERPRINTS; `pictures` gives the pictures of rows, None where they are not available."""

    rows: pa.Table
    pictures: ReadPictures | None = None


def match_held_out(settings: Select, lake: Lake, tiles: pa.Table) -> pa.Array | None:
    """Per tile "<benchmark>:<test>" of the first benchmark that it matches, else null; None where nothing is held out."""
    found: pa.Array | None = None
    for benchmark in settings.held_out:
        test = (
            _match_by_name(benchmark, lake, tiles)
            if benchmark.format
            else _match_by_fingerprint(benchmark, settings, lake, tiles)
        )
        named = pc.binary_join_element_wise(benchmark.name, pc.if_else(pc.equal(test, "kept"), None, test), ":")
        found = named if found is None else pc.coalesce(found, named)
    return found


def held_out_file_keys(settings: Select) -> list[list[str]]:
    """Sizes and times of all files of the benchmarks: another one where any may have changed."""
    return [[storage.stat_key(place) for place in _file_places(benchmark)] for benchmark in settings.held_out]


def fingerprint_place(place: str) -> Fingerprints:
    """The fingerprints in a file, or of all pictures below a folder. UsageError where there are none, or one cannot be read."""
    if place.endswith(".parquet"):
        return Fingerprints(read_fingerprints(place))
    names = _list_pictures(place)
    if not names:
        raise UsageError(f"{place}: holds no picture ({', '.join(SUFFIXES)}) and is no fingerprint file (.parquet)")
    places = tuple(storage.join(place, name) for name in names)
    rows = [{"name": name, **_fingerprint_file(file)} for name, file in zip(names, places, strict=True)]

    def pictures(indices: Indices) -> Iterator[Picture]:
        shown = (read_picture(places[row])[0] for row in indices)
        return (picture for picture in shown if picture is not None)  # all: what has a signature was a picture before

    return Fingerprints(pa.Table.from_pylist(rows, schema=FINGERPRINTS), pictures)


def confirm_fingerprints(
    tiles: ReadPictures | None, most: float, prints: Fingerprints
) -> tuple[Confirm, ConfirmRegions] | tuple[None, None]:
    """What compares pictures of tiles with those of fingerprints, and with parts of them; None where one is missing."""
    theirs = prints.pictures
    if tiles is None or theirs is None:
        return None, None
    parts = [*iter_parts(prints.rows)]

    def read_parts(indices: Indices) -> Iterator[Picture]:
        rows, numbers = np.unique([parts[number][0] for number in indices.tolist()], return_inverse=True)
        whole = [*theirs(rows)]
        return (crop_part(whole[k], parts[number][1]) for k, number in zip(numbers.tolist(), indices.tolist(), strict=True))

    return confirm_pairs(tiles, most, theirs), confirm_regions(read_parts, tiles, most)


def write_fingerprints(prints: pa.Table, place: str) -> None:
    """Write a fingerprint file. UsageError where its name does not end in .parquet, by which it is known again."""
    if not place.endswith(".parquet"):
        raise UsageError(f"{place}: a fingerprint file is called something.parquet")
    with storage.create(place) as stream:
        pq.write_table(prints, stream)


def read_fingerprints(place: str) -> pa.Table:
    """The rows of a fingerprint file. UsageError where it is none."""
    try:
        rows = pq.ParquetFile(io.BytesIO(storage.read_bytes(place))).read()
        if "parts" not in rows.column_names:  # of an earlier version
            rows = rows.append_column("parts", pa.nulls(rows.num_rows, FINGERPRINTS.field("parts").type))
        return rows.select(FINGERPRINTS.names).cast(FINGERPRINTS)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise UsageError(f"{place}: is no fingerprint file of `rsflow fingerprint`: {error}") from error


def read_picture(place: str) -> tuple[Picture | None, tuple[float, ...] | None]:
    """(8-bit picture (rows, cols) or (rows, cols, 3), footprint); either None where there is none. UsageError: unreadable."""
    files = SceneFiles(place, "held_out", "optical", "auto", {"": place})
    try:
        with open_scene(files) as scene:
            height, width = scene.info.height_px, scene.info.width_px
            if scene.info.dtype != "uint8" or height * width > MAX_PICTURE_PX or len(scene.info.bands) == 2:
                return None, scene.info.footprint
            pixels = scene.read(Window(0, 0, height, width)).pixels
            shown = pixels[:3].transpose(1, 2, 0) if len(pixels) >= 3 else pixels[0]
            return np.ascontiguousarray(shown), scene.info.footprint
    except DataError as error:
        raise UsageError(f"{place}: this picture cannot be read ({error.detail}): repair or remove it") from error


def _fingerprint_file(place: str) -> dict[str, object]:
    picture, footprint = read_picture(place)
    known = fingerprint_picture(picture) if picture is not None else {}
    digest = hashlib.sha256(storage.read_bytes(place)).hexdigest()
    ring = list(footprint) if footprint else None
    return {"pixels_sha256": [], "signatures": [], "parts": [], **known, "picture_sha256": digest, "footprint": ring}


def _match_by_fingerprint(benchmark: HeldOut, settings: Select, lake: Lake, tiles: pa.Table) -> pa.Array:
    prints = fingerprint_place(benchmark.files)
    confirm = confirm_fingerprints(make_picture_reader(lake, tiles), settings.confirm_mae, prints)
    return match_fingerprints(tiles, prints.rows, settings.near_bits, settings.buffer_m, *confirm).cast(pa.string())


def _match_by_name(benchmark: HeldOut, lake: Lake, tiles: pa.Table) -> pa.Array:
    """ "name" for the tiles of scenes that are called like a picture of these annotation files, else "kept"."""
    annotated = read_annotations(Annotations(str(benchmark.format), benchmark.files, allow_outside=True)).pictures.values()
    known = {picture_name(name) for picture in annotated for name in (picture.file, picture.own_name) if name}
    scenes = lake.read("scenes", ["scene_id", "files"]).to_pylist()
    named = [row["scene_id"] for row in scenes if any(picture_name(file) in known for file in row["files"])]
    hit = pc.is_in(tiles["scene_id"].combine_chunks(), value_set=pa.array(named, pa.string()))
    return pc.if_else(hit, "name", "kept")


def _file_places(benchmark: HeldOut) -> list[str]:
    if benchmark.format:
        return list_annotation_files(Annotations(benchmark.format, benchmark.files))
    if benchmark.files.endswith(".parquet"):
        return [benchmark.files]
    return [storage.join(benchmark.files, name) for name in _list_pictures(benchmark.files)]


def _list_pictures(folder: str) -> list[str]:
    return [
        name
        for name in storage.list_files(folder, follow_links=True)
        if name.lower().endswith(tuple(SUFFIXES)) and not storage.is_metadata(name)
    ]
