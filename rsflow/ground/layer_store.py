"""Copies of layers on disk, by what they were made from: each layer is read once.

One idea: a copy's name is a hash of its files' sizes and times (or ETags) and of the settings that decide what is in it, so
nothing is ever overwritten, and a changed file or rule gives another copy. Its summary lies beside it as JSON, with
the digests of both: a copy without one was never finished, and what is damaged is made again.

Remote files are downloaded for as long as they are read; a copy in a remote lake, for as long as the process lives.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache

from rsflow.config.annotation_settings import Annotations
from rsflow.config.validation import check
from rsflow.errors import ConfigError, StorageError
from rsflow.files import storage
from rsflow.files.faults import mask_secrets, translate_errors
from rsflow.ground.categories.classify import FeatureForm
from rsflow.ground.categories.conditions import parse_conditions
from rsflow.ground.files.archives import split_member
from rsflow.ground.files.layer_files import Layer, list_layers
from rsflow.ground.layer_copy import VERSION, LayerSummary, check_attributes, write_copy
from rsflow.ground.layer_settings import Rule, VectorOptions
from rsflow.ground.scene_grid import parse_crs
from rsflow.ground.validity import check_validity
from rsflow.lake.json_files import read_cached_json, write_cached_json
from rsflow.stage import fingerprint

FOLDER = "ground"  # of a lake
_COMPANIONS = (".shx", ".dbf", ".prj", ".cpg", ".gpkg-wal", ".xsd", ".gfs")  # files that belong to one of the same name


@dataclass(frozen=True)
class LayerCopy:
    """`file`: relative to the root of its store."""

    file: str
    summary: LayerSummary


def check_vector_options(entry: Annotations, where: str) -> VectorOptions:
    """The options of a vector layer, checked. ConfigError with their path."""
    options = check(VectorOptions, entry.options, f"{where}.options")
    check_validity(options.validity, f"{where}.options")
    for number, rule in enumerate(options.every_rule):
        parse_conditions(rule.where, f"{where}.options.rules.{number}.where")
    if options.crs:
        parse_crs(options.crs)
    return options


def layer_copy(entry: Annotations, options: VectorOptions, root: str, where: str) -> LayerCopy:
    """The copy of a layer in the store at `root`, made where it is not there. ConfigError for what cannot be read."""
    patterns = (entry.files,) if isinstance(entry.files, str) else entry.files
    return _copy_layer(find_files(patterns, where), options, entry.categories, root, where)


def interest_copy(options: VectorOptions, root: str, where: str) -> LayerCopy:
    """The same of the area within which the layer is exhaustive."""
    interest_options = VectorOptions(rules=(Rule(category="area of interest", kind="area"),))
    return _copy_layer(
        find_files((str(options.area_of_interest),), where), interest_options, {}, root, f"{where}.options.area_of_interest"
    )


def find_files(patterns: Sequence[str], where: str) -> list[str]:
    """Files that the patterns match, each once, without the parts of shapefiles. ConfigError where one matches none."""
    files = [file for pattern in patterns for file in _list_matches(pattern) or _raise_missing(pattern, where)]
    shapefiles = {os.path.splitext(file)[0] for file in files if file.lower().endswith(".shp")}
    return [
        file
        for file in dict.fromkeys(files)
        if not (file.lower().endswith(_COMPANIONS) and os.path.splitext(file)[0] in shapefiles)
    ]


def _list_matches(pattern: str) -> list[str]:
    """Files of a pattern; of a member of archives, that member of each."""
    archive, member = split_member(pattern)
    return [f"{file}/{member}" if member else file for file in storage.glob(archive)]


def _raise_missing(pattern: str, where: str) -> list[str]:
    raise ConfigError(f"{where}.files: {pattern!r} matches no file; give the path or pattern of the layer's files")


def _copy_layer(files: Sequence[str], options: VectorOptions, renamed: dict[str, str], root: str, where: str) -> LayerCopy:
    stats = [(mask_secrets(file), storage.stat_key(split_member(file)[0])) for file in _with_companions(files)]
    decides = (options.layers, options.crs, list(options.every_rule), options.id_attribute, options.name_attribute)
    key = fingerprint(VERSION, stats, decides, options.uncertainty_m, options.validity, renamed)
    place = storage.join(root, FOLDER, f"{key}.json")
    file = f"{FOLDER}/{key}.parquet"
    summary = _read_summary(place)
    if summary is None or not _is_whole(storage.join(root, file), summary.sha256):
        with (
            tempfile.TemporaryDirectory(prefix="rsflow-") as folder,
            _localise(files, folder) as local,
            _name_original_files(files, local),
        ):
            path = os.path.join(folder, "copy.parquet")
            layers = [
                layer for file in local for layer in list_layers(file, options.layers or _OSM_LAYERS.get(file[-4:].lower(), ()))
            ]
            check_attributes(layers, options, where)
            summary = write_copy(layers, _one_crs(layers, options.crs), options, renamed, where, path)
            summary = replace(summary, sha256=_hash_file(path, os.stat(path).st_mtime_ns))
            _upload(path, storage.join(root, file))
            _fetch.cache_clear()  # it may hold a damaged one
            write_cached_json(place, asdict(summary))
    return LayerCopy(file, summary)


def _is_whole(place: str, sha256: str) -> bool:
    """Whether the copy is there and is what was written; a damaged one is made again."""
    try:
        path = local_copy(place)
        return _hash_file(path, os.stat(path).st_mtime_ns) == sha256
    except (FileNotFoundError, StorageError) as error:
        if isinstance(error, FileNotFoundError) or isinstance(error.__cause__, FileNotFoundError):
            return False
        raise


@lru_cache(maxsize=256)
def _hash_file(path: str, changed: int) -> str:
    """`changed`: the time of its last change, so that a file is read once as long as it stays the same."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# Of an OpenStreetMap extract: its other layers are routes and relations without an area.
