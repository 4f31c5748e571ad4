"""The server of the page: its routes, and the lake's state that they read.

One idea: routes turn an address into one call of the modules beside this one and its result into JSON. The lake is only read;
with review one more route adds decisions.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rsflow import __version__
from rsflow.errors import RsflowError, UsageError
from rsflow.files.storage import mask_secrets
from rsflow.lake.tables import Lake
from rsflow.stages.label.cut_scenes import sample_key
from rsflow.viewer.index.index import SampleIndex, build_index, lake_versions
from rsflow.viewer.index.lake_rows import LakeRows
from rsflow.viewer.index.live_receipts import find_live_receipts
from rsflow.viewer.queries.embedding_map import embedding_map
from rsflow.viewer.queries.filters import ORDERS, SampleFilter, parse_filter
from rsflow.viewer.queries.ground_map import ground_map
from rsflow.viewer.queries.pages import PAGE_ROWS, count_rejects, count_values, first_texts, reject_page, sample_page
from rsflow.viewer.queries.pictures import Pictures, rejected_picture
from rsflow.viewer.queries.reviews import Reviews, review_facts
from rsflow.viewer.queries.sample_records import sample_records
from rsflow.viewer.security import COOKIE, Access, Guard

_ASSETS = files("rsflow.viewer") / "assets"
_ASSET_TYPES = {"css": "text/css", "js": "text/javascript", "html": "text/html", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class State:
    """One state of the lake, read."""

    index: SampleIndex
    rows: LakeRows
    pictures: Pictures

    @classmethod
    def of(cls, lake: Lake) -> State:
        index = build_index(lake, find_live_receipts(lake))
        return cls(index, LakeRows(index), Pictures(index))


class LakeView:
    """The latest state of a lake; `refresh` reads it again where a build has changed it. `review`: decisions may be added."""

    def __init__(self, lake: Lake, review: bool = False) -> None:
        self.lake = lake
        self.review = review
        self.reviews = Reviews(lake)
        self._lock = threading.Lock()
        self.state = State.of(lake)
        self.reviews.refresh(self.state.rows)

    def refresh(self) -> State:
        with self._lock:
            if lake_versions(self.lake) != self.state.index.versions:
                self.state = State.of(self.lake)
            self.reviews.refresh(self.state.rows)
            return self.state


def make_app(view: LakeView, access: Access, background: str = "") -> Starlette:
    """The page of a lake. `background`: the address of map tiles with {z}, {x} and {y}, or empty."""

    def get_lake(request: Request) -> Any:
        state = view.refresh()
        counts = state.index.rows(
            "SELECT (SELECT count(*) FROM samples) AS samples, (SELECT count(*) FROM samples WHERE selected) AS selected, "
            "(SELECT count(*) FROM labels) AS labels, (SELECT count(*) FROM texts) AS instructions, "
            "(SELECT count(*) FROM rejects) AS rejects"
        )[0]
        facts = {"root": mask_secrets(view.lake.root), "version": __version__, "note": mask_secrets(state.index.receipts.note)}
        reviewing = review_facts(view.reviews) if view.review else None
        return {
            **facts,
            "review": reviewing,
            "counts": counts,
            "background": background,
            "orders": list(ORDERS),
            "secret": access.secret,
        }

    def get_samples(request: Request) -> Any:
        limit = _whole(request, "limit", PAGE_ROWS)
        page = sample_page(view.state.rows, _filter(request, view), request.query_params.get("after", ""), limit)
        return {**page, "samples": view.reviews.mark(page["samples"])}

    def get_rejects(request: Request) -> Any:
        return reject_page(view.state.index, dict(request.query_params), _whole(request, "after", -1))

    def get_picture(request: Request) -> Response:
        picture = view.state.pictures.read(request.path_params["key"])
        headers = {"etag": f'"{picture.sha256}"', "cache-control": "private, max-age=31536000, immutable"}
        return Response(picture.data, media_type=picture.media_type, headers=headers)

    def get_rejected(request: Request) -> Response:
        data = rejected_picture(view.state.index, request.path_params["n"])
        headers = {"cache-control": "no-store"}  # another state of the lake numbers its rejects anew
        return Response(data, media_type="image/jpeg", headers=headers)

    routes = {
        "/api/lake": get_lake,
        "/api/samples": get_samples,
        "/api/texts": lambda request: first_texts(view.state.rows, request.query_params.getlist("key")),
        "/api/counts": lambda request: count_values(view.state.rows, _filter(request, view)),
        "/api/map": lambda request: ground_map(view.state.rows, _filter(request, view)),
        "/api/embedding": lambda request: embedding_map(
            view.state.rows, _filter(request, view), request.query_params.get("labeller", "")
        ),
        "/api/rejects": get_rejects,
        "/api/reject-counts": lambda request: count_rejects(view.state.index),
        "/api/sample/{key}": lambda request: view.reviews.describe(sample_records(view.state.rows, request.path_params["key"])),
        "/api/picture/{key}": get_picture,
        "/api/rejected/{n:int}": get_rejected,
        "/assets/{name}": _asset,
        "/": lambda request: _front_page(access),
    }
    made = [Route(path, _answer(endpoint), methods=["GET"]) for path, endpoint in routes.items()]
    if view.review:
        made.append(Route("/api/decisions", _decision(view), methods=["POST"]))
    return Starlette(routes=made, middleware=[Middleware(Guard, access=access)])


def _answer(endpoint: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """The endpoint with its result as JSON and its errors as a status; it runs in a thread of its own."""

    def answer(request: Request) -> Response:
        try:
            found = endpoint(request)
        except UsageError as error:
            return _json({"error": mask_secrets(str(error))}, 404 if request.path_params else 400)
        except RsflowError as error:
            return _json({"error": mask_secrets(str(error))}, 500)
        return found if isinstance(found, Response) else _json(found)

    return answer


def _decision(view: LakeView) -> Callable[[Request], Awaitable[Response]]:
    """The route that adds a decision; the Guard has let through what came from the page only."""

    async def decide(request: Request) -> Response:
        try:
            decision = orjson.loads(await request.body())
        except ValueError as error:
            return _json({"error": f"expected a JSON object: {error}"}, 400)
        if not isinstance(decision, dict):
            return _json({"error": "expected a JSON object"}, 400)
        return await run_in_threadpool(_answer(lambda _: view.reviews.decide(view.state.rows, decision)), request)

    return decide


def _json(content: Any, status: int = 200) -> Response:
    data = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY, default=str)
    return Response(data, status, {"cache-control": "no-store"}, "application/json")


def _filter(request: Request, view: LakeView) -> SampleFilter:
    """The filter of an address; with `queue`, of the samples that were drawn for review."""
    query: Mapping[str, list[str]] = {name: request.query_params.getlist(name) for name in request.query_params}
    chosen = parse_filter(query)
    if "queue" not in query:
        return chosen
    tiles = {item["tile_id"] for item in view.reviews.drawn}
    return replace(chosen, keys=tuple(sorted(sample_key(tile) for tile in tiles)))


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.lstrip("-").isdigit():
        raise UsageError(f"{name} is {text!r}: expected a whole number")
    return int(text)


def _front_page(access: Access) -> Response:
    found = Response((_ASSETS / "index.html").read_bytes(), media_type="text/html; charset=utf-8")
    found.headers["cache-control"] = "no-store"
    if access.token:
        found.set_cookie(COOKIE, access.token, httponly=True, samesite="strict")
    return found


def _asset(request: Request) -> Response:
    """A file of the page: one of those that this package holds, by its name alone."""
    name = request.path_params["name"]
    known = {each.name: each for each in _ASSETS.iterdir()}
    if name not in known:
        raise UsageError(f"there is no such file: {name}")
    kind = _ASSET_TYPES[name.rpartition(".")[2]]
    return Response(known[name].read_bytes(), media_type=f"{kind}; charset=utf-8", headers={"cache-control": "no-cache"})
