"""Whatever a document holds in the wrong place, its item is a scene or a reject with a reason, and the others stay scenes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rsflow.errors import DataError
from rsflow.readers import open_scene
from tests.stac.catalogue import Catalogue, Json
from tests.stac.conftest import List

WRONG: tuple[Any, ...] = (None, 5, -1, True, "x", "", [], [1], ["x"], [None], {}, {"x": 1}, float("nan"), 1e400)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The key path of every value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*at, key)
        yield from paths(each, (*at, key))


def with_value(document: Json, path: tuple[Any, ...], value: Any) -> Json:
    changed = copy.deepcopy(document)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


def full_item(catalogue: Catalogue) -> Json:
    facts = {
        "gsd": 10,
        "proj:epsg": 32633,
        "proj:transform": [10, 0, 5, 0, -10, 5],
        "proj:shape": [32, 32],
        "instruments": ["a"],
    }
    document = catalogue.add_scene(
        "full", **facts, **{"eo:cloud_cover": 3, "platform": "p", "version": "1", "updated": "2020-01-01"}
    )
    document["links"] = [{"rel": "collection", "href": "./collection.json"}, {"rel": "self", "href": "./full.json"}]
    document["properties"] |= {
        "license": "MIT",
        "providers": [{"name": "A", "roles": ["producer"]}],
        "sar:polarizations": ["VV"],
    }
    document["assets"] = {"B04": {**document["assets"]["B04"], "proj:shape": [32, 32]}}
    return document


def test_no_wrong_value_of_an_item_ends_a_listing(catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("good")
    document = full_item(catalogue)
    cases = [(path, value) for path in paths(document) for value in WRONG]
    assert len(cases) > 800
    searches: list[dict[str, Any]] = [
        {},
        {"bbox": (15.0, 45.0, 16.0, 46.0), "period": "2020", "query": {"datetime": {"gt": "2"}}},
    ]
    for number, (path, value) in enumerate(cases):
        catalogue.write("full.json", with_value(document, path, value))
        found = list_all(catalogue.folder, **searches[number % 2], **({"sort": ("gsd",)} if number % 3 == 0 else {}))
        assert "s.good" in {scene.scene_id for scene in found.scenes}, (path, value)
        if number % 7 == 0:
            for scene in found.scenes:
                if "listing_error" not in scene.options:
                    with suppress(DataError):  # a reject of that scene
                        open_scene(scene).close()


def test_no_wrong_value_of_a_catalogue_ends_a_listing(catalogue: Catalogue, list_all: List) -> None:
    catalogue.add_scene("good")
    child = {"type": "Catalog", "stac_version": "1.0.0", "id": "sub", "links": [{"rel": "item", "href": "../good.json"}]}
    catalogue.link("./sub/catalog.json", "child")
    for path in paths(child):
        for value in WRONG:
            catalogue.write("sub/catalog.json", with_value(child, path, value))
            assert "s.good" in {scene.scene_id for scene in list_all(catalogue.folder).scenes}, (path, value)
    for features in WRONG:
        catalogue.write("all.json", {"type": "FeatureCollection", "features": features})
        catalogue.links[-1:] = [{"rel": "child", "href": "./all.json"}]
        catalogue.save()
        assert "s.good" in {scene.scene_id for scene in list_all(catalogue.folder).scenes}, features
