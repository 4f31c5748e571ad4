"""Relative paths of a configuration start at its folder, those of an override at the working directory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rsflow.config.config_paths import absolute_paths
from rsflow.config.settings import load
from rsflow.files import storage
from rsflow.phases.shard.shard import config_fingerprint

TEXT = """
root: ../lake
sources:
  - name: ships
    sensor: optical
    licence: CC-BY-4.0
    scenes: {files: ["pictures/*.tif", "/elsewhere/{band}.tif", "s3://bucket/*.tif"], bands: {red: R}}
    annotations:
      format: yolo
      files: labels/*.txt
      splits: {train: train.txt, val: [a.txt, ../b.txt]}
      options: {classes: data.yaml}
    labellers:
      - {name: detector, model: models/own, calibration: judged.json}
      - {name: detector, model: owner/name}
      - {name: detector, model: ./absent}
select:
  held_out: [{name: bench, files: bench/}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "set" / "models" / "own").mkdir(parents=True)
    (tmp_path / "set" / "build.yaml").write_text(TEXT)
    return tmp_path / "set" / "build.yaml"


@pytest.mark.parametrize("below", [".", "set", "set/models"])
def test_every_path_starts_at_the_files_folder(file: Path, below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    top = file.parents[1]
    monkeypatch.chdir(top / below)
    spelled = {".": "set/build.yaml", "set": "build.yaml", "set/models": "../build.yaml"}[below]
    built = load(spelled)
    (source,) = built.sources
    assert built.root == f"{top}/lake"
    assert source.scenes.files == (f"{top}/set/pictures/*.tif", "/elsewhere/{band}.tif", "s3://bucket/*.tif")
    assert source.annotations is not None
    assert source.annotations.files == f"{top}/set/labels/*.txt"
    assert source.annotations.splits == {"train": f"{top}/set/train.txt", "val": (f"{top}/set/a.txt", f"{top}/b.txt")}
    assert source.annotations.options == {"classes": f"{top}/set/data.yaml"}
    assert [labeller["model"] for labeller in source.labellers] == [f"{top}/set/models/own", "owner/name", f"{top}/set/absent"]
    assert source.labellers[0]["calibration"] == f"{top}/set/judged.json"
    assert built.select.held_out[0].files == f"{top}/set/bench"


def test_an_override_starts_at_the_working_directory(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PLACE", "mine")
    overrides = ["root=other", "sources.0.scenes={files: '${PLACE}/*.tif'}", "select.held_out=[{name: b, files: ../b}]"]
    built = load(str(file), overrides)
    assert built.root == f"{tmp_path}/here/other"
    assert built.sources[0].scenes.files == f"{tmp_path}/here/mine/*.tif"
    assert built.select.held_out[0].files == f"{tmp_path}/b"


def test_an_override_replaces_a_variable_that_is_not_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABSENT", raising=False)
    file.write_text(TEXT.replace("../lake", "${ABSENT}/lake"))
    assert load(str(file), ["root=/lake"]).root == "/lake"


def test_paths_of_a_remote_file_are_remote() -> None:
    data = {"root": "../lake", "select": {"held_out": [{"files": "bench/*.tif"}]}, "generation": {"engine": {"model": "a/b"}}}
    once = absolute_paths(data, "s3://bucket/sets/ships")
    assert once == {
        "root": "s3://bucket/sets/lake",
        "select": {"held_out": [{"files": "s3://bucket/sets/ships/bench/*.tif"}]},
        "generation": {"engine": {"model": "a/b"}},
    }
    assert absolute_paths(once, "/somewhere") == once


def test_a_name_with_brackets_above_the_file_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "old [2019]"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "a.tif").touch()
    files = absolute_paths({"select": {"held_out": [{"files": "pictures/*.tif"}]}}, str(folder))["select"]["held_out"][0][
        "files"
    ]
    assert storage.glob(files) == [f"{folder}/pictures/a.tif"]


def test_the_fingerprint_does_not_depend_on_where_the_folder_lies(file: Path, tmp_path: Path) -> None:
    moved = tmp_path / "far" / "away"
    text = TEXT.replace('"/elsewhere/{band}.tif", ', "").replace(", bands: {red: R}", "")
    file.write_text(text)
    shutil.copytree(file.parent, moved / "set")
    here, there = (config_fingerprint(load(str(path))) for path in (file, moved / "set" / "build.yaml"))
    assert here == there
    file.write_text(text.replace("pictures/", "photographs/"))
    assert config_fingerprint(load(str(file))) != here
