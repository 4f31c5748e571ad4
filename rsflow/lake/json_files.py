"""Small JSON files of a lake: what the last shards were made of, which selection a snapshot belongs to, findings that are kept.

One idea: each holds a digest of its own values, so that an edited or damaged one is detected: it is refused, or, where its
values can be found again (`read_cached_json`), taken for a file that is not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rsflow.errors import LakeError
from rsflow.files import storage

DIGEST_KEY = "sha256"


def read_json(place: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """The values of a file with at least these keys, or None where it was never written.

    LakeError where they are not what `write_json` wrote; files of earlier versions hold no digest.
    """
    text = storage.read_text_if_exists(place)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _damaged(place, str(error)) from error
    if not isinstance(found, dict) or not set(keys) <= set(found):
        raise _damaged(place, f"it lacks {', '.join(keys)}")
    digest = found.pop(DIGEST_KEY, None)
    if digest is not None and digest != _digest(found):
        raise _damaged(place, "its values do not have the digest that was written with them")
    return found


def write_json(place: str, content: Mapping[str, Any]) -> None:
    """Write a file whole, with a digest of its values."""
    text = json.dumps({**content, DIGEST_KEY: _digest(content)}, sort_keys=True)
    storage.write_bytes(place, text.encode())


def read_cached_json(place: str) -> Any | None:
    """What `write_cached_json` kept; None where there is no such file, where it is damaged or of a version without digests."""
    digest, _, text = (storage.read_bytes_if_exists(place) or b"").partition(b"\n")
    return json.loads(text) if digest == hashlib.sha256(text).hexdigest().encode() else None


def write_cached_json(place: str, value: Any) -> None:
    """Keep a value that can be made again, its digest in the first line."""
    text = json.dumps(value).encode()
    storage.write_bytes(place, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _damaged(place: str, reason: str) -> LakeError:
    return LakeError(f"{place}: is damaged ({reason}): delete it and run `rsflow build CONFIG` again")
