"""A STAC API over pystac-client, with its faults classified and its pages followed to the end.

One idea: an answer that does not come, or is no answer, is a fault of the world and never an empty result: network, 5xx and
429 are tried again for as long as patience lasts (rsflow.files.faults), 401 and 403 are credentials, any other 4xx is a search
that the API refuses, which the user has to change. Pages that repeat, and pages without features that promise more, do not
end a search early or make it endless.

Secrets go to the API's own host only: a `next` link may name any other.

Source: https://github.com/radiantearth/stac-api-spec/tree/main/item-search (paging).
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pystac import Link
from pystac_client import Client, ConformanceClasses
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests import Request
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from rsflow.errors import ConfigError, TransientError, UnavailableError
from rsflow.files.faults import mask_secrets, retry_transient
from rsflow.stac.documents import Json, list_links

SECONDS = (20.0, 120.0)  # to connect, and to wait for the next bytes of an answer
_REFUSED, _PASSING = {401, 403, 407}, {408, 425, 429}
SHOWN = 300  # characters of an API's message


class ApiRequests(StacApiIO):
    """Requests to one API. `headers`: header -> environment variable with its value."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self._host, self._headers = urlsplit(address)[:2], {name: _secret(name, variable) for name, variable in headers.items()}
        super().__init__(timeout=SECONDS, max_retries=None, request_modifier=self._authorise)

    def _authorise(self, request: Request) -> Request:
        if urlsplit(request.url)[:2] == self._host:
            request.headers = {**(request.headers or {}), **self._headers}
        return request

    def request(self, href: str, method: str | None = None, headers: Any = None, parameters: Any = None) -> str:
        """The text of an answer. UnavailableError, TransientError or ConfigError where none comes, or a refusal."""
        return str(retry_transient(self._request_once)(href, method, headers, parameters))

    def _request_once(self, href: str, method: str | None, headers: Any, parameters: Any) -> str:
        try:
            return str(super().request(href, method, headers, parameters))
        except APIError as error:
            raise _translate(error, href) from error

    def read_answer(self, source: str | Link, method: str | None = None, parameters: Json | None = None) -> Json:
        """The JSON object of an answer. UnavailableError where it is none: a proxy's or a login's page."""
        how = {} if isinstance(source, Link) else {"method": method}
        text = self.read_text(source, parameters=parameters, **how)
        try:
            found = json.loads(text)
        except ValueError as error:
            raise UnavailableError(
                f"{_address(source)}: its answer is no JSON ({error}); is this the address of a STAC API?"
            ) from error
        if not isinstance(found, dict):
            raise UnavailableError(f"{_address(source)}: its answer is a {type(found).__name__}, expected an object")
        return found

    def get_pages(self, url: str, method: str | None = None, parameters: Json | None = None) -> Iterator[Json]:
        """All pages of a search, each once."""
        page, visited = self.read_answer(url, method, parameters), set()
        while True:
            if not isinstance(page.get("features"), list):
                raise UnavailableError(f"{mask_secrets(url)}: a page of its answer has no `features`")
            yield page
            following = next((link for link in list_links(page) if link.get("rel") == "next"), None)
            if following is None:
                return
            key = json.dumps([following.get("href"), following.get("body")], sort_keys=True)
            if key in visited:
                raise UnavailableError(f"{mask_secrets(url)}: the search has no end, its pages repeat: {mask_secrets(key)}")
            visited.add(key)
            page = self.read_answer(Link.from_dict(following), parameters=parameters)


def open_api(address: str, root: Json, requests: ApiRequests) -> Client:
    """A client for the API whose landing page is `root`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client: Client = Client.from_dict(root)
    client.set_self_href(address)
    client._stac_io = requests
    if not client.conforms_to(ConformanceClasses.ITEM_SEARCH):  # its landing page links to a search all the same
        client.add_conforms_to("ITEM_SEARCH")
    return client


def is_api(document: Json) -> bool:
    """Whether a document is the landing page of an API that can search."""
    classes = [str(each) for each in document.get("conformsTo") or []]
    links = [link.get("rel") for link in list_links(document)]
    return any("item-search" in each for each in classes) or "search" in links


def api_of_collection(document: Json) -> str:
    """The address of the API whose collection a document is; "" for anything else."""
    links = {link.get("rel"): str(link.get("href")) for link in list_links(document)}
    is_served = document.get("type") == "Collection" and "items" in links and not {"item", "child"} & set(links)
    return links.get("root", "") if is_served and links.get("root", "").startswith(("http://", "https://")) else ""


def can(client: Client, what: ConformanceClasses) -> bool:
    return bool(client.conforms_to(what))


def _secret(header: str, variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise ConfigError(f"the environment variable {variable} is not set; scenes.stac.headers takes {header} from it")
    return value


def _translate(error: APIError, href: str) -> Exception:
    address, message = mask_secrets(href), mask_secrets(" ".join(str(error).split()))[:SHOWN]
    status = getattr(error, "status_code", None)
    if status is None:
        if isinstance(error.__context__, (InvalidSchema, InvalidURL, MissingSchema)):
            return ConfigError(f"{address}: is no address that can be asked ({message})")
        return TransientError(f"{address}: does not answer: {message}")
    if status in _REFUSED:
        return UnavailableError(
            f"{address}: refuses access (status {status}); check scenes.stac.headers and its environment variables"
        )
    if status in _PASSING or status >= 500:
        return TransientError(f"{address}: does not answer (status {status}): {message}")
    return ConfigError(f"{address}: refuses the request (status {status}): {message}")


def _address(source: str | Link) -> str:
    return mask_secrets(str(source.href if isinstance(source, Link) else source))
