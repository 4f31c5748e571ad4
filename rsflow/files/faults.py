"""Faults of the surroundings: how each client reports them, what is tried again, and the messages about them.

One idea: a fault of the network, of permissions, credentials or memory says nothing of the data. It is recognised here, once
for all clients (Python, botocore, s3fs, aiohttp, GDAL, deltalake), as an UnavailableError, which never becomes a reject. Those
that may pass by themselves are TransientErrors and are tried again with growing, random pauses, for RSFLOW_RETRY_SECONDS (60).

Codes of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import tenacity

from rsflow.errors import RsflowError, StorageError, TransientError, UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = "RSFLOW_RETRY_SECONDS"
FIRST_SECONDS, MOST_SECONDS = 0.2, 10.0  # of the pauses


def retry_transient(function: Callable[P, T]) -> Callable[P, T]:
    """The same function, called again for as long as patience lasts while it raises TransientError."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        again = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=tenacity.wait_random_exponential(multiplier=FIRST_SECONDS, max=MOST_SECONDS),
            stop=tenacity.stop_before_delay(retry_seconds()),
            reraise=True,
        )
        return again(function, *args, **kwargs)

    return call


def retry_seconds() -> float:
    """How long a transient fault is borne. Raises RsflowError where the environment holds no number."""
    text = os.environ.get(PATIENCE, "60")
    try:
        seconds = float(text)
    except ValueError as error:
        raise RsflowError(f"{PATIENCE} is {text!r}: expected a number of seconds") from error
    return max(seconds, 0.0)


@contextmanager
def translate_errors(place: str, doing: str) -> Iterator[None]:
    """Turn what a file system raises into a StorageError that names the place, what failed and what to do."""
    try:
        yield
    except _file_errors() as error:
        kind = classify_error(error, place) or StorageError
        raise kind(f"{mask_secrets(place)}: cannot {doing} it: {describe_error(error)}{_at(error, place)}") from error
    except _loaded(_REMOTE_LIBRARIES) as error:
        kind = classify_error(error, place) or StorageError
        raise kind(
            f"{mask_secrets(place)}: cannot {doing} it: {mask_secrets(str(error))} "
            "(check the address, the network and the credentials)"
        ) from error


def _at(error: BaseException, place: str) -> str:
    """The path at fault where it is another than the place."""
    path = getattr(error, "filename", None)
    return f" at {path}" if isinstance(path, str) and path and path not in place else ""


def classify_error(error: BaseException, place: str = "") -> type[UnavailableError] | None:
    """The kind of fault of the surroundings that a client's exception stands for; None where it may be the data's fault."""
    if isinstance(error, FileNotFoundError):
        # fsspec reports whatever goes wrong while a web server is asked for a file's size as this.
        return classify_error(error.__cause__, place) if error.__cause__ is not None else None
    if isinstance(error, PermissionError):
        return UnavailableError
    if isinstance(error, (MemoryError, TimeoutError, ConnectionError)) or getattr(error, "errno", None) in _PASSING:
        return TransientError
    status = getattr(error, "status", None)  # of an aiohttp.ClientResponseError
    return classify_message(f"{type(error).__name__}: {error}" + (f" (code {status})" if status else ""), place)


def classify_message(text: str, place: str = "") -> type[UnavailableError] | None:
    """The same of a text: clients that are not written in Python report what happened in words only."""
    text = text.replace(place, "") if place else text
    if _REFUSED.search(text):
        return UnavailableError
    return TransientError if _TRANSIENT.search(text) else None


_PASSING = {
    *(errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE),
    *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT),
}
_CODE = r"(?:code|status|error|Generic \w+ error.*?response)[^\w\n]{0,4}"  # "HTTP response code: 503", "status 503", "(503)"
_REFUSED = re.compile(
    rf"{_CODE}(?:401|403|407)\b|\b(?:403 Forbidden|401 Unauthorized)\b|\(403\)|\(401\)"
    "|AccessDenied|Access ?Denied|Permission denied"
    "|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|RequestExpired|AllAccessDisabled|AccountProblem"
    "|NoCredentials|PartialCredentials|CredentialRetrieval|ProfileNotFound|TokenRetrieval|UnauthorizedSSOToken"
    "|Unable to locate credentials|No valid AWS credentials|InvalidCredentials|Operation not permitted"
)
_TRANSIENT = re.compile(
    rf"{_CODE}(?:408|425|429|500|502|503|504)\b|\((?:408|425|429|500|502|503|504)\)"
    "|SlowDown|Slow Down|InternalError|Internal Server Error|ServiceUnavailable|Service Unavailable|Bad Gateway|Gateway Time"
    "|Too ?Many ?Requests|RequestTimeout|RequestTimeTooSkewed|Throttl|reduce your request rate|OperationAborted"
    "|[Tt]imed out|Time-?out|timeout|Connection (?:was )?(?:reset|refused|aborted|closed)|Connection(?:Closed|Reset|Refused)"
    "|Could not resolve|Couldn't resolve|Temporary failure in name resolution|dns error|failed to lookup address"
    "|Could not connect|Couldn't connect|Failed to connect|error sending request|error decoding response body"
    "|Empty reply from server|Server disconnected|ServerDisconnected|Recv failure|Send failure|Broken pipe|ContentLengthError"
    "|ClientPayloadError|IncompleteRead|Response payload is not completed|transfer closed|IncompleteMessage"
    "|HTTPClientError|EndpointConnectionError|ResponseStreamingError|ClientConnectorError|ClientOSError|Network is unreachable"
    "|No route to host|SSL_ERROR|SSLError|Stale file handle|Input/output error|Too many open files|retries, max_retries"
    "|Out of memory|out of memory|Cannot allocate memory|MemoryError"
)


_SPACE = "the disk is full. What was committed is safe: free space and run again"
_WHY = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "no permission (check its owner and mode, or credentials)",
    errno.EPERM: "no permission (check its owner and mode, or credentials)",
    errno.EROFS: "the file system is read-only: choose a place that can be written",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EFBIG: "the file would be larger than this process or file system may write (ulimit -f)",
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
}


def describe_error(error: BaseException) -> str:
    """What went wrong, in words. Libraries that are not written in Python report the system's error as text only."""
    number = error.errno if isinstance(error, OSError) else None
    text = " ".join(str(error).split())
    if number not in _WHY:
        number = next((known for known in _WHY if f"(os error {known})" in text or os.strerror(known) in text), None)
    if number is None and isinstance(error, (FileNotFoundError, PermissionError)):
        number = errno.ENOENT if isinstance(error, FileNotFoundError) else errno.EACCES
    return _WHY[number] if number is not None else mask_secrets(text)


def mask_secrets(text: str) -> str:
    """The text with passwords and signatures of the addresses in it masked: it may be shown, logged and stored."""
    return _QUERY.sub(rf"\1?{MASK}", _USER.sub(rf"\1{MASK}@", text))


MASK = "***"
_USER = re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s@'\"]*@")  # scheme://user:password@host
_QUERY = re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\",)\]]+")  # a presigned address carries its signature in the query


# What libraries raise in place of OSError, looked up only where they were loaded, because loading costs.
_FILE_LIBRARIES = (("safetensors", "SafetensorError"),)
_REMOTE_LIBRARIES = (
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
)


def _file_errors() -> tuple[type[BaseException], ...]:
    return (OSError, MemoryError, *_loaded(_FILE_LIBRARIES))


def _loaded(names: tuple[tuple[str, str], ...]) -> tuple[type[Exception], ...]:
    return tuple(getattr(sys.modules[module], name) for module, name in names if module in sys.modules)
