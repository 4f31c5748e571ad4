"""What a kind of product is: where its metadata lies, which files are its bands, and how the metadata is read.

One idea: when scenes are listed only names are read; the metadata files are sidecars of the scene and are read when the
scene is opened. So damaged metadata is a reject of that scene alone, and changed metadata makes the scene another one.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rsflow.errors import ConfigError, DataError, StorageError
from rsflow.files import storage
from rsflow.readers.listing.acquisition_time import parse_time
from rsflow.records import SceneFiles


class Decoder(Protocol):
    """Stored numbers to physical values where no scale and offset does it.

    `pixels` (rows, cols) as stored; `rows` and `cols` are their positions in the file: pixel centres, the
    first at 0.5. Gives float32 (rows, cols). `unit` is what the values are in, `origin` the file that the numbers come from.
    """

    @property
    def unit(self) -> str: ...
    @property
    def origin(self) -> str: ...

    def __call__(
        self, pixels: npt.NDArray[Any], rows: npt.NDArray[np.float64], cols: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Description:
    """What a product's metadata states about one scene.

    `options`: scene options under those of the source: `metadata` (per band `scale`, `offset` and `unit`, and `origin`),
    `nodata`, `acquired_at`, `angles` (those of rsflow.readers.contract.ViewAngles that are stated). `decoders`: by common band
    name, for bands that need more than scale and offset.
    """

    options: dict[str, Any]
    decoders: Mapping[str, Decoder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """One kind of product.

    `metadata`: name of the metadata file in the product's folder, or a pattern of it, the preferred one first.
    `prefix`: from the metadata's path, what the paths of all files of the scene begin with.
    `file`: matches what follows the prefix in a band's path, with the groups `band` and, where a band has several files,
    `pixel` (the least is taken). `bands`: from the prefix, the product's own name of each band and the common one.
    `delivered`: common names of the bands that every product of the kind has, for one that lacks them is not whole.
    `on_request`: common names of bands that are read only where the source's `bands` names them.
    `more`: matches further metadata files. `describe`: from the metadata's path, the bands (common name to the product's own)
    and the scene's files; raises ValueError that says what is missing.
    """

    metadata: tuple[str, ...]
    prefix: Callable[[str], str]
    file: re.Pattern[str]
    bands: Callable[[str], Mapping[str, str]]
    describe: Callable[[str, Mapping[str, str], SceneFiles], Description]
    on_request: frozenset[str] = frozenset()
    delivered: frozenset[str] = frozenset()
    more: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class ProductFiles:
    """The files of one product. `metadata`: paths, the main one first; `bands`: common name to path."""

    metadata: list[str]
    bands: dict[str, str]


def in_folder(path: str) -> str:
    """The prefix of products that have a folder of their own."""
    return posixpath.dirname(path) + "/"


def list_products(product: Product, pattern: str, requested: Mapping[str, Any], where: str) -> dict[str, ProductFiles]:
    """Product's path -> its files, of all products in the folders that match `pattern`.

    `requested` maps common names to the product's own; empty: all bands that are there. Raises ConfigError for a band that a
    product found does not have.
    """
    found: dict[str, ProductFiles] = {}
    listings: dict[str, list[str]] = {}
    for name in product.metadata:
        for path in storage.glob(posixpath.join(pattern.rstrip("/"), name)):
            prefix, folder = product.prefix(path), posixpath.dirname(path)
            if prefix.rstrip("/_") in found:
                continue
            if folder not in listings:
                below = storage.list_files(folder, follow_links=True)
                listings[folder] = sorted(posixpath.join(folder, file) for file in below)
            files = _with_prefix(listings[folder], prefix)
            found[prefix.rstrip("/_")] = _collect(product, path, files, requested, where)
    return found


def describe_product(product: Product, files: SceneFiles) -> tuple[SceneFiles, Mapping[str, Decoder]]:
    """The scene with what its metadata says among its options, under the source's own settings, and its decoders.

    Raises DataError("bad_metadata" | "missing_file" | "unreadable", ...).
    """
    path = _metadata_of(product, files)
    names = product.bands(product.prefix(path))
    bands = files.options.get("bands") or {common: band for band, common in names.items() if common in files.files}
    try:
        description = product.describe(path, bands, files)
    except StorageError as error:
        raise DataError("unreadable", str(error)) from error
    except ValueError as error:
        raise DataError("bad_metadata", f"{path}: {error}") from error
    if (time := description.options.get("acquired_at")) is not None and parse_time(time) is None:
        raise DataError("bad_metadata", f"{path}: its time is {time!r}, expected ISO 8601")
    stated = {name for name in ("scale", "offset") if files.options.get(name) is not None}
    decoders = {} if stated else description.decoders
    return replace(files, options={**description.options, **files.options}), decoders


def _metadata_of(product: Product, files: SceneFiles) -> str:
    for name in product.metadata:
        expected = re.compile(re.escape(name).replace(r"\*", "[^/]*"))
        for path in files.sidecars:
            if expected.fullmatch(posixpath.basename(path)):
                return path
    raise DataError("missing_file", f"{files.scene_id}: has none of the metadata files {', '.join(product.metadata)}")


def _with_prefix(paths: list[str], prefix: str) -> list[str]:
    """Those of sorted paths that begin with `prefix`: many products may share one folder."""
    start = bisect_left(paths, prefix)
    return list(takewhile(lambda path: path.startswith(prefix), paths[start:]))


def _collect(product: Product, path: str, files: list[str], requested: Mapping[str, Any], where: str) -> ProductFiles:
    prefix = product.prefix(path)
    names = product.bands(prefix)
    absent = [str(band) for band in requested.values() if str(band) not in names]
    if absent:
        raise ConfigError(f"{where}: bands names {absent[0]!r}, which {path} does not have; it has {', '.join(names)}")
    common = {str(band): name for name, band in requested.items()} or {
        band: name for band, name in names.items() if name not in product.on_request
    }
    best: dict[str, tuple[str, str]] = {}
    metadata = [path]
    for each in files:
        rest = each.removeprefix(prefix)
        if product.more and product.more.search(rest):
            metadata.append(each)
        match = product.file.search(rest)
        if match and match["band"] in common:
            candidate = (match.groupdict().get("pixel") or "", each)
            best[match["band"]] = min(best.get(match["band"], candidate), candidate)
    return ProductFiles(metadata, {name: best[band][1] for band, name in common.items() if band in best})