_OSM_LAYERS = dict.fromkeys((".pbf", ".osm"), ("points", "lines", "multipolygons"))


def _read_summary(place: str) -> LayerSummary | None:
    found = read_cached_json(place)
    return found and LayerSummary(
        **{
            **found,
            "bounds": tuple(found["bounds"]) if found["bounds"] else None,
            "forms": tuple(FeatureForm(**form) for form in found["forms"]),
            "unmapped": tuple(tuple(item) for item in found["unmapped"]),
            "faults": {reason: (count, tuple(ids)) for reason, (count, ids) in found["faults"].items()},
            "misplaced": tuple(found["misplaced"]),
        }
    )


def _one_crs(layers: Sequence[Layer], stated: str | None) -> str:
    """The coordinate reference system of all layers; what the settings state beats the files."""
    if stated:
        return stated
    for layer in layers:
        if layer.crs is None:
            raise ConfigError(
                f"{layer.path}: {f'layer {layer.name!r}' if layer.name else 'it'} names no coordinate reference system; "
                "say which it is with options.crs (for example EPSG:4326)"
            )
    first, *others = layers
    for other in others:
        if parse_crs(str(other.crs)) != parse_crs(str(first.crs)):
            names = [f"{layer.path} ({parse_crs(str(layer.crs)).name})" for layer in (first, other)]
            raise ConfigError(f"{' and '.join(names)} differ in their coordinate reference systems: give them as two entries")
    return str(first.crs)


def _with_companions(files: Sequence[str]) -> list[str]:
    """The files with those that belong to a shapefile or GML of the same name."""
    found = list(files)
    for file in files:
        stem, ending = os.path.splitext(file)
        if ending.lower() in (".shp", ".gml", ".gpkg"):
            endings = [e for e in _COMPANIONS for e in (e, e.upper())] if ending.lower() == ".shp" else [".xsd", ".gfs"]
            endings = ["-wal"] if ending.lower() == ".gpkg" else endings
            found += [place for e in endings if storage.exists(place := (file if e == "-wal" else stem) + e)]
    return found


@contextmanager
def _name_original_files(files: Sequence[str], local: Sequence[str]) -> Iterator[None]:
    """Errors that name a local copy of a file name the file."""
    try:
        yield
    except ConfigError as error:
        text = str(error)
        for file, path in zip(files, local, strict=True):
            text = text.replace(path, str(mask_secrets(file)))
        raise ConfigError(text) from error


@contextmanager
def _localise(files: Sequence[str], folder: str) -> Iterator[list[str]]:
    """Local paths of these files; remote ones are copied into `folder` meanwhile, each with those that belong to it.

    So are GML files, because GDAL writes what it found of their schema beside them (.gfs).
    """
    paths = []
    for number, file in enumerate(files):
        if not storage.is_remote(file) and not file.lower().endswith(".gml"):
            paths.append(file.removeprefix("file://"))
            continue
        below = os.path.join(folder, str(number))
        os.makedirs(below)
        file, member = split_member(file)
        for part in _with_companions([file]):
            _download(part, os.path.join(below, posixpath.basename(part)))
        paths.append(os.path.join(below, posixpath.basename(file), member).rstrip("/"))
    yield paths


def local_copy(place: str) -> str:
    """A local path of a store's file, which never changes."""
    return _fetch(place) if storage.is_remote(place) else place.removeprefix("file://")


@cache
def _fetch(place: str) -> str:
    path = os.path.join(_folder(), posixpath.basename(place))
    _download(place, path)
    return path


@lru_cache(maxsize=1)
def _folder() -> str:
    import atexit

    folder = tempfile.mkdtemp(prefix="rsflow-ground-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def temporary_store() -> str:
    """A folder for copies that lives as long as this process: where there is no lake to keep them."""
    return _folder()


def _download(place: str, path: str) -> None:
    fs, _ = storage.filesystem(place)
    with translate_errors(place, "read"), fs.open(place, "rb") as source, open(path, "wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 22)


def _upload(path: str, place: str) -> None:
    with open(path, "rb") as source, storage.create(place) as sink:
        shutil.copyfileobj(source, sink, 1 << 22)
