"""The scenes of a source that is a STAC catalogue or API, and what of it gives none.

One idea: an item that is broken is listed too, with its reason, and becomes a reject like a file that cannot be opened. Items
that others replace are no scenes; they are counted as rejects of the source, which no limit fails.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rsflow.config.settings import Source
from rsflow.config.stac_settings import StacSearch
from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.readers.listing.acquisition_time import check_rule, check_rule_matches
from rsflow.readers.listing.scene_listing import short_digest, to_slug
from rsflow.readers.listing.sidecars import FolderListings
from rsflow.records import Reject, SceneFiles
from rsflow.stac.api_client import ApiRequests, api_of_collection, is_api
from rsflow.stac.api_search import search_api
from rsflow.stac.documents import Item, Json
from rsflow.stac.hrefs import WEB, Hrefs
from rsflow.stac.items.item_filter import make_filter, read_area, sort_items
from rsflow.stac.items.item_scene import broken_scene, item_scene, source_settings
from rsflow.stac.items.versions import split_superseded
from rsflow.stac.static_catalogue import BadDocument, CatalogueWalk, find_root, is_document

Found = Item | BadDocument


@dataclass(frozen=True, slots=True)
class StacScenes:
    """`scenes` sorted by id, broken ones among them; `rejects`: items that are no scenes because others replace them."""

    scenes: list[SceneFiles]
    rejects: list[Reject]


def list_stac_scenes(source: Source, lake_root: str | None = None, keep: bool = False) -> StacScenes:
    """Every item of the source's catalogue or search as a scene.

    `lake_root`: where what an API gave before is kept; `keep`: write there what it gives now. ConfigError where nothing is
    found or the search cannot be made, UnavailableError where the catalogue or API does not answer.
    """
    search = source.scenes.stac
    assert search
    if source.scenes.acquired_at is not None:
        check_rule(source.scenes.acquired_at, f"source {source.name}: acquired_at")
    try:
        found, hrefs = _find(source, search, lake_root, keep)
    except DataError as error:
        raise ConfigError(f"source {source.name}: scenes.stac: {error.detail}") from error
    if not found:
        raise ConfigError(
            f"source {source.name}: scenes.stac: {storage.mask_secrets(search.href)} has no item that fits; "
            "widen collections, area, period, max_cloud_percent or query"
        )
    unique, doubled = _drop_doubles([each for each in found if isinstance(each, Item)])
    items, replaced = split_superseded(unique)
    bad = [*(each for each in found if isinstance(each, BadDocument)), *doubled]
    scenes = [*_scenes(source, _first(items, search), hrefs), *_broken(source, bad)]
    if source.scenes.acquired_at is not None:
        check_rule_matches(source.scenes.acquired_at, [path for one in scenes for path in one.files.values()], source.name)
    rejects = [
        Reject("scene", f"{source.name}.{to_slug(item.id)}", error.reason, error.detail, item.place) for item, error in replaced
    ]
    return StacScenes(sorted(scenes, key=lambda scene: scene.scene_id), rejects)


def _find(source: Source, search: StacSearch, lake_root: str | None, keep: bool) -> tuple[list[Found], Hrefs]:
    area, outside = read_area(search), source.scenes.allow_outside
    if search.href.startswith(WEB):
        requests = ApiRequests(search.href, search.headers)
        address = Hrefs(None, False, search.sign).sign(search.href)
        root = requests.read_answer(address)
        if landing := api_of_collection(root):
            search = replace(search, href=landing, collections=search.collections or (str(root.get("id")),))
            root = requests.read_answer(landing)
        if is_api(root):
            return search_api(search, area, root, requests).run(lake_root, keep), Hrefs(None, outside, search.sign)
    return _walk(search, area, outside)


def _walk(search: StacSearch, area: Json | None, outside: bool) -> tuple[list[Found], Hrefs]:
    if search.filter:
        raise ConfigError("scenes.stac.filter: a static catalogue does not filter; use query, period and area")
    root = find_root(search.href)
    folder = root.partition("?")[0].rpartition("/")[0] if is_document(root) else root
    hrefs, fits = Hrefs(folder, outside, search.sign), make_filter(search, area)
    found: list[Found] = []
    for each in CatalogueWalk(hrefs).items(root):
        try:
            if isinstance(each, BadDocument) or fits(each):
                found.append(each)
        except DataError as error:
            found.append(BadDocument(each.place, error))
    return found, hrefs


def _first(items: list[Item], search: StacSearch) -> list[Item]:
    """As many items as the search's limit allows, in its order."""
    return sort_items(items, search.sort)[: search.limit]


def _drop_doubles(items: Sequence[Item]) -> tuple[list[Item], list[BadDocument]]:
    """Each item once. Of different items with one id in one collection all but the first, by address, are bad."""
    by_id: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.place):
        by_id[item.collection, item.id].append(item)
    bad = []
    for (_, name), same in by_id.items():
        for other in same[1:]:
            if _content(other) != _content(same[0]):
                detail = (
                    f"{other.place}: another item of its collection has the id {name} too, {same[0].place}: ids must differ"
                )
                bad.append(BadDocument(other.place, DataError("duplicate_id", detail)))
    return [same[0] for same in by_id.values()], bad


def _content(item: Item) -> Json:
    return {key: item.data.get(key) for key in ("properties", "assets", "geometry")}


def _scenes(source: Source, items: Sequence[Item], hrefs: Hrefs) -> list[SceneFiles]:
    near, settings, scenes = FolderListings(), source_settings(source), []
    for name, item in zip(_names(items), items, strict=True):
        try:
            scenes.append(item_scene(source, settings, f"{source.name}.{name}", item, hrefs, near))
        except DataError as error:
            scenes.append(broken_scene(source, f"{source.name}.{name}", item.place, error))
    return scenes


def _names(items: Sequence[Item]) -> list[str]:
    """What each scene is called within its source: the item's id, with its collection's where several have it."""
    alone = Counter(to_slug(item.id) for item in items)
    full = Counter(to_slug(f"{item.collection}__{item.id}") for item in items)
    names = []
    for item in items:
        short, long = to_slug(item.id), to_slug(f"{item.collection}__{item.id}")
        unique = long if full[long] == 1 else f"{long[:100]}-{short_digest(f'{item.collection}/{item.id}')}"
        names.append(short if alone[short] == 1 else unique)
    return names


def _broken(source: Source, documents: Sequence[BadDocument]) -> list[SceneFiles]:
    """Scenes that stand for documents without one, named by their address and what is wrong."""
    times: Counter[tuple[str, str]] = Counter()
    scenes = []
    for each in documents:
        key = (each.place, each.error.detail)
        name = f"{to_slug(each.place.rpartition('/')[2] or 'document')[:100]}-{short_digest(f'{key}{times[key]}')}"
        times[key] += 1
        scenes.append(broken_scene(source, f"{source.name}.{name}", each.place, each.error))
    return scenes
