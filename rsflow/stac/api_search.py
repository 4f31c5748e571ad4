"""The items that an API finds: all of them the first time, afterwards what is new or changed.

One idea: what an API can do itself (filter, query, sort) it is asked to do; what it cannot is done here. A later search asks
for items since the watermark (rsflow.stac.known_items): by `updated` or `created` where the API filters by properties, else by
`datetime` since OVERLAP before the latest one, so that a scene which arrives late is found. Then the API's own count of all
matches is compared with what is known: where they differ, everything is asked for again. So items that vanish, and those that
no longer match, are noticed. Without counts this is not detected: there an item stays a scene while its files are there.

A search with a `limit` is short and always asked in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pystac_client import Client, ConformanceClasses

from rsflow.config.stac_settings import StacSearch, parse_period
from rsflow.errors import ConfigError, DataError
from rsflow.files.storage import mask_secrets
from rsflow.stac.api_client import ApiRequests, can, open_api
from rsflow.stac.documents import Item, Json, check_item
from rsflow.stac.hrefs import WEB
from rsflow.stac.items.item_filter import cloud_query, passes_query
from rsflow.stac.known_items import Watermark, read_known, search_key, watermark, write_known
from rsflow.stac.static_catalogue import BadDocument, with_licence

OVERLAP = timedelta(days=30)
PAGE = 250  # items of an answer


@dataclass(frozen=True)
class ApiSearch:
    """A search of the API at `address`, whose landing page is `root`."""

    search: StacSearch
    area: Json | None
    address: str
    client: Client
    requests: ApiRequests

    def run(self, lake_root: str | None, keep: bool) -> list[Item | BadDocument]:
        """Every item that matches now. `keep`: what is known in the lake afterwards. Raises UnavailableError, ConfigError."""
        key = search_key(self.search, self.area)
        known = [] if self.search.limit else read_known(lake_root, key)
        mark = watermark(known)
        found = self._since(known, mark) if mark else None
        if found is None:
            found = self._ask(None)
        items = [each for each in found if isinstance(each, Item)]
        if keep and lake_root and not self.search.limit and len(items) == len(found) and _addresses(items) != _addresses(known):
            write_known(lake_root, key, items)
        return found

    def _since(self, known: list[Item], mark: Watermark) -> list[Item | BadDocument] | None:
        """What is known with what came since, where that is all that the API has; else None."""
        new = self._ask(mark)
        merged = {(item.collection, item.id): item for item in known}
        for item in new:
            if not isinstance(item, Item):
                return None
            merged[(item.collection, item.id)] = item
        return list(merged.values()) if self._count() in (None, len(merged)) else None

    def _ask(self, mark: Watermark | None) -> list[Item | BadDocument]:
        results = self.client.search(max_items=self._most(), limit=PAGE, method=self._method(), **self._parameters(mark))
        collections: dict[str, Json] = {}
        found: list[Item | BadDocument] = []
        for data in results.items_as_dicts():
            try:
                item = self._item(data, collections)
            except DataError as error:
                found.append(BadDocument(_self_address(data, self.address), error))
                continue
            if passes_query(item, cloud_query(self.search)):
                found.append(item)
        return found

    def _most(self) -> int | None:
        """How many items are asked for: not `limit` where the API does not sort or filter as the search says."""
        sorts = not self.search.sort or can(self.client, ConformanceClasses.SORT)
        return self.search.limit if sorts and self._filters_query else None

    def _method(self) -> str:
        links = [link for link in self.client.links if link.rel == "search"]
        methods = {str(link.extra_fields.get("method", "GET")).upper() for link in links}
        return "POST" if "POST" in methods else "GET"

    @property
    def _filters_query(self) -> bool:
        return not cloud_query(self.search) or can(self.client, ConformanceClasses.QUERY)

    def _count(self) -> int | None:
        """The API's count of all matches, None where it does not count them; -1 where it counts what the search leaves out."""
        if not self._filters_query:
            return -1
        results = self.client.search(limit=1, method=self._method(), **self._parameters(None))
        answer = self.requests.read_answer(results.url, results.method, {**results.get_parameters(), "limit": 1})
        count = answer.get("numberMatched", (answer.get("context") or {}).get("matched"))
        return count if isinstance(count, int) else None

    def _parameters(self, mark: Watermark | None) -> dict[str, Any]:
        search = self.search
        if search.filter and not can(self.client, ConformanceClasses.FILTER):
            raise ConfigError(
                f"scenes.stac.filter: {mask_secrets(self.address)} does not filter (STAC API extension); use query"
            )
        query = cloud_query(search) if can(self.client, ConformanceClasses.QUERY) else {}
        first, last = parse_period(search.period) if search.period else (None, None)
        conditions = [search.filter] if search.filter else []
        if mark and mark.field != "datetime" and can(self.client, ConformanceClasses.FILTER):
            conditions.append({"op": ">=", "args": [{"property": mark.field}, {"timestamp": _format_time(mark.latest)}]})
        elif mark and mark.field != "datetime" and can(self.client, ConformanceClasses.QUERY):
            query = {**query, mark.field: {**query.get(mark.field, {}), "gte": _format_time(mark.latest)}}
        elif mark:
            since = mark.latest - OVERLAP
            first = max(first, since) if first else since
        return {
            "collections": list(search.collections) or None,
            "bbox": list(search.bbox) if search.bbox else None,
            "intersects": self.area,
            "datetime": f"{_format_time(first)}/{_format_time(last)}" if first or last else None,
            "query": query or None,
            "filter": conditions[0] if len(conditions) == 1 else {"op": "and", "args": conditions} if conditions else None,
            "sortby": list(search.sort) if search.sort and can(self.client, ConformanceClasses.SORT) else None,
        }

    def _item(self, data: Json, collections: dict[str, Json]) -> Item:
        item = Item(_self_address(data, self.address), check_item(data, _self_address(data, self.address)))
        if item.collection and item.collection not in collections and not item.properties.get("license"):
            collections[item.collection] = self._collection(item.collection)
        return with_licence(item, collections.get(item.collection, {}))

    def _collection(self, name: str) -> Json:
        try:
            return self.requests.read_answer(f"{self.address.partition('?')[0].rstrip('/')}/collections/{name}")
        except ConfigError:
            return {}  # an API without collections: the licence is unknown


def search_api(search: StacSearch, area: Json | None, root: Json, requests: ApiRequests) -> ApiSearch:
    return ApiSearch(search, area, search.href, open_api(search.href, root, requests), requests)


def _format_time(time: datetime | None) -> str:
    return ".." if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _self_address(data: Any, api: str) -> str:
    """The address of an item, without what may be a secret in it: a password, a query."""
    links = data.get("links") or [] if isinstance(data, dict) else []
    found = next((link.get("href") for link in links if isinstance(link, dict) and link.get("rel") == "self"), None)
    name = (
        f"{api.partition('?')[0].rstrip('/')}/collections/{data.get('collection')}/items/{data.get('id')}"
        if isinstance(data, dict)
        else api
    )
    parts = urlsplit(str(found) if str(found).startswith(WEB) else name)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _addresses(items: Iterable[Item]) -> set[tuple[str, str, str]]:
    return {(item.collection, item.id, str(item.properties.get("updated"))) for item in items}
