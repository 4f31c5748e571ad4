"""Which scenes a source has, and what they are called."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsflow.config.settings import Scenes, Source
from rsflow.errors import ConfigError, DataError
from rsflow.phases.shard.shard import config_fingerprint
from rsflow.planning.recipe import label_recipe, load
from rsflow.readers import list_scenes, open_scene, select_reader
from rsflow.readers.listing.scene_listing import _slug as slug
from rsflow.records import SceneFiles


def source(files, reader="auto", **scenes) -> Source:
    return Source("set", "optical", "CC0", Scenes(files, **scenes), reader)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def ids(found: list[SceneFiles]) -> list[str]:
    return [scene.scene_id for scene in found]


def test_a_file_is_a_scene_named_by_its_path_below_the_fixed_folder(tmp_path):
    touch(tmp_path, "x/b.tif", "x/2020/a (1).tif", "y/c.tif", "x/readme.txt")
    found = list_scenes(source(f"{tmp_path}/x/**/*.tif"))
    assert ids(found) == ["set.2020__a__1_", "set.b"]
    assert found[1].files == {"": f"{tmp_path}/x/b.tif"}
    assert ids(list_scenes(source(f"{tmp_path}/*/*.tif"))) == ["set.x__b", "set.y__c"]
    assert ids(list_scenes(source(f"{tmp_path}/x/b.tif"))) == ["set.b"]


def test_ids_do_not_depend_on_where_the_folder_is_or_how_the_pattern_is_written(tmp_path, monkeypatch):
    for place in ("one", "other/place"):
        touch(tmp_path / place, "s/a.tif", "s/b.tif")
    monkeypatch.chdir(tmp_path / "one")
    patterns = [f"{tmp_path}/one/s/*.tif", f"{tmp_path}/other/place/s/*.tif", "s/*.tif", "./s/*.tif", "../one/s/*.tif"]
    assert [ids(list_scenes(source(pattern))) for pattern in patterns] == [["set.a", "set.b"]] * 5


def test_one_file_per_band_is_grouped_by_what_is_left_of_the_path(tmp_path):
    touch(tmp_path, "S2_a_B8.tif", "S2_a_B8A.tif", "S2_b_B8.tif", "S2_b_B8A.tif", "S2_b_B9.tif")
    found = list_scenes(source(f"{tmp_path}/*_{{band}}.tif", bands={"nir": "B8", "red_edge": "B8A"}))
    assert ids(found) == ["set.S2_a", "set.S2_b"]
    assert found[0].files == {"nir": f"{tmp_path}/S2_a_B8.tif", "red_edge": f"{tmp_path}/S2_a_B8A.tif"}
    assert list(found[0].options["bands"]) == ["nir", "red_edge"]


@pytest.mark.parametrize(
    ("template", "names", "expected"),
    [
        ("*/{band}.tif", ["a/B1.tif", "a/B2.tif", "b/B1.tif"], ["set.a", "set.b"]),
        ("{band}.tif", ["B1.tif", "B2.tif"], ["set.FOLDER"]),
        ("{band}/*.tif", ["B1/x.tif", "B2/x.tif"], ["set.x"]),
        ("x_{band}_20m.tif", ["x_B1_20m.tif"], ["set.x_20m"]),
        ("**/{band}/s_{band}_*.tif", ["p/B1/s_B1_9.tif", "p/B2/s_B2_9.tif"], ["set.p__s_9"]),
        ("*_{band}*.tif", ["x_B1.tif", "x_B12.tif"], ["set.x"]),
        ("*{band}.tif", ["xB1.tif", "xB12.tif"], ["set.x"]),
    ],
)
def test_band_templates(template, names, expected, tmp_path):
    touch(tmp_path, *names)
    found = list_scenes(source(f"{tmp_path}/{template}", bands={"one": "B1", "two": "B2", "twelve": "B12"}))
    assert ids(found) == [text.replace("FOLDER", tmp_path.name) for text in expected]
    assert sum(len(scene.files) for scene in found) == len(names)


def test_a_scene_that_lacks_a_band_is_listed_and_refused_when_opened(tmp_path, write_tif, noise):
    write_tif("a_B1.tif", noise(1, 20, 20))
    (only,) = list_scenes(source(f"{tmp_path}/*_{{band}}.tif", bands={"red": "B1", "nir": "B2"}))
    assert set(only.files) == {"red"}
    with pytest.raises(DataError, match="no file for nir"):
        open_scene(only)


def test_scenes_that_would_share_an_id_are_told_apart(tmp_path):
    touch(tmp_path, "a b.tif", "a_b.tif", "a.b.tif", "c.tif", "c.jpg", "d.tif")
    found = list_scenes(source((f"{tmp_path}/*.tif", f"{tmp_path}/*.jpg")))
    assert len(set(ids(found))) == 6
    assert "set.d" in ids(found)
    assert ids(found) == ids(list_scenes(source((f"{tmp_path}/*.jpg", f"{tmp_path}/*.tif"))))


def test_a_sidecar_that_the_pattern_finds_changes_no_scene(tmp_path):
    touch(tmp_path, "a.tif", "b_B4.tif", "b_B8.tif")
    places = [source(f"{tmp_path}/a*.*"), source(f"{tmp_path}/*_{{band}}.*", bands={"red": "B4", "nir": "B8"})]
    before = [[(one.scene_id, one.files) for one in list_scenes(place)] for place in places]
    touch(tmp_path, "a.tfw", "a.tif.ovr", "a.tif.aux.xml", "b_B4.tif.aux.xml", "b_B8.tif.msk")
    assert [[(one.scene_id, one.files) for one in list_scenes(place)] for place in places] == before
    assert [[scene_id for scene_id, _ in found] for found in before] == [["set.a"], ["set.b"]]


def test_a_file_found_by_two_patterns_is_one_scene(tmp_path):
    touch(tmp_path, "a.tif")
    assert ids(list_scenes(source((f"{tmp_path}/*.tif", f"{tmp_path}/a.*")))) == ["set.a"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\0\n"), min_size=1, max_size=300))
def test_slugs_are_safe_folder_names(name):
    word = slug(f"/data/{name}.tif", "/data")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,120}", word)


def test_only_what_is_set_becomes_an_option_and_all_of_it_is_json(tmp_path):
    touch(tmp_path, "a.tif")
    assert list_scenes(source(f"{tmp_path}/a.tif"))[0].options == {}
    settings_ = {
        "bands": {"red": 1},
        "rgb": ("red", "red", "red"),
        "nodata": 0.0,
        "unit": "db",
        "gsd_m": 2.0,
        "acquired_at": "2020-01-31",
    }
    options = list_scenes(source(f"{tmp_path}/a.tif", **settings_))[0].options
    assert json.loads(json.dumps(options, allow_nan=False)) == {**settings_, "rgb": ["red"] * 3}
    assert list_scenes(source(f"{tmp_path}/a.tif", nodata=float("nan")))[0].options["nodata"] == "nan"


@pytest.mark.parametrize(
    ("files", "reader", "scenes", "told"),
    [
        ("{tmp}/*.png", "auto", {}, r"source set: no file matches '.*\.png'; correct `scenes.files`"),
        ("{tmp}/{{band}}.tif", "auto", {}, r"give `bands`"),
        ("{tmp}/{{band}}.tif", "geotiff", {"bands": {"a": "a"}}, "for the bands reader"),
        ("{tmp}/*.tif", "bands", {}, r"has no \{band\}"),
        ("{tmp}/*.tif", "auto", {"acquired_at": "no group"}, "exactly one group"),
    ],
)
def test_mistakes_are_told_with_the_source_and_what_to_do(files, reader, scenes, told, tmp_path):
    touch(tmp_path, "a.tif")
    with pytest.raises(ConfigError, match=told):
        list_scenes(source(files.format(tmp=tmp_path), reader, **scenes))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"": "/x/a.TIF"}, "geotiff"),
        ({"": "s3://b/a.jp2"}, "geotiff"),
        ({"": "https://h/a.JPEG?sig=1.tif"}, "picture"),
        ({"": "a.png"}, "picture"),
        ({"red": "a.tif"}, "bands"),
    ],
)
def test_the_reader_follows_from_the_files(files, expected):
    assert select_reader(SceneFiles("s.a", "s", "optical", "auto", files)) == expected


def test_an_unknown_suffix_asks_for_a_reader():
    with pytest.raises(DataError, match="set `reader`"):
        select_reader(SceneFiles("s.a", "s", "optical", "auto", {"": "a.hdf"}))


def test_bands_in_sibling_folders_are_one_scene_but_two_dates_are_two(tmp_path):
    for date in ("20200101", "20200202"):
        for folder, band in (("R10m", "B04_10m"), ("R10m", "B08_10m"), ("R20m", "B11_20m"), ("R20m", "B04_20m")):
            file = tmp_path / "IMG_DATA" / folder / f"T_{date}_{band}.jp2"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
    wanted = {"red": "B04_10m", "nir": "B08_10m", "swir": "B11_20m"}
    scenes = list_scenes(source(f"{tmp_path}/IMG_DATA/R*/T_*_{{band}}.jp2", bands=wanted))
    assert [set(scene.files) for scene in scenes] == [set(wanted)] * 2
    assert [scene.files["swir"].endswith("R20m/T_20200202_B11_20m.jp2") for scene in scenes] == [False, True]
    (one,) = list_scenes(source(f"{tmp_path}/IMG_DATA/R*/T_20200101_{{band}}.jp2", bands={**wanted, "lost": "B99"}))
    assert set(one.files) == set(wanted)  # refused when it is opened, as any scene that lacks a band


def test_same_bands_in_two_folders_are_two_scenes(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x_B4.tif").write_bytes(b"x")
    scenes = list_scenes(source(f"{tmp_path}/*/x_{{band}}.tif", bands={"red": "B4", "nir": "B5"}))
    assert len(scenes) == 2


def test_a_name_that_is_not_utf8_is_a_reject_that_names_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.tif", "b.tif")
    os.rename(os.fsencode(tmp_path / "b.tif"), os.fsencode(tmp_path) + b"/caf\xe9.tif")
    good, bad = list_scenes(source(f"{tmp_path}/*.tif"))
    assert (good.scene_id, good.options) == ("set.a", {})
    reason, detail = bad.options["listing_error"]
    assert reason == "name_not_utf8"
    assert rf"{tmp_path}/caf\xe9.tif: its name is not UTF-8" in detail
    assert all(text.isprintable() and text.encode() for text in (detail, bad.scene_id, *bad.files.values()))


@pytest.mark.parametrize("nodata", [".nan", ".inf", "-.inf"])
def test_fill_that_is_no_number_is_a_setting_that_can_be_built_with(tmp_path: Path, nodata: str) -> None:
    touch(tmp_path, "a.tif")
    scenes = f"{{files: '{tmp_path}/*.tif', nodata: {nodata}}}"
    (tmp_path / "c.yaml").write_text(
        f"root: {tmp_path}/lake\nsources: [{{name: s, sensor: optical, licence: CC0-1.0, scenes: {scenes}}}]\n"
    )
    built = load(str(tmp_path / "c.yaml"))
    assert list_scenes(built.sources[0])[0].options == {"nodata": "nan"}
    assert len(config_fingerprint(built)) == 32
    assert len(label_recipe(built, built.sources[0]).fingerprint) == 32
