"""KeepBands: bands as they were read, and runs that tell which pixels mean nothing."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rsflow.errors import DataError
from rsflow.schemas import IN_FLIGHT, pack_arrays
from rsflow.stages.label.keep_bands import KeepBands, find_runs

LAW = settings(deadline=None)  # a busy machine is no failure


def in_flight(*tiles: tuple[npt.NDArray[Any], npt.NDArray[np.bool_]], rejected: tuple[str | None, ...] = ()) -> pa.Table:
    rows = [
        {
            "tile_id": f"s/{i}",
            "bands": [f"b{n}" for n in range(len(pixels))],
            "pixels_dtype": pixels.dtype.str,
            "pixels_shape": list(pixels.shape),
            "pixel_unit": "reflectance",
            "nodata": [0.0, None, 7.0][: len(pixels)],
            "calibration": [{"scale": 0.5, "offset": -1.0, "unit": "", "origin": "setting"}] * len(pixels),
            "reject_reason": reason,
        }
        for i, ((pixels, _), reason) in enumerate(zip(tiles, rejected or [None] * len(tiles), strict=True))
    ]
    table = pa.Table.from_pylist(rows, schema=IN_FLIGHT)
    for name, values in (("pixels", [pixels for pixels, _ in tiles]), ("valid", [valid for _, valid in tiles])):
        table = table.set_column(table.schema.get_field_index(name), IN_FLIGHT.field(name), pack_arrays(values))
    return table


def kept(table: pa.Table) -> list[dict[str, Any]]:
    (done,) = KeepBands().open()(table)
    assert done.schema == IN_FLIGHT
    rows: list[dict[str, Any]] = done.to_pylist()
    return rows


@LAW
@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)))
def test_runs_tell_just_the_pixels_that_are_true(chosen: npt.NDArray[np.bool_]) -> None:
    found = find_runs(chosen)
    again = np.zeros(chosen.size, np.bool_)
    for start, stop in zip(found[::2], found[1::2], strict=True):
        assert start < stop
        again[start:stop] = True
    assert np.array_equal(again.reshape(chosen.shape), chosen)
    assert found == sorted(set(found))  # as few as there can be


@LAW
@given(
    st.sampled_from(["uint8", "uint16", "int16", "int32", "float32", "float64"]),
    st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)),
    st.integers(0, 2**32 - 1),
)
def test_bands_come_back_as_they_were(dtype: str, shape: tuple[int, int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 120, shape).astype(dtype)
    if dtype.startswith("float"):
        pixels.flat[0] = np.nan
    (row,) = kept(in_flight((pixels, random.random(shape[1:]) < 0.5)))
    again = np.load(io.BytesIO(row["raw_bands"]))
    assert (again.dtype, again.shape) == (pixels.dtype, pixels.shape)
    assert again.tobytes() == pixels.tobytes()
    how = {"scale": [0.5] * shape[0], "offset": [-1.0] * shape[0], "calibrated_by": ["setting"] * shape[0]}
    told = {"dtype": dtype, "unit": "reflectance", "nodata": [0.0, None, 7.0][: shape[0]], **how}
    sha256 = hashlib.sha256(row["raw_bands"]).hexdigest()
    assert row["raw"] == {**told, "bytes": len(row["raw_bands"]), "sha256": sha256}


def test_windows_of_several_sizes_and_rejected_tiles() -> None:
    whole, edge = np.arange(48, dtype=np.uint16).reshape(3, 4, 4), np.arange(18, dtype=np.uint16).reshape(3, 3, 2)
    masked = np.ones((3, 2), np.bool_)
    masked[1] = False
    good = np.ones((4, 4), np.bool_)
    table = in_flight((whole, good), (edge, masked), (whole, good), rejected=(None, None, "cloudy"))
    rows = {row["tile_id"]: row for done in KeepBands().open()(table) for row in done.to_pylist()}
    assert np.array_equal(np.load(io.BytesIO(rows["s/0"]["raw_bands"])), whole)
    assert np.array_equal(np.load(io.BytesIO(rows["s/1"]["raw_bands"])), edge)
    assert [rows[f"s/{i}"]["raw_invalid"] for i in range(3)] == [[], [2, 4], None]
    assert rows["s/2"]["raw"] is rows["s/2"]["raw_bands"] is None


def test_pixels_that_loaders_do_not_take_are_told() -> None:
    with pytest.raises(DataError, match="raw bands are uint32, expected uint8, int16, uint16, int32, float32, float64"):
        kept(in_flight((np.zeros((1, 2, 2), np.uint32), np.ones((2, 2), np.bool_))))
