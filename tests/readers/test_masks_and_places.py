"""Masks of every kind, and georeferences that cannot be true, against rasterio and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine

from rsflow.errors import DataError
from rsflow.readers import SceneReader, open_scene
from rsflow.readers.listing.sidecars import FolderListings, find_sidecars
from rsflow.records import Raster, SceneFiles
from rsflow.spatial.geometry import Window

SIZE = 64
NAN = float("nan")
UTM = Affine(10, 0, 500_000, 0, -10, 5_000_000)


def noise(dtype: str = "uint8") -> npt.NDArray[Any]:
    return np.random.default_rng(0).integers(10, 200, (3, SIZE, SIZE)).astype(dtype)


def tif(path: Path, pixels: npt.NDArray[Any], **profile: Any) -> None:
    facts = {"crs": "EPSG:32631", "transform": UTM, "count": len(pixels), "height": SIZE, "width": SIZE, "dtype": pixels.dtype}
    with rasterio.open(path, "w", driver="GTiff", **{**facts, **profile}) as file:
        file.write(pixels)


def opened(path: Path, **options: Any) -> SceneReader:
    files = {"": str(path)}
    return open_scene(
        SceneFiles("s.x", "s", "optical", "auto", files, options, find_sidecars(files.values(), FolderListings()))
    )


def read(path: Path, **options: Any) -> Raster:
    with opened(path, **options) as reader:
        return reader.read(Window(0, 0, reader.info.height_px, reader.info.width_px))


def mask_file(path: Path, masks: npt.NDArray[np.uint8], flags: int) -> None:
    """A mask file (https://gdal.org/en/stable/development/rfc/rfc15_nodatabitmask.html); flags 2: one mask for all bands."""
    with rasterio.open(path, "w", driver="GTiff", count=len(masks), height=SIZE, width=SIZE, dtype="uint8") as file:
        file.write(masks)
        file.update_tags(**{f"INTERNAL_MASK_FLAGS_{i + 1}": str(flags) for i in range(len(masks))})


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_each_band_may_have_a_mask_of_its_own(tmp_path: Path, dtype: str) -> None:
    path, masks = tmp_path / "a.tif", np.full((3, SIZE, SIZE), 255, np.uint8)
    for band, rows in enumerate((8, 4, 2)):
        masks[band, :rows] = 0
    tif(path, noise(dtype))
    mask_file(tmp_path / "a.tif.msk", masks, 0)
    raster = read(path)
    with rasterio.open(path) as file:
        assert np.array_equal(raster.valid, file.dataset_mask() != 0)
    assert not raster.valid[:2].any()
    if dtype == "float32":
        assert np.isnan(raster.pixels[0, :8]).all()
        assert np.array_equal(raster.pixels[0, 8:], noise(dtype)[0, 8:])


def test_bands_of_a_mosaic_with_fill_values_of_their_own(tmp_path: Path) -> None:
    pixels, bands = noise(), ""
    for i, rows in enumerate((8, 4, 2)):
        pixels[i, :rows] = i + 1
        tif(tmp_path / f"o{i}.tif", pixels[i : i + 1], nodata=i + 1)
        source = f'<SourceFilename relativeToVRT="1">o{i}.tif</SourceFilename><SourceBand>1</SourceBand>'
        bands += (
            f'<VRTRasterBand dataType="Byte" band="{i + 1}"><NoDataValue>{i + 1}</NoDataValue>'
            f"<SimpleSource>{source}</SimpleSource></VRTRasterBand>"
        )
    (tmp_path / "a.vrt").write_text(f'<VRTDataset rasterXSize="{SIZE}" rasterYSize="{SIZE}">{bands}</VRTDataset>')
    raster = read(tmp_path / "a.vrt")
    assert not raster.valid[:2].any()
    assert raster.valid[2:].all()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_plain_picture_has_the_mask_that_lies_beside_it(tmp_path: Path, suffix: str) -> None:
    path, mask = tmp_path / f"a.{suffix}", np.full((1, SIZE, SIZE), 255, np.uint8)
    mask[:, :8] = 0
    Image.fromarray(np.moveaxis(noise(), 0, -1)).save(path)
    assert read(path).valid.all()
    mask_file(Path(f"{path}.msk"), mask, 2)
    assert np.array_equal(read(path).valid, mask[0] != 0)


def test_a_fill_value_beside_a_picture_is_turned_as_the_picture_is(tmp_path: Path) -> None:
    path, grey = tmp_path / "a.png", noise()[0][:, :32]
    picture = Image.fromarray(grey)
    exif = picture.getexif()
    exif[274] = 6  # a quarter turn
    picture.save(path, exif=exif)
    fill = f'<PAMDataset><PAMRasterBand band="1"><NoDataValue>{grey[0, 0]}</NoDataValue></PAMRasterBand></PAMDataset>'
    Path(f"{path}.aux.xml").write_text(fill)
    raster = read(path)
    assert raster.valid.shape == (32, SIZE)
    assert np.array_equal(raster.valid, np.rot90(grey != grey[0, 0], -1))


@pytest.mark.parametrize(
    ("crs", "transform", "fault"),
    [
        ("EPSG:32631", Affine(1e-12, 0, 5e5, 0, -1e-12, 5e6), "no width or no height"),
        ("EPSG:3857", Affine(10, 0, 5e8, 0, -10, 5e6), "more than a turn around the Earth"),
        ("EPSG:3857", Affine(10, 0, 0, 0, -10, 3e8), "no width or no height"),
        ("EPSG:4326", Affine(1e-4, 0, 45, 0, -1e-4, 120), "nowhere on Earth"),
        ("EPSG:32631", Affine(1000, 0, 5e7, 0, -1000, 5e8), "nowhere on Earth"),
        ("EPSG:3857", Affine(10, 0, 20_037_000, 0, -10, 5e6), None),  # over the antimeridian
        ("EPSG:4326", Affine(1e-4, 0, 359.999, 0, -1e-4, 45), None),
    ],
)
def test_a_georeference_that_cannot_be_true_is_refused(tmp_path: Path, crs: str, transform: Affine, fault: str | None) -> None:
    tif(tmp_path / "a.tif", noise(), crs=crs, transform=transform)
    info = opened(tmp_path / "a.tif").info
    assert (info.georeference, info.footprint is None, info.gsd_m is None) == (
        "crs" if fault is None else "none",
        *2 * [bool(fault)],
    )
    assert (fault or "") in (info.georeference_error or "")


@pytest.mark.parametrize(
    "points", [[(0, 0, 5, 45)] * 4, [(0, 0, 5, 45), (0, 64, 5e6, 45), (64, 0, 5, 44)], [(0, 0, NAN, 45)] * 3]
)
def test_control_points_that_cannot_be_true_are_refused(tmp_path: Path, points: list[tuple[float, ...]]) -> None:
    gcps = [GroundControlPoint(*point) for point in points]
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", count=3, height=SIZE, width=SIZE, dtype="uint8", gcps=gcps, crs="EPSG:4326"
    ) as file:
        file.write(noise())
    info = opened(tmp_path / "a.tif").info
    assert (info.georeference, info.footprint) == ("none", None)
    assert info.georeference_error


@pytest.mark.parametrize(("scale", "offset"), [(1e300, 0.0), (1e-300, 0.0), (1.0, 1e300)])
def test_a_scale_beyond_single_precision_is_refused_by_name(tmp_path: Path, scale: float, offset: float) -> None:
    tif(tmp_path / "a.tif", noise()[:1])
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        file.scales, file.offsets = [scale], [offset]
    with pytest.raises(DataError, match="expected finite numbers and a scale other than 0") as caught:
        opened(tmp_path / "a.tif")
    assert caught.value.reason == "bad_calibration"
