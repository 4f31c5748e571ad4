"""Faults of the surroundings are told from damage, whichever client reports them, and waited for."""

from __future__ import annotations

import errno

import aiohttp
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from rsflow.errors import RsflowError, StorageError, TransientError, UnavailableError
from rsflow.files.faults import classify_error, classify_message, retry_seconds, retry_transient, translate_errors


def s3(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, "ResponseMetadata": {}}, "GetObject")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionResetError(), TransientError),
        (TimeoutError(), TransientError),
        (OSError(errno.EIO, "Input/output error"), TransientError),
        (OSError(errno.ESTALE, "stale"), TransientError),
        (OSError(errno.EMFILE, "too many"), TransientError),
        (MemoryError(), TransientError),
        (s3("SlowDown"), TransientError),
        (s3("InternalError"), TransientError),
        (s3("503"), TransientError),
        (EndpointConnectionError(endpoint_url="http://x"), TransientError),
        (aiohttp.ServerDisconnectedError(), TransientError),
        (aiohttp.ClientPayloadError("Response payload is not completed"), TransientError),
        (OSError("Generic S3 error: Error performing GET http://x in 3s, after 2 retries, max_retries: 2"), TransientError),
        (PermissionError(errno.EACCES, "no"), UnavailableError),
        (s3("AccessDenied"), UnavailableError),
        (s3("InvalidAccessKeyId"), UnavailableError),
        (NoCredentialsError(), UnavailableError),
        (FileNotFoundError(errno.ENOENT, "no"), None),
        (IsADirectoryError(errno.EISDIR, "no"), None),
        (OSError("cannot identify image file"), None),
        (s3("NoSuchKey"), None),
    ],
)
def test_the_kind_of_an_exception(error: Exception, kind: type[UnavailableError] | None) -> None:
    assert classify_error(error) is kind


@pytest.mark.parametrize(("status", "kind"), [(503, TransientError), (403, UnavailableError), (404, None)])
def test_a_web_servers_fault_that_is_reported_as_a_missing_file(status: int, kind: type[UnavailableError] | None) -> None:
    error = FileNotFoundError("http://x/a.tif")
    address = URL("http://x/a.tif")
    request = aiohttp.RequestInfo(address, "HEAD", CIMultiDictProxy(CIMultiDict()))
    error.__cause__ = aiohttp.ClientResponseError(request, (), status=status)
    assert classify_error(error, "http://x/a.tif") is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("HTTP response code: 503", TransientError),
        ("HTTP response code on https://h/x.tif: 502", None),
        ("DownloadRegion: response_code=500, msg=", TransientError),
        ("CURL error: Recv failure: Connection reset by peer", TransientError),
        ("Could not resolve host: h", TransientError),
        ("HTTP error code : 403", UnavailableError),
        ("The AWS Access Key Id you provided does not exist: InvalidAccessKeyId", UnavailableError),
        ("HTTP error code : 404", None),
        ("TIFFReadEncodedTile() failed: got 503 bytes, expected 65536", None),
        ("not recognized as being in a supported file format", None),
    ],
)
def test_the_kind_of_a_text(text: str, kind: type[UnavailableError] | None) -> None:
    assert classify_message(text) is kind


def test_the_name_of_a_file_says_nothing() -> None:
    assert classify_message("/data/timeout 503.tif: not a TIFF", "/data/timeout 503.tif") is None


def test_a_transient_fault_is_waited_for_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[type[Exception]] = []

    @retry_transient
    def fails(kinds: list[type[Exception]]) -> str:
        if len(calls) < len(kinds):
            calls.append(kinds[len(calls)])
            raise calls[-1]("no")
        return "done"

    assert fails([TransientError, TransientError]) == "done"
    calls.clear()
    with pytest.raises(UnavailableError):
        fails([UnavailableError, UnavailableError])
    assert len(calls) == 1
    calls.clear()
    monkeypatch.setenv("RSFLOW_RETRY_SECONDS", "0")
    with pytest.raises(TransientError):
        fails([TransientError, TransientError])
    assert len(calls) == 1


def test_patience_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_RETRY_SECONDS", "soon")
    with pytest.raises(RsflowError, match="RSFLOW_RETRY_SECONDS is 'soon'"):
        retry_seconds()


def test_a_full_disk_ends_the_run_and_is_no_transient_fault() -> None:
    with pytest.raises(StorageError, match="the disk is full") as found, translate_errors("/x", "write"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not isinstance(found.value, UnavailableError)
