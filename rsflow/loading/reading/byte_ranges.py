"""Byte ranges of remote files: concurrent requests, adjacent ranges merged, transient failures retried.

One idea: a failure is transient (a server's error, a dropped or stalled connection, too many requests) or permanent (no such
file, no permission). Only ranges that failed transiently are requested again, after a growing pause. The result is bytes of the
requested length or the failure; a short response is never taken for the whole.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import fsspec.asyn

from rsflow.errors import StorageError
from rsflow.files import storage

T = TypeVar("T")

_GAP_BYTES = 64 << 10  # two ranges this close cost less as one request
_MAX_REQUEST_BYTES = 8 << 20  # of a merged request: what is lost when it fails
_MAX_PAUSE_SECONDS = 30.0
_PERMANENT_ERRORS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_RETRY_STATUSES = {408, 425, 429}  # HTTP's own "try again later" among the codes that blame the asker


class Range(NamedTuple):
    """The bytes [start, stop) of the file at `place`."""

    place: str
    start: int
    stop: int


class ShortReadError(ConnectionError):
    """Fewer bytes arrived than were requested: a broken connection, or a file that is shorter than its manifest says."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed request is retried, the pause before the first retry (it doubles), and the timeout of a request."""

    retries: int = 5
    pause_seconds: float = 0.5
    stall_seconds: float = 60.0

    def pause(self, attempt: int) -> None:
        time.sleep(min(_MAX_PAUSE_SECONDS, self.pause_seconds * 2**attempt))


def read_ranges(
    ranges: Sequence[Range], retry_policy: RetryPolicy, on_retry: Callable[[int], None]
) -> list[bytes | StorageError]:
    """The bytes of each range, or the error that stays after all retries. All ranges are of one file system.

    `on_retry` gets the number of requests that are retried.
    """
    merged = _merge_ranges(ranges)
    found: list[bytes | StorageError] = [b""] * len(merged)
    missing = list(range(len(merged)))
    for attempt in range(retry_policy.retries + 1):
        for i, answer in zip(missing, _request_ranges([merged[i] for i in missing], retry_policy.stall_seconds), strict=True):
            found[i] = answer
        missing = [i for i in missing if isinstance(answer := found[i], StorageError) and is_transient(answer)]
        if not missing or attempt == retry_policy.retries:
            break
        on_retry(len(missing))
        retry_policy.pause(attempt)
    return _split_merged(ranges, merged, found)


def retry_call(call: Callable[[], T], retry_policy: RetryPolicy, on_retry: Callable[[int], None]) -> T:
    """What `call` returns, called again where it raises a StorageError of the passing kind."""
    for attempt in range(retry_policy.retries):
        try:
            return call()
        except StorageError as error:
            if not is_transient(error):
                raise
        on_retry(1)
        retry_policy.pause(attempt)
    return call()


def is_transient(error: StorageError) -> bool:
    """Whether the request may succeed when it is retried."""
    cause = error.__cause__
    status = getattr(cause, "status", None)  # of aiohttp's errors
    if isinstance(status, int) and 400 <= status < 500 and status not in _RETRY_STATUSES:
        return False
    return not isinstance(cause, _PERMANENT_ERRORS) and getattr(cause, "errno", None) not in _DISK_FULL_ERRNOS


def _merge_ranges(ranges: Sequence[Range]) -> list[Range]:
    """Fewest requests that cover all ranges, sorted: adjacent ranges of one file are merged, gaps included."""
    merged: list[Range] = []
    for one in sorted(set(ranges)):
        last = merged[-1] if merged else None
        if (
            last
            and last.place == one.place
            and one.start - last.stop <= _GAP_BYTES
            and one.stop - last.start <= _MAX_REQUEST_BYTES
        ):
            merged[-1] = Range(one.place, last.start, max(last.stop, one.stop))
        else:
            merged.append(one)
    return merged


def _split_merged(
    ranges: Sequence[Range], merged: list[Range], found: list[bytes | StorageError]
) -> list[bytes | StorageError]:
    parts: dict[Range, bytes | StorageError] = {}
    whole = iter(zip(merged, found, strict=True))
    request, data = next(whole, (None, b""))
    for one in sorted(set(ranges)):
        while request is None or one.place != request.place or one.stop > request.stop:
            request, data = next(whole)
        parts[one] = data[one.start - request.start : one.stop - request.start] if isinstance(data, bytes) else data
    return [parts[one] for one in ranges]


def _request_ranges(ranges: list[Range], stall_seconds: float) -> list[bytes | StorageError]:
    """One attempt at each range, all at the same time."""
    fs, _ = storage.filesystem(ranges[0].place)
    paths = [storage.filesystem(one.place)[1] for one in ranges]
    if not getattr(fs, "async_impl", False):
        return [_whole(one, partial(fs.cat_file, path, one.start, one.stop)) for one, path in zip(ranges, paths, strict=True)]

    async def together() -> list[Any]:
        calls = (fs._cat_file(path, start=one.start, end=one.stop) for one, path in zip(ranges, paths, strict=True))
        return await asyncio.gather(*(asyncio.wait_for(call, stall_seconds) for call in calls), return_exceptions=True)

    answers = fsspec.asyn.sync(fs.loop, together)
    return [_whole(one, partial(_raise_or_return, answer)) for one, answer in zip(ranges, answers, strict=True)]


def _whole(one: Range, ask: Callable[[], Any]) -> bytes | StorageError:
    """The answer if it has the requested length, else the failure. What is no failure of storage is a bug and raised."""
    try:
        with storage.translate_errors(one.place, "read"):
            data = ask()
            if len(data) != one.stop - one.start:
                raise ShortReadError(f"{len(data)} bytes came for a request of {one.stop - one.start} from byte {one.start}")
            return bytes(data)
    except StorageError as error:
        return error


def _raise_or_return(answer: bytes | BaseException) -> bytes:
    if isinstance(answer, BaseException):
        raise answer
    return answer
