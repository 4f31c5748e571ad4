"""What a kind of product folder is: the name of its metadata file, the names of its bands, and how the metadata is read.

One idea: when scenes are listed only names are looked at; the metadata file is one of the scene's sidecars and is read when the
scene is opened, so that a damaged one is that scene's reject, and a changed one makes it another scene.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rsflow.errors import ConfigError, DataError, StorageError
from rsflow.files import storage
from rsflow.records import SceneFiles


@dataclass(frozen=True, slots=True)
class Product:
    """`metadata`: the file's name in the folder. `bands`: the product's own name of each band, and the common one.

    `file`: matches the path of a band's file below the folder, with the groups `band` and, where there are several files of a
    band, `pixel` (the least is taken). `describe` takes the metadata's text and the bands (common name to the product's) and
    gives scene options: `metadata` (per band `scale` and `offset`, `unit`, `origin`), `nodata`, `acquired_at`. It raises
    ValueError that says what is missing.
    """

    metadata: str
    bands: Mapping[str, str]
    file: re.Pattern[str]
    describe: Callable[[str, Mapping[str, str]], dict[str, Any]]


def product_files(product: Product, pattern: str, wanted: Mapping[str, Any], where: str) -> dict[str, dict[str, str]]:
    """Product folder -> common band name -> file. `wanted` maps names to the product's bands; empty: all that are there.

    Raises ConfigError for a band that this kind of product does not have.
    """
    unknown = [band for band in wanted.values() if str(band) not in product.bands]
    if unknown:
        raise ConfigError(f"{where}: bands names {unknown[0]!r}, which is none of this product's: {', '.join(product.bands)}")
    names = {str(band): name for name, band in wanted.items()} or dict(product.bands)
    found = storage.glob(posixpath.join(pattern.rstrip("/"), product.metadata))
    return {posixpath.dirname(path): _bands(product, posixpath.dirname(path), names) for path in found}


def read_product_metadata(product: Product, files: SceneFiles, bands: Mapping[str, str]) -> SceneFiles:
    """The scene with what its metadata says among its options; settings of the source stay over it.

    Raises DataError("bad_metadata" | "missing_file", ...).
    """
    place = next((path for path in files.sidecars if posixpath.basename(path) == product.metadata), "")
    try:
        said = product.describe(storage.read_text(place), bands)
    except StorageError as error:
        raise DataError("unreadable", str(error)) from error
    except ValueError as error:
        raise DataError("bad_metadata", f"{place}: {error}") from error
    return replace(files, options={**said, **files.options})


def _bands(product: Product, folder: str, names: Mapping[str, str]) -> dict[str, str]:
    best: dict[str, tuple[str, str]] = {}
    for path in storage.list_files(folder):
        match = product.file.search(path)
        if match and match["band"] in names:
            own = (match.groupdict().get("pixel") or "", path)
            best[match["band"]] = min(best.get(match["band"], own), own)
    return {name: posixpath.join(folder, best[band][1]) for band, name in names.items() if band in best}
