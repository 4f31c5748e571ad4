"""Where the documents and assets of a catalogue lie: hrefs resolved against the document that holds them, and signed.

One idea: what a document names lies below the folder that the user gave (rsflow.files.data_paths). An API has no folder: what
its items name is any address on the network. A document that came over the network never names a file of this machine.

A signature is the value of an environment variable, added as the query of addresses below the prefix that the user named it
for. It is in no message, table or file: storage.mask_secrets takes the queries of addresses off whatever is shown or stored.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urljoin

from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.files.data_paths import resolve_below

WEB = ("http://", "https://")
NETWORK = (*WEB, "s3://")


@dataclass(frozen=True, slots=True)
class Hrefs:
    """`folder`: what everything must lie below; None for an API. `signatures`: prefix of addresses -> environment variable."""

    folder: str | None
    allow_outside: bool = False
    signatures: Mapping[str, str] | None = None

    def resolve(self, document: str, href: str) -> str:
        """The place that `href` names in the document at `document`. DataError `path_outside` where it may not lie there."""
        if not isinstance(href, str) or not href.strip():
            raise DataError("bad_item", f"{document}: has an asset or link without an href")
        if not storage.is_remote(document):
            return self._local(document, href)
        place = _join_address(document, href)
        if not place.startswith(NETWORK):
            raise DataError(
                "path_outside", f"{document}: names {href!r}, expected an address ({', '.join(NETWORK)}) or a relative path"
            )
        if self.folder is None or self.allow_outside:
            return place
        return resolve_below(self.folder, place)

    def sign(self, place: str) -> str:
        """The place with the signature of its prefix, where it has one. ConfigError where its variable is not set."""
        for prefix, variable in (self.signatures or {}).items():
            if place.startswith(prefix):
                token = os.environ.get(variable, "").strip().lstrip("?&")
                if not token:
                    raise ConfigError(f"the environment variable {variable} is not set; scenes.stac.sign takes it for {prefix}")
                return f"{place}{'&' if '?' in place else '?'}{token}"
        return place

    def _local(self, document: str, href: str) -> str:
        if self.allow_outside and href.startswith(NETWORK):
            return href
        folder = posixpath.dirname(document)
        place = href if posixpath.isabs(href) or "://" in href else posixpath.normpath(posixpath.join(folder, href))
        resolved = resolve_below(self.folder or folder, place, self.allow_outside)
        if "%" in href and not storage.exists(resolved):  # a relative reference is spelled as an address is
            return resolve_below(self.folder or folder, unquote(place), self.allow_outside)
        return resolved


def _join_address(document: str, href: str) -> str:
    if document.startswith(WEB) or "://" in href:
        return urljoin(document.partition("?")[0], href)
    scheme, _, path = document.partition("://")
    return f"{scheme}://{posixpath.normpath(posixpath.join(posixpath.dirname(path), href))}"
