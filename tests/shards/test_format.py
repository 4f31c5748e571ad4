"""Headers and records: what other readers of tar make of them, and what is refused."""

from __future__ import annotations

import io
import math
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import DataError
from rsflow.shards.format import BAND_DTYPES, Sample, canonical_json, encode_bands, padding_bytes, parse_tar_header, tar_header

LAW = settings(deadline=None)  # a busy machine is no failure


@LAW
@given(st.from_regex(r"[0-9a-z_-]{1,90}\.[a-z]{1,8}", fullmatch=True), st.integers(0, 8**11 - 1))
def test_tarfile_reads_the_header(name: str, size: int) -> None:
    info = tarfile.TarInfo.frombuf(tar_header(name, size), "utf-8", "strict")
    assert (info.name, info.size, info.mode, info.mtime, info.uid, info.gid) == (name, size, 0o644, 0, 0, 0)
    assert (info.type, info.uname, info.gname) == (tarfile.REGTYPE, "", "")
    assert parse_tar_header(tar_header(name, size)) == (name, size)


@LAW
@given(st.integers(0, 511), st.integers(1, 255))
def test_any_changed_byte_of_a_header_is_noticed(position: int, change: int) -> None:
    block = bytearray(tar_header("0123456789abcdef0123.json", 4711))
    block[position] ^= change
    try:
        found = parse_tar_header(bytes(block))
    except (ValueError, DataError):
        return
    pytest.fail(f"byte {position} ^ {change} read as {found}")


def test_names_and_sizes_beyond_the_fields_are_refused() -> None:
    assert len(tar_header("k" * 96 + ".jpg", 0)) == 512
    with pytest.raises(DataError, match=r"101 bytes, a tar header holds 100"):
        tar_header("k" * 97 + ".jpg", 0)
    with pytest.raises(DataError, match="holds up to"):
        tar_header("k.jpg", 8**11)


@LAW
@given(st.integers(0, 10**6))
def test_padding_fills_the_block(size: int) -> None:
    assert (size + padding_bytes(size)) % 512 == 0
    assert 0 <= padding_bytes(size) < 512


@pytest.mark.parametrize("key", ["", "a.b", "a/b", "a b", "ä"])
def test_keys_that_readers_would_cut_are_refused(key: str) -> None:
    with pytest.raises(DataError, match="expected letters"):
        Sample(key, b"", "jpg", {}).members()


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", b"bytes", {1, 2}])
def test_records_that_json_cannot_spell_are_refused(value: object) -> None:
    with pytest.raises(DataError, match="not plain JSON"):
        Sample("k", b"", "jpg", {"value": value}).members()


def test_other_picture_formats_are_refused() -> None:
    with pytest.raises(DataError, match="'tif', expected jpg or png"):
        Sample("k", b"", "tif", {}).members()


@pytest.mark.parametrize(
    "others", [{"json": b""}, {"sar.tif": b""}, {"png": b""}, {"SAR.png": b""}, {"sar.png": b"", "sar.jpg": b""}]
)
def test_other_members_than_pictures_and_bands_are_refused(others: dict[str, bytes]) -> None:
    with pytest.raises(DataError, match=r"expected a <sensor>\.png or jpg of each, npy or masks"):
        Sample("k", b"", "jpg", {"sensor": "optical"}, others).members()
    with pytest.raises(DataError, match=r"expected a <sensor>\.png or jpg of each, npy or masks"):
        Sample("k", b"", "jpg", {"sensor": "optical"}, {"optical.png": b""}).members()


def test_json_is_canonical() -> None:
    assert canonical_json({"b": 0.1, "a": "ø", "c": [1, None]}) == '{"a":"ø","b":0.1,"c":[1,null]}'.encode()


@pytest.mark.parametrize("record", [{}, {"sensor": "sar"}, {"sensor": "sar", "instructions": [{}]}])
def test_a_record_without_sensor_or_tasks_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(DataError, match="no sensor or instructions"):
        Sample("k", b"", "jpg", record).kind()


@pytest.mark.parametrize("kind", [*BAND_DTYPES, np.dtype(">u2"), np.dtype(">f4")], ids=str)
@pytest.mark.parametrize("shape", [(1, 1, 1), (13, 5, 7), (3, 1000, 2)])
def test_numpy_reads_raw_bands(kind: np.dtype[np.generic], shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 250, shape).astype(kind)
    data = encode_bands(pixels)
    again = np.load(io.BytesIO(data), allow_pickle=False)
    assert np.array_equal(again, pixels)
    assert (len(data) - pixels.nbytes) % 64 == 0
    assert again.dtype == kind.newbyteorder("<")
    assert encode_bands(pixels.transpose(0, 2, 1)) == encode_bands(np.ascontiguousarray(pixels.transpose(0, 2, 1)))


def test_raw_bands_of_another_type_are_refused() -> None:
    with pytest.raises(DataError, match="raw bands are complex64, expected uint8"):
        encode_bands(np.zeros((1, 2, 2), np.complex64))
