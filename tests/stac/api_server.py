"""A minimal STAC API (core, item search, query, sort, paging by token) over HTTP, for tests.

Source: https://github.com/radiantearth/stac-api-spec/tree/main/item-search.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from shapely import box
from shapely.geometry import shape
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

CLASSES = {
    "core": "https://api.stacspec.org/v1.0.0/core",
    "search": "https://api.stacspec.org/v1.0.0/item-search",
    "query": "https://api.stacspec.org/v1.0.0/item-search#query",
    "sort": "https://api.stacspec.org/v1.0.0/item-search#sort",
    "filter": "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
}
Json = dict[str, Any]


@dataclass
class ApiServer:
    """What the API holds, how it behaves, and the bodies of the searches that came to it with the ids that each one got.

    `statuses`: answers with these instead, one per request, until there are none. `folder`: files below /files, which need
    `token` as their query where there is one; `file_status`: what is answered instead of them.
    """

    address: str = ""
    items: list[Json] = field(default_factory=list)
    classes: list[str] = field(default_factory=lambda: list(CLASSES))
    page: int = 2
    counts: bool = True
    statuses: list[int] = field(default_factory=list)
    searches: list[tuple[Json, list[str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    folder: str = ""
    token: str = ""
    file_status: int = 0
    repeats: bool = False
    method: str = "POST"

    def delivered(self, since: int = 0) -> list[str]:
        """Ids of the items that answers to the searches held, but for those that count only."""
        return [name for body, names in self.searches[since:] if body.get("limit") != 1 for name in names]

    def landing(self, request: Request) -> Response:
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return JSONResponse({"description": "no"}, status)
        self.headers.append(dict(request.headers))
        links = [{"rel": "search", "type": "application/geo+json", "href": f"{self.address}/search"}]
        links[0] |= {"method": "POST"} if self.method == "POST" else {}
        root = {"type": "Catalog", "stac_version": "1.0.0", "id": "api", "description": "an API"}
        classes = {"conformsTo": [CLASSES[name] for name in self.classes]} if self.classes else {}
        return JSONResponse({**root, **classes, "links": links})

    def collection(self, request: Request) -> Response:
        if request.path_params["name"] != "set":
            return JSONResponse({"description": "unknown collection"}, 404)
        links = [{"rel": "items", "href": f"{self.address}/collections/set/items"}, {"rel": "root", "href": self.address}]
        facts = {"type": "Collection", "stac_version": "1.0.0", "id": "set", "license": "CC0-1.0"}
        return JSONResponse({**facts, "providers": [{"name": "Maker"}], "links": links})

    async def search(self, request: Request) -> Response:
        body = json.loads(await request.body()) if self.method == "POST" else _body_of(request.query_params)
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return JSONResponse({"description": "no such thing"}, status)
        self.headers.append(dict(request.headers))
        found = [item for item in self.items if self._fits(item, body)]
        for sort in reversed(body.get("sortby") or []):
            name = sort["field"].removeprefix("properties.")
            found.sort(key=lambda item: str(item["properties"].get(name)), reverse=sort["direction"] == "desc")
        start, size = int(body.get("token") or 0), min(body.get("limit") or self.page, self.page)
        chosen = found[start : start + size]
        self.searches.append((body, [item["id"] for item in chosen]))
        more = {**body, "token": str(start if self.repeats else start + size)}
        following = {"rel": "next", "href": f"{self.address}/search", "method": "POST", "body": more}
        if self.method == "GET":
            asked = {**request.query_params, "token": more["token"]}
            following = {"rel": "next", "href": f"{self.address}/search?{urlencode(asked)}"}
        links = [following] if start + size < len(found) or self.repeats else []
        counted = {"numberMatched": len(found)} if self.counts else {}
        return JSONResponse({"type": "FeatureCollection", "features": chosen, "links": links, **counted})

    def file(self, request: Request) -> Response:
        if self.token and request.url.query != self.token:
            return Response(status_code=403)
        path = f"{self.folder}/{request.path_params['path']}"
        if self.file_status:
            return Response(status_code=self.file_status)
        return FileResponse(path) if os.path.isfile(path) else Response(status_code=404)

    def _fits(self, item: Json, body: Json) -> bool:
        properties, geometry = item["properties"], shape(item["geometry"])
        if body.get("collections") and item["collection"] not in body["collections"]:
            return False
        if body.get("bbox") and not geometry.intersects(box(*body["bbox"])):
            return False
        if body.get("intersects") and not geometry.intersects(shape(body["intersects"])):
            return False
        first, _, last = (body.get("datetime") or "../..").partition("/")
        if (first != ".." and properties["datetime"] < first) or (last != ".." and properties["datetime"] > last):
            return False
        if (condition := body.get("filter")) and not _holds(properties, condition):
            return False
        return all(_passes(properties.get(name), tests) for name, tests in (body.get("query") or {}).items())


def _body_of(parameters: QueryParams) -> Json:
    """The body of a POST that asks what these parameters of a GET ask."""
    body: Json = dict(parameters)
    for name in ("collections", "ids"):
        body |= {name: body[name].split(",")} if name in body else {}
    body |= {"bbox": [float(each) for each in body["bbox"].split(",")]} if "bbox" in body else {}
    body |= {name: json.loads(body[name]) for name in ("intersects", "query", "filter") if name in body}
    body |= {"limit": int(body["limit"])} if "limit" in body else {}
    sorts = [each for each in body.get("sortby", "").split(",") if each]
    directions = [("desc" if each[0] == "-" else "asc", each.lstrip("+-")) for each in sorts]
    return {**body, "sortby": [{"field": name, "direction": direction} for direction, name in directions]}


def _passes(value: Any, tests: Json) -> bool:
    compare = {"eq": lambda a, b: a == b, "lte": lambda a, b: a <= b, "gte": lambda a, b: a >= b}
    return value is not None and all(compare[name](value, operand) for name, operand in tests.items())


def _holds(properties: Json, condition: Json) -> bool:
    if condition["op"] == "and":
        return all(_holds(properties, each) for each in condition["args"])
    name, operand = condition["args"][0]["property"], condition["args"][1]
    operand = operand["timestamp"] if isinstance(operand, dict) else operand
    return _passes(properties.get(name), {{">=": "gte", "<=": "lte", "=": "eq"}[condition["op"]]: operand})


@contextmanager
def serve_api() -> Iterator[ApiServer]:
    """A running API on a free port of this machine."""
    api = ApiServer()
    routes = [
        Route("/", api.landing),
        Route("/collections/{name}", api.collection),
        Route("/search", api.search, methods=["GET", "POST"]),
        Route("/files/{path:path}", api.file, methods=["GET", "HEAD"]),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    api.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield api
    server.should_exit = True
    thread.join()
