"""The files that decide with a scene's own what is read of it."""

from __future__ import annotations

import numpy as np
import rasterio

from rsflow.readers.listing.sidecars import FolderListings, drop_sidecars, find_sidecars


def names(files):
    return [file.rsplit("/", 1)[-1] for file in files]


def test_masks_overviews_and_metadata_beside_a_file_belong_to_it_and_neighbours_do_not(tmp_path):
    for name in ("a.tif", "a.tif.msk", "a.tif.aux.xml", "a.TFW", "a.tif.ovr", "a_RPC.TXT", "ab.tif", "ab.tif.msk", "a.json"):
        (tmp_path / name).write_bytes(b"x")
    found = names(find_sidecars([str(tmp_path / "a.tif")], FolderListings()))
    assert found == sorted(["a.tif.msk", "a.tif.aux.xml", "a.TFW", "a.tif.ovr", "a_RPC.TXT"])
    assert find_sidecars([str(tmp_path / "none" / "b.tif")], FolderListings()) == []


def test_what_belongs_to_a_listed_file_is_no_scene_of_its_own():
    scenes = ["d/a.tif", "d/b.PNG", "d/c.jpg", "e/a.tif"]
    beside = [
        "d/a.tif.msk",
        "d/a.tif.aux.xml",
        "d/a.tif.ovr",
        "d/a.tfw",
        "d/A.TFW",
        "d/b.pgw",
        "d/c.jgw",
        "d/c.prj",
        "d/a_RPC.TXT",
    ]
    others = ["d/z.tfw", "d/a.msk", "d/a.tif.xml", "d/a.json", "f/a.tfw"]  # of no listed file, or of another kind
    assert drop_sidecars([*scenes, *beside, *others]) == [*scenes, *others]


def vrt(path, source, relative=1):
    path.write_text(
        '<VRTDataset rasterXSize="20" rasterYSize="20"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f'<SourceFilename relativeToVRT="{relative}">{source}</SourceFilename><SourceBand>1</SourceBand>'
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    return path


def test_a_vrt_depends_on_its_sources_theirs_and_what_lies_beside_them(write_tif, tmp_path, noise):
    write_tif("deep/x.tiff", noise(1, 20, 20))
    (tmp_path / "deep" / "x.tiff.aux.xml").write_text("<PAMDataset/>")
    vrt(tmp_path / "deep" / "inner.vrt", "x.tiff")
    outer = vrt(tmp_path / "outer.vrt", "deep/inner.vrt")
    assert names(find_sidecars([str(outer)], FolderListings())) == ["inner.vrt", "x.tiff", "x.tiff.aux.xml"]
    with rasterio.open(outer) as dataset:
        assert np.array_equal(dataset.read(), noise(1, 20, 20))


def test_a_vrt_that_cannot_be_opened_has_none_here(tmp_path):
    (tmp_path / "a.vrt").write_text("<VRTDataset")
    assert find_sidecars([str(tmp_path / "a.vrt")], FolderListings()) == []
