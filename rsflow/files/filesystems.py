"""Places: paths and URLs, the fsspec file system of each, and paths below a root.

One idea: a place is a string. File systems are made here only, so that every client has the same time limits and retries.
"""

from __future__ import annotations

import os
import posixpath
from typing import Any

import fsspec

from rsflow.errors import StorageError


def is_remote(place: str) -> bool:
    return "://" in place and not place.startswith("file://")


def join(root: str, *parts: str) -> str:
    """A place below a root. A part that would leave the root (absolute, or with `..`) is refused with ValueError."""
    for part in parts:
        if part.startswith("/") or ".." in part.split("/"):
            raise ValueError(f"{part!r} would leave {root!r}")
    return posixpath.join(root.rstrip("/") if root != "/" else root, *parts)


def filesystem(place: str) -> tuple[Any, str]:
    """The fsspec file system of a place, and the place's path on it."""
    if _has_plain_colons(place):
        # fsspec would take the colons for a chain of file systems.
        scheme = place.partition("://")[0] if "://" in place else "file"
        plain = fsspec.filesystem(scheme, **(_s3_options() if scheme == "s3" else {}))
        return plain, str(plain._strip_protocol(place))
    if "://" not in place and "::" not in place:  # most are; fsspec would look for chains and protocols for longer
        local = fsspec.filesystem("file")
        return local, str(local._strip_protocol(place))
    try:
        fs, path = fsspec.core.url_to_fs(place, **(_s3_options() if place.startswith("s3://") else {}))
    except (ImportError, ValueError) as error:
        raise StorageError(f"{place}: no file system for this address ({error})") from error
    return fs, path


def _has_plain_colons(place: str) -> bool:
    """Whether `::` is part of a file name or key: no address or known protocol stands on both of its sides."""
    chained = place.split("::")
    return len(chained) > 1 and "://" not in place.split("::", 1)[1] and chained[0] not in fsspec.available_protocols()


def _s3_options() -> dict[str, Any]:
    # fsspec keeps file systems by their arguments: with the endpoint among them, another endpoint is another file system.
    # A server that stopped answering is given up after a minute rather than never. Parts of an upload are tried again by
    # botocore, because a stream cannot be begun again from here.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    retries = {"mode": "standard", "max_attempts": int(os.environ.get("AWS_MAX_ATTEMPTS", 6))}
    config = {"connect_timeout": 20, "read_timeout": 60, "retries": retries}
    # The variable is GDAL's and rasterio's: buckets whose requests their readers pay are listed with it too.
    pays = {"requester_pays": True} if os.environ.get("AWS_REQUEST_PAYER", "").lower() == "requester" else {}
    return {"endpoint_url": endpoint, "config_kwargs": config, **pays}
