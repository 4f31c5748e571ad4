"""A mosaic names files below the user's folder and nothing else, however it spells them."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import rasterio

from rsflow.config.settings import Scenes, Source
from rsflow.errors import DataError
from rsflow.readers import list_scenes, open_scene
from rsflow.readers.listing.mosaic_sources import check_sources
from rsflow.records import SceneFiles

VRT = (
    '<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    '<SourceFilename relativeToVRT="{relative}">{name}</SourceFilename><SourceBand>1</SourceBand>'
    "</SimpleSource></VRTRasterBand></VRTDataset>"
)


def tif(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", "GTiff", 8, 8, 1, dtype="uint8") as file:
        file.write(np.full((1, 8, 8), value, np.uint8))


def vrt(path: Path, name: str, relative: int = 1) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(VRT.format(name=name, relative=relative))
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tif(tmp_path / "set/a.tif", 1)
    tif(tmp_path / "private/b.tif", 2)
    return tmp_path / "set"


OUTSIDE = [
    ("../private/b.tif", 1),
    ("x/../../private/b.tif", 1),
    ("{private}/b.tif", 0),
    ("{private}/b.tif", 1),
    ("file://{private}/b.tif", 0),
    ("vrt://{private}/b.tif?bands=1", 0),
    ("/vsicurl/http://x.org/b.tif", 0),
    ("/vsizip/{private}/b.zip/b.tif", 0),
    ("https://x.org/b.tif", 0),
    ("GTIFF_DIR:1:{private}/b.tif", 0),
    ("GTIFF_DIR:1:../private/b.tif", 1),
    ('NETCDF:"{private}/b.nc":v', 0),
    ("HDF5:{private}/b.h5://group/v", 0),
    ("SENTINEL2_L1C:{private}/MTD.xml:10m:EPSG_32632", 0),
    ("DERIVED_SUBDATASET:LOGAMPLITUDE:{private}/b.tif", 0),
    ("ZARR:{private}/b.zarr:/v", 0),
    ("MEM:::DATAPOINTER=4096,PIXELS=8,LINES=8", 0),
    ("WMS:http://x.org/wms", 0),
    ("PG:host=db.example.org dbname=x", 0),
    ("STACIT:set.json:asset=B04", 1),
    ("&lt;VRTDataset/&gt;", 0),
]


@pytest.mark.parametrize(("name", "relative"), OUTSIDE)
def test_what_leads_out_is_refused_and_named(folder: Path, name: str, relative: int) -> None:
    place = vrt(folder / "m.vrt", name.format(private=folder.parent / "private"), relative)
    with pytest.raises(DataError, match="path_outside") as told:
        check_sources(place)
    assert "m.vrt" in str(told.value)
    check_sources(place, allow_outside=True)


def test_a_mosaic_of_the_set_is_read(folder: Path) -> None:
    for name, relative in (("a.tif", 1), (f"{folder}/a.tif", 0), ("./a.tif", 1), ("GTIFF_DIR:1:a.tif", 1)):
        check_sources(vrt(folder / "m.vrt", name, relative))
    place = vrt(folder / "m.vrt", "a.tif")
    with open_scene(SceneFiles("s", "s", "optical", "geotiff", {"": place})) as reader:
        assert reader.info.width_px == 8


def test_a_file_that_only_ends_otherwise_is_a_mosaic_all_the_same(folder: Path) -> None:
    place = vrt(folder / "m.tif", "../private/b.tif")
    with pytest.raises(DataError, match="path_outside"), open_scene(SceneFiles("s", "s", "optical", "geotiff", {"": place})):
        pass


def test_links_and_mosaics_of_mosaics_are_followed(folder: Path) -> None:
    (folder / "l.tif").symlink_to(folder.parent / "private/b.tif")
    inner = vrt(folder / "inner.vrt", "../private/b.tif")
    for name in ("l.tif", Path(inner).name):
        with pytest.raises(DataError, match="path_outside"):
            check_sources(vrt(folder / "m.vrt", name))


def test_sources_beside_a_mosaic_are_right_where_the_pattern_begins_above_it(folder: Path) -> None:
    vrt(folder / "mosaics/m.vrt", "../a.tif")
    (scene,) = list_scenes(Source("s", "optical", "CC0-1.0", Scenes(f"{folder}/**/*.vrt")))
    with open_scene(scene) as reader:
        assert reader.info.height_px == 8
    with pytest.raises(DataError, match="path_outside"):
        check_sources(f"{folder}/mosaics/m.vrt")


@pytest.mark.parametrize("kind", ["GDAL_WMS", "GDALTileIndexDataset"])
def test_descriptions_of_services_are_refused(folder: Path, kind: str) -> None:
    (folder / "w.xml").write_text(f"<{kind}><Service/></{kind}>")
    with pytest.raises(DataError, match=f"path_outside.*{kind}"):
        check_sources(f"{folder}/w.xml")


def test_what_a_mosaic_may_not_name_is_not_contacted_while_scenes_are_listed(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"/vsicurl/http://127.0.0.1:{server.getsockname()[1]}/x.tif"
        (tmp_path / "v/a.vrt").write_text(
            '<VRTDataset rasterXSize="64" rasterYSize="64"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
            f"<SourceFilename>{address}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
        )
        (scene,) = list_scenes(Source("s", "optical", "CC0", Scenes(f"{tmp_path}/v/*.vrt")))
        with pytest.raises(DataError) as error, open_scene(scene):
            pass
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert error.value.reason == "path_outside"
    assert scene.sidecars == []
