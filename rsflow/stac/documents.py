"""STAC documents as plain JSON values, each with the place that it was read from.

One idea: the door is strict where a document looks like another kind of file (`type`, `id`, `stac_version`), and
brings older versions of the specification to the present one with pystac. What is no STAC document is a DataError.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from dataclasses import dataclass
from typing import Any

from pystac.errors import STACError
from pystac.serialization import identify_stac_object, migrate_to_latest

from rsflow.errors import DataError, StorageError, UnavailableError
from rsflow.files import storage

TYPES = ("Catalog", "Collection", "Feature", "FeatureCollection")
GZIP_START = b"\x1f\x8b"
MOST_BYTES = 1 << 30  # of an unpacked document
_BEFORE_TYPES = ("0.", "1.0.0-beta", "1.0.0-rc")  # versions whose catalogues and collections had no `type`

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """An item (STAC 1.1) and where it was read, which relative hrefs start at. `licence`, `providers`: its own or its
    collection's; `credits`: the providers that made the data or license it."""

    place: str
    data: Json
    licence: str = ""
    providers: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def collection(self) -> str:
        return str(self.data.get("collection") or "")

    @property
    def properties(self) -> Json:
        found: Json = self.data["properties"]
        return found


def list_links(data: Json) -> list[Json]:
    """The links of a document, without what is none."""
    found = data.get("links")
    return [link for link in found if isinstance(link, dict)] if isinstance(found, list) else []


def read_document(place: str, address: str | None = None) -> Json:
    """The STAC document at `place` (opened at `address`, where it has to be signed).

    DataError `broken_link` where there is none, `not_stac` where it is something else.
    """
    try:
        content = storage.read_bytes(address or place)
    except UnavailableError:
        raise
    except StorageError as error:
        reason = "broken_link" if isinstance(error.__cause__, FileNotFoundError) else "not_stac"
        raise DataError(reason, storage.mask_secrets(str(error))) from error
    try:
        data = json.loads(_unpacked(content, place))
    except (ValueError, RecursionError) as error:
        raise DataError("not_stac", f"{place}: is no JSON ({error})") from error
    return check_document(data, place)


def _unpacked(content: bytes, place: str) -> bytes:
    """The document as it was before any gzip. DataError `not_stac` where that is damaged or too large."""
    if not content.startswith(GZIP_START):
        return content.removeprefix(codecs.BOM_UTF8)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            found = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError("not_stac", f"{place}: is no whole gzip file ({error})") from error
    if len(found) > MOST_BYTES:
        raise DataError("not_stac", f"{place}: is larger than {MOST_BYTES:,} bytes when unpacked: deliver it in parts")
    return found.removeprefix(codecs.BOM_UTF8)


def check_document(data: Any, place: str) -> Json:
    """The document where it is one of TYPES, with its `type`; DataError `not_stac` for anything else."""
    if not isinstance(data, dict):
        raise DataError("not_stac", f"{place}: holds a {type(data).__name__}, expected a STAC document")
    version = data.get("stac_version")
    if "type" not in data and isinstance(version, str) and version.startswith(_BEFORE_TYPES):
        data = {"type": "Collection" if "extent" in data else "Catalog"} | data
    if data.get("type") not in TYPES:
        found = f"its type is {data['type']!r}" if "type" in data else "it has no `type`"
        raise DataError("not_stac", f"{place}: {found}, expected one of {', '.join(TYPES)}")
    if data["type"] != "FeatureCollection" and not isinstance(version, str):
        raise DataError("not_stac", f"{place}: has no `stac_version`: it is no STAC document")
    return dict(data)


def check_item(data: Any, place: str) -> Json:
    """An item as STAC 1.1 has it. DataError `not_stac` or `bad_item` with what is missing or wrong."""
    data = check_document(data, place)
    if data["type"] != "Feature":
        raise DataError("not_stac", f"{place}: its type is {data['type']!r}, expected an item (Feature)")
    if not isinstance(data.get("id"), (str, int)) or data["id"] == "":
        raise DataError("bad_item", f"{place}: the item has no `id`")
    wrong = next((key for key in ("properties", "assets") if not isinstance(data.get(key) or {}, dict)), None)
    if wrong:
        raise DataError(
            "bad_item", f"{place}: `{wrong}` of item {data['id']} is a {type(data[wrong]).__name__}, expected an object"
        )
    data = {
        **data,
        "properties": data.get("properties") or {},
        "assets": data.get("assets") or {},
        "links": list_links(data),
    }
    broken = next((name for name, asset in data["assets"].items() if not isinstance(asset, dict)), None)
    if broken is not None:
        raise DataError("bad_item", f"{place}: asset {broken!r} of item {data['id']} is no object")
    return _migrated(data, place)


def _migrated(data: Json, place: str) -> Json:
    if data["stac_version"].startswith("1.") and "-" not in data["stac_version"]:
        return data
    try:
        return dict(migrate_to_latest(data, identify_stac_object(data)))
    except (STACError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            "bad_item", f"{place}: item {data['id']} of STAC {data['stac_version']} cannot be brought to 1.1 ({error})"
        ) from error
