"""The items of a static catalogue: its documents followed from link to link, each once.

One idea: only `child` and `item` links are followed, downwards, and a document is read once whatever links to it, so a cycle
ends. A link that leads nowhere, or to what is no STAC document, is a reject of its own; only a root that cannot be read is an
error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.stac.documents import Item, Json, check_item, list_links, read_document
from rsflow.stac.hrefs import WEB, Hrefs

CREDITED = frozenset({"producer", "licensor"})  # roles of providers who are to be named with the data
SUFFIXES = (".json", ".geojson", ".json.gz", ".geojson.gz")
ROOTS = ("catalog.json", "collection.json")  # of a folder


@dataclass(frozen=True, slots=True)
class BadDocument:
    """A document that gives no scene, and why."""

    place: str
    error: DataError


def find_root(href: str) -> str:
    """The document to begin with: the file or address itself, or the one of ROOTS in a folder; a folder without one is itself.

    ConfigError where there is nothing.
    """
    place = href if storage.is_remote(href) else str(storage.filesystem(href)[1])
    if is_document(place):
        return place
    for name in ROOTS:
        if storage.exists(storage.join(place, name)):
            return storage.join(place, name)
    if not storage.exists(place):
        raise ConfigError(f"{href}: there is no such file or folder; give a STAC catalogue, collection or item, or an API")
    return place


def is_document(place: str) -> bool:
    """Whether a place is a document rather than a folder; a web server has no folders."""
    return place.startswith(WEB) or place.lower().endswith(SUFFIXES)


@dataclass(frozen=True)
class CatalogueWalk:
    """One walk through a catalogue. `hrefs` says what may be followed. A folder without a catalogue gives the items in it."""

    hrefs: Hrefs
    visited: set[str] = field(default_factory=set)
    collections: dict[str, Json] = field(default_factory=dict)

    def items(self, root: str) -> Iterator[Item | BadDocument]:
        """Every item below the document at `root`, and every document that is none."""
        if is_document(root):
            yield from self._document(root, read_document(root, self.hrefs.sign(root)), {})
            return
        for name in storage.list_files(root, follow_links=True):
            if name.lower().endswith(SUFFIXES):
                yield from self._read(storage.join(root, name), {}, only_items=True)

    def _read(self, place: str, collection: Json, only_items: bool = False) -> Iterator[Item | BadDocument]:
        if place in self.visited:
            return
        self.visited.add(place)
        try:
            data = read_document(place, self.hrefs.sign(place))
        except DataError as error:
            if not (only_items and error.reason == "not_stac"):  # beside items lie other files
                yield BadDocument(place, error)
            return
        if not only_items or data["type"].startswith("Feature"):
            yield from self._document(place, data, collection)

    def _document(self, place: str, data: Json, collection: Json) -> Iterator[Item | BadDocument]:
        self.visited.add(place)
        kind = data["type"]
        if kind == "Feature":
            yield self._item(place, data, collection)
        elif kind == "FeatureCollection":
            found: Any = data.get("features")
            for item in found if isinstance(found, list) else [found]:
                yield self._item(place, item, collection)
        else:
            yield from self._children(place, data, data if kind == "Collection" else collection)

    def _item(self, place: str, data: Json, collection: Json) -> Item | BadDocument:
        try:
            return with_licence(Item(place, check_item(data, place)), collection or self._collection_of(place, data))
        except DataError as error:
            return BadDocument(place, error)

    def _children(self, place: str, data: Json, collection: Json) -> Iterator[Item | BadDocument]:
        for link in list_links(data):
            if link.get("rel") in ("child", "item"):
                try:
                    target = self.hrefs.resolve(place, link.get("href", ""))
                except DataError as error:
                    yield BadDocument(f"{place}#{link.get('href', '')}", error)
                    continue
                yield from self._read(target, collection)

    def _collection_of(self, place: str, item: Json) -> Json:
        """The collection that an item read by itself links to, {} where none can be read."""
        links = [link for link in list_links(item) if link.get("rel") == "collection"]
        try:
            target = self.hrefs.resolve(place, links[0].get("href", "")) if links else ""
        except DataError:
            return {}
        if target and target not in self.collections:
            try:
                self.collections[target] = read_document(target, self.hrefs.sign(target))
            except DataError:
                self.collections[target] = {}  # the licence is unknown then; the item itself is whole
        return self.collections.get(target, {})


def with_licence(item: Item, collection: Json) -> Item:
    """The item with its licence and providers: its own, else its collection's."""
    stated = item.properties.get("license") or collection.get("license") or ""
    providers = item.properties.get("providers") or collection.get("providers")
    named = [each for each in _listed(providers) if isinstance(each, dict) and each.get("name")]
    names = tuple(str(each["name"]) for each in named)
    credited = [each for each in named if CREDITED & set(map(str, _listed(each.get("roles")) or CREDITED))]
    return Item(item.place, item.data, str(stated), names, tuple(str(each["name"]) for each in credited))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
