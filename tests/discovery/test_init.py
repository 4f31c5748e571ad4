"""`rsflow init`: what folders hold, and a draft that builds."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
import yaml
from PIL import Image
from rasterio.transform import from_origin

from rsflow.cli import main
from rsflow.discovery import attach_layers, find_annotations, find_scene_groups, list_tree, pair_sources
from rsflow.planning.recipe import load

rng = np.random.default_rng(0)


def picture(path, size=64):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 255, (size, size, 3), np.uint8)).save(path)


def raster(path, bands=1, dtype="uint16", corner=(500_000, 5_000_000), **profile):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"count": bands, "height": 64, "width": 64, "dtype": dtype}
    place = {"crs": "EPSG:32633", "transform": from_origin(*corner, 10, 10)}
    with rasterio.open(path, "w", driver="GTiff", **shape, **place, **profile) as to:
        to.write(rng.integers(1, 200, (bands, 64, 64)).astype(dtype))


def voc(path, name="ship", inside="<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<annotation><filename>{path.stem}.jpg</filename><size><width>64</width><height>64</height><depth>3</depth></size>"
        f"<object><name>{name}</name>{inside}</object></annotation>"
    )


def found(folder):
    tree = list_tree([str(folder)])
    groups = find_scene_groups(tree)
    return attach_layers(tree, groups, *pair_sources(tree, groups, find_annotations(tree)))


def test_yolo_with_its_pictures_in_sibling_folders(tmp_path):
    for number in range(3):
        picture(tmp_path / f"set/images/train/{number:04d}.jpg")
        label = tmp_path / f"set/labels/train/{number:04d}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("0 0.5 0.5 0.2 0.2\n1 0.25 0.25 0.1 0.1\n")
    (tmp_path / "set/labels/classes.txt").write_text("ship\nplane\n")
    (source,), _ = found(tmp_path)
    assert source.annotations.format == "yolo"
    assert source.annotations.categories == {"plane": 3, "ship": 3}


def test_grey_pictures_stored_as_colour_are_asked_about(tmp_path):
    """Radar and thermal sets come as JPEG of three bands: these tell nothing of the sensor, colours do."""
    (tmp_path / "grey").mkdir()
    grey = np.repeat(rng.integers(0, 255, (64, 64, 1), np.uint8), 3, axis=2)
    Image.fromarray(grey).save(tmp_path / "grey/a.jpg")
    picture(tmp_path / "colour/b.jpg")
    for folder, is_known in (("grey", False), ("colour", True)):
        (source,), _ = found(tmp_path / folder)
        assert bool(source.sensor_reason) == is_known, folder


def test_pictures_of_two_suffixes_with_one_folder_of_annotations_are_one_source(tmp_path):
    picture(tmp_path / "trees/a.png")
    raster(tmp_path / "trees/b.tif", 3, "uint8")
    raster(tmp_path / "trees/c.tif", 1, "float32")
    for name in "ab":
        voc(tmp_path / f"trees/{name}.xml", "tree")
    sources, _ = found(tmp_path)
    annotated = [source for source in sources if source.annotations]
    assert [(source.scenes.count, source.annotations.format) for source in annotated] == [(2, "voc")]
    assert {pattern.rpartition("/")[2] for pattern in annotated[0].scenes.patterns} == {"*.png", "b.tif"}


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("imagesource:GoogleEarth\ngsd:0.1\n1 1 9 1 9 9 1 9 plane 0\n", "dota"),
        ("1.0 1.0 9.0 1.0 9.0 9.0 1.0 9.0 small-vehicle 1\n", "dota"),
    ],
)
def test_text_files_are_told_by_their_lines(tmp_path, text, format):
    picture(tmp_path / "images/P0001.png")
    (tmp_path / "labelTxt").mkdir()
    (tmp_path / "labelTxt/P0001.txt").write_text(text)
    (source,), _ = found(tmp_path)
    assert source.annotations.format == format


def test_the_fuller_format_is_taken_and_the_other_is_named(tmp_path):
    picture(tmp_path / "JPEGImages/a.jpg")
    voc(tmp_path / "Annotations_hbb/a.xml")
    turned = "<robndbox><cx>20</cx><cy>20</cy><w>10</w><h>5</h><angle>0.3</angle></robndbox>"
    voc(tmp_path / "Annotations_obb/a.xml", inside=turned)
    (source,), _ = found(tmp_path)
    assert source.annotations.format == "rolabelimg"
    assert [other.format for other in source.others] == ["voc"]


def test_class_folders_are_classes_and_folders_of_unlike_files_are_not(tmp_path):
    for name in ("forest", "harbour"):
        picture(tmp_path / "eurosat" / name / f"{name}_1.jpg")
    raster(tmp_path / "archive/north/a.tif", 3, "uint8")
    raster(tmp_path / "archive/south/b.tif", 1, "float32")
    sources, _ = found(tmp_path)
    assert {source.name: source.scenes.classes for source in sources} == {
        "eurosat": ("forest", "harbour"),
        "north": (),
        "south": (),
    }


def test_files_per_band_get_the_satellites_names_and_unknown_numbers_are_asked(tmp_path):
    for band in ("B02", "B03", "B04", "B08"):
        raster(tmp_path / f"sentinel2/S2_2020-05-01_{band}.tif")
        raster(tmp_path / f"landsat8/LC08_{band}.tif")
        raster(tmp_path / f"drone/x_{band}.tif")
    sources = {source.name: source for source in found(tmp_path)[0]}
    assert sources["sentinel2"].scenes.bands == {"blue": "B02", "green": "B03", "red": "B04", "nir": "B08"}
    assert sources["sentinel2"].acquired_at
    assert sources["landsat8"].scenes.bands == {"blue": "B02", "green": "B03", "red": "B04", "pan": "B08"}
    assert sources["drone"].scenes.bands == {"b02": "B02", "b03": "B03", "b04": "B04", "b08": "B08"}


def test_product_folders_that_hold_metadata_alone_are_left_out(tmp_path):
    for name, bands in (("S2A_MSIL2A_1", ("B02", "B03")), ("S2A_MSIL2A_2", ())):
        safe = tmp_path / f"{name}.SAFE"
        safe.mkdir()
        (safe / "MTD_MSIL2A.xml").write_text("<x/>")
        for band in bands:
            raster(safe / f"GRANULE/L2A/IMG_DATA/R10m/T_X_{band}_10m.tif")
    (source,), _ = found(tmp_path)
    assert (source.scenes.product, source.scenes.count) == ("sentinel2_l2a", 1)
    assert source.scenes.patterns == (str(tmp_path / "S2A_MSIL2A_1.SAFE"),)
    (tmp_path / "S2A_MSIL2A_2.SAFE/GRANULE/L2A/IMG_DATA/R10m").mkdir(parents=True)
    raster(tmp_path / "S2A_MSIL2A_2.SAFE/GRANULE/L2A/IMG_DATA/R10m/T_X_B02_10m.tif")
    (source,), _ = found(tmp_path)
    assert source.scenes.patterns == (str(tmp_path / "*.SAFE"),)


def test_what_is_no_scene_is_not_used_and_said(tmp_path):
    raster(tmp_path / "a/scene.tif", 3, "uint8")
    raster(tmp_path / "a/scene_dem.tif", 1, "float32")
    raster(tmp_path / "a/worldcover.tif", 1, "uint8")
    (tmp_path / "a/broken.tif").write_bytes(b"II*\0nothing")
    (tmp_path / "a/roads.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    sources, unused = found(tmp_path)
    assert [source.scenes.count for source in sources] == [1]
    reasons = " ".join(each.reason for each in unused)
    assert [layer.format for layer in sources[0].layers] == ["field"]
    for word in ("map of classes", "cannot be read", "vector"):
        assert word in reasons


@pytest.mark.parametrize(
    ("path", "bands", "sensor", "told"),
    [
        ("hit_uav/x.tif", 1, "infrared", True),
        ("S1A_rtc/S1A_x.tif", 1, "sar", True),
        ("anything/x.tif", 4, "optical", True),
        ("anything/x.tif", 1, "optical", False),
    ],
)
def test_a_sensor_that_nothing_tells_is_an_assumption(tmp_path, path, bands, sensor, told):
    raster(tmp_path / path, bands)
    (source,), _ = found(tmp_path)
    assert (source.sensor, bool(source.sensor_reason)) == (sensor, told)


def test_the_draft_builds(tmp_path, capsys):
    for number in range(4):
        picture(tmp_path / f"ships/images/p{number}.jpg")
        voc(tmp_path / f"ships/xml/p{number}.xml")
    config = tmp_path / "build.yaml"
    assert main(["init", str(tmp_path / "ships"), "-o", str(config), "--root", str(tmp_path / "lake")]) == 0
    built = load(str(config), [])
    assert built.sources[0].annotations.format == "voc"
    assert "ASK" in config.read_text()
    assert main(["build", str(config), "engine.kind=inline", "select.test_share=0", "select.val_share=0"]) in (0, 2)
    assert main(["plan", str(config)]) == 0
    capsys.readouterr()
    assert main(["init", str(tmp_path / "ships"), "-o", str(config)]) == 2
    assert "--force" in capsys.readouterr().err


def test_no_name_of_a_file_adds_a_line_to_the_draft(tmp_path):
    picture(tmp_path / "in" / "x\nroot: elsewhere\n#" / "a.jpg")
    (tmp_path / "in" / "x\nroot: elsewhere\n#" / "note.xyz").write_text("?")
    (tmp_path / "in" / "y\nseed: 9\n#").mkdir()
    (tmp_path / "in" / "y\nseed: 9\n#" / "note.xyz").write_text("?")
    picture(tmp_path / "in/ok/b.jpg")
    config = tmp_path / "build.yaml"
    assert main(["init", str(tmp_path / "in"), "-o", str(config), "--root", str(tmp_path / "lake")]) == 0
    document = yaml.safe_load(config.read_text())
    assert document["root"].endswith("lake")
    assert document["seed"] == 0


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_a_folder_without_files_is_one_clear_error(tmp_path, capsys, make):
    make(tmp_path / "nothing")
    assert main(["init", str(tmp_path / "nothing"), "-o", str(tmp_path / "build.yaml")]) == 2
    assert "nothing" in capsys.readouterr().err
    assert not (tmp_path / "build.yaml").exists()


def test_real_folders_get_their_sensor_format_and_bands(test_data):
    sources = {source.scenes.folder.removeprefix(f"{test_data}/"): source for source in found(test_data)[0]}
    expected = {
        "sar/hrsid/JPEGImages": ("sar", "coco"),
        "infrared/hit_uav/JPEGImages": ("infrared", "rolabelimg"),
        "caption_vqa/ucm/images": ("optical", "captions"),
        "detection/neon_trees/HARV": ("optical", "voc"),
        "detection/oam_tcd": ("optical", "coco"),
    }
    assert {folder: (sources[folder].sensor, sources[folder].annotations.format) for folder in expected} == expected
    assert sources["scene_classification/EuroSAT_RGB"].scenes.classes == ("AnnualCrop", "SeaLake")
    assert sources["ground/radiometry"].scenes.product == "sentinel2_l2a"
    assert sources["optical_scenes/sentinel2_L2A_aquileia_2019-04-16"].scenes.bands["nir"] == "B08"
    assert json.dumps(sorted(sources))  # every place is a plain text


def draft_of(folder):
    """The draft of a folder, as a loaded configuration."""
    config = folder / "build.yaml"
    assert main(["init", str(folder / "in"), "-o", str(config), "--root", str(folder / "lake")]) == 0
    return load(str(config), [])


def test_pairs_of_two_dates_are_one_source_with_their_masks_and_splits(tmp_path, capsys):
    for split in ("train", "val"):
        for folder in ("A", "B"):
            picture(tmp_path / f"in/{split}/{folder}/{split}_1.png")
        mask = np.zeros((64, 64), np.uint8)
        mask[10:30, 10:30] = 255
        (tmp_path / f"in/{split}/label").mkdir()
        Image.fromarray(mask).save(tmp_path / f"in/{split}/label/{split}_1.png")
    (source,) = draft_of(tmp_path).sources
    assert source.annotations.format == "change_pairs"
    assert source.annotations.options == {"category": "building"}
    assert set(source.annotations.splits) == {"train", "val"}
    assert "everything that was found is used" in capsys.readouterr().out
    arguments = ["engine.kind=inline", "select.allow_licences=[unknown]", "instructions.tasks=[change]"]
    assert main(["build", str(tmp_path / "build.yaml"), *arguments]) == 0
    assert "change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pictures", "masks", "options"),
    [
        (("Image1", "Image2"), ("label", "label1", "label2"), {}),
        (("im1", "im2"), ("label1", "label2"), {}),
        (("time1", "time2"), ("label",), {"masks": "label", "before": "time1", "after": "time2", "category": "land cover"}),
    ],
)
def test_layouts_are_told_by_their_folders_and_masks_are_no_scenes(tmp_path, pictures, masks, options):
    for folder in (*pictures, *masks):
        picture(tmp_path / f"in/{folder}/1.png")
    sources, unused = found(tmp_path / "in")
    assert [source.scenes.count for source in sources] == [2]
    assert sources[0].scenes.pairs.options == options
    assert [each.place for each in unused if "label1" in each.place or "label2" in each.place] == []


def test_dates_of_one_place_are_put_on_the_ground_grid(tmp_path):
    for day in ("20200105", "20210611"):
        raster(tmp_path / f"in/scene_{day}.tif", 4, "uint8")
    config = draft_of(tmp_path)
    assert (config.tiles.grid, config.tiles.gsd_m, config.groups is not None) == ("ground", {"optical": 10}, True)
    (tmp_path / "other").mkdir()
    for place, day in ((10, "20200105"), (13, "20210611")):
        raster(tmp_path / f"other/in/s_{day}.tif", 4, "uint8", (place * 50_000, 5_000_000))
    assert draft_of(tmp_path / "other").tiles.grid == "scene"
