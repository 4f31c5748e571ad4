"""GDAL's settings, its spelling of places, and the errors that its failures become.

One idea: settings are few and each has a reason here. Local files are opened as they are; `s3://` and `https://` go through
GDAL's own network files (/vsis3, /vsicurl), which read just the byte ranges that a window needs. GDAL finds AWS credentials
itself, so boto3 is not needed; the endpoint variables that AWS tools share (AWS_ENDPOINT_URL[_S3]) are put in its words.

A fault of the network or of permissions is no damage (rsflow.files.faults). GDAL reports it in words, and not always, so a
failure on a network file is tried again first: `with_retries`.

Refused as damaged: whatever GDAL fails to read, and JPEG blocks that libjpeg only warns of while making pixels up.

Settings: https://gdal.org/en/stable/user/configoptions.html
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import rasterio
import tenacity
from rasterio._err import CPLE_BaseError  # not public, yet it is what reprojection raises
from rasterio.env import set_gdal_config
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.session import DummySession

from rsflow.errors import DataError, StorageError, TransientError, UnavailableError
from rsflow.files import storage
from rsflow.files.faults import FIRST_SECONDS, classify_message, mask_secrets, retry_transient
from rsflow.files.storage import filesystem, is_remote

T = TypeVar("T")

FAILURES: tuple[type[Exception], ...] = (RasterioError, CPLE_BaseError)

MIB = 1 << 20
CACHE_BYTES = (64 * MIB, 256 * MIB)  # of decoded blocks, least and most, in the whole process

_ALWAYS = {
    "GDAL_PAM_ENABLED": "YES",  # .aux.xml files hold nodata, scales and places; only computing statistics would write one
    "GDAL_NUM_THREADS": "1",  # workers are the parallelism; more threads made reading slower
}
_REMOTE = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # listing a bucket folder, or asking for sidecars, costs more than the read
    "GDAL_HTTP_MAX_RETRY": "5",
    "GDAL_HTTP_RETRY_DELAY": "0.5",
    "GDAL_HTTP_CONNECTTIMEOUT": "20",
    "GDAL_HTTP_LOW_SPEED_TIME": "60",  # a stalled transfer ends, a slow one may take its time
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "VSI_CACHE": "TRUE",
    "CPL_VSIL_CURL_NON_CACHED": "/vsis3/:/vsicurl/",  # a file that was repaired is seen by a worker that met the broken one
}


def gdal_path(place: str) -> str:
    """A place as GDAL spells it."""
    if place.startswith("s3://"):
        return "/vsis3/" + place.removeprefix("s3://")
    if place.startswith(("http://", "https://")):
        return "/vsicurl/" + place
    return place.removeprefix("file://")


def place_from_gdal_path(address: str) -> str:
    """The place that GDAL spells so: the inverse of `gdal_path`."""
    if address.startswith("/vsis3/"):
        return "s3://" + address.removeprefix("/vsis3/")
    return address.removeprefix("/vsicurl/")


def environment(place: str, has_sidecars: bool = False) -> Any:
    """The GDAL settings to open (and, for a remote place, to read) under: a context manager that may be entered again.

    `has_sidecars`: other files beside it belong to it (masks, overviews, .aux.xml), so GDAL has to look for them by name.
    """
    remote = {name: value for name, value in _REMOTE.items() if name not in os.environ} if is_remote(place) else {}
    options = {**_ALWAYS, **remote, **(_aws() if place.startswith("s3://") else {})}
    if has_sidecars and is_remote(place):
        options["GDAL_DISABLE_READDIR_ON_OPEN"] = "TRUE"
    return rasterio.Env(session=DummySession(), **options)


def open_dataset(place: str, has_sidecars: bool, overview: int | None = None) -> Any:
    """The file, or one of its overviews (from 0, the finest), as an open rasterio dataset.

    DataError("missing_file" | "unreadable", ...).
    """
    level = {} if overview is None else {"OVERVIEW_LEVEL": overview}
    if not is_remote(place) and not os.path.exists(place.removeprefix("file://")):
        raise DataError("missing_file", f"{place}: there is no such file")
    with translate_errors(place), environment(place, has_sidecars), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        if has_sidecars and is_remote(place):
            # GDAL asks for sidecars one by one, some of them long after opening: through fsspec, whose listing knows them.
            return rasterio.open(place, opener=filesystem(place)[0], **level)
        return rasterio.open(gdal_path(place), **level)


def set_cache(bytes_in_use: int) -> None:
    """Size the process's cache of decoded blocks: GDAL's own default would take 5 % of the memory in each worker."""
    set_gdal_config("GDAL_CACHEMAX", min(max(bytes_in_use, CACHE_BYTES[0]), CACHE_BYTES[1]))


def with_retries(place: str, function: Callable[[], T]) -> T:
    """What the function gives. On a network file it is called again also where it raises DataError("unreadable"), and at last
    the store is asked whether it answers: only then is it the file's fault."""
    patient = retry_transient(function)
    if not is_remote(place):
        return patient()
    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_unreadable),
        wait=tenacity.wait_exponential(FIRST_SECONDS),
        stop=tenacity.stop_after_attempt(_TRIES),
        reraise=True,
    )
    try:
        return again(patient)
    except DataError as error:
        try:
            storage.stat_key(place, fresh=True)
        except UnavailableError:
            raise
        except StorageError as absence:
            raise DataError("missing_file", str(absence)) from error
        raise


_TRIES = 3


def _unreadable(error: BaseException) -> bool:
    return isinstance(error, DataError) and error.reason == "unreadable"


@contextmanager
def translate_errors(place: str) -> Iterator[None]:
    """Turn GDAL's failures, and its warnings of broken JPEG data, into a DataError that names the file and GDAL's reason."""
    _damage.found.clear()
    try:
        yield
    except MemoryError as error:
        raise TransientError(f"{place}: out of memory while reading it") from error
    except FAILURES as error:
        message = "; ".join(_messages(error))
        if kind := classify_message(message, gdal_path(place)):
            raise kind(f"{mask_secrets(place)}: cannot read it: {mask_secrets(message)}") from error
        reason = "missing_file" if any(sign in message for sign in _MISSING) else "unreadable"
        raise DataError(reason, f"{place}: {message}") from error
    if _damage.found:
        raise DataError("unreadable", f"{place}: {_damage.found[0]}")


_MISSING = ("No such file", "does not exist", "response code: 404", "HTTP error code : 404")


class _Damage(logging.Handler):
    """Collects the warnings under which libjpeg goes on with invented pixels; GDAL has no setting that makes them errors."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "Corrupt JPEG data" in message or "Premature end of JPEG" in message:
            self.found.append(message)


_damage = _Damage()
_gdal_log = logging.getLogger("rasterio._err")
_gdal_log.addHandler(_damage)
_gdal_log.setLevel(logging.WARNING)  # whatever a program sets for rasterio as a whole: what is not logged is not found


def _aws() -> dict[str, str]:
    options: dict[str, str] = {}
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        options["AWS_REGION"] = region
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint and "AWS_S3_ENDPOINT" not in os.environ:
        parts = urlsplit(endpoint)
        options["AWS_S3_ENDPOINT"] = parts.netloc + parts.path.rstrip("/")
        options["AWS_HTTPS"] = "NO" if parts.scheme == "http" else "YES"
        options["AWS_VIRTUAL_HOSTING"] = "FALSE"  # stores other than AWS rarely answer at bucket.host
    return options


def _messages(error: BaseException) -> list[str]:
    """What each error of the chain says, outermost first; GDAL's root cause is the last."""
    texts: list[str] = []
    step: BaseException | None = error
    while step is not None:
        text = str(step).strip()
        if text and text not in texts and "See previous exception" not in text:
            texts.append(text)
        step = step.__cause__ or step.__context__
    return texts
