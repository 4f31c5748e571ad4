"""Splits that a set comes with: by list and by folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.annotations import read_annotations
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError
from tests.annotations.set_writers import WRITERS, Picture

BOX = "0 0 9 0 9 9 0 9 ship 0\n"


def labels(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(BOX)
    return str(folder / "**/*.txt")


def splits_of(settings: Annotations) -> dict[str, str | None]:
    return {name: picture.split for name, picture in read_annotations(settings).pictures.items()}


def test_folders_of_annotation_files_are_splits(tmp_path: Path) -> None:
    files = labels(tmp_path, "train/a.txt", "val/b.txt", "more/c.txt")
    splits = {"train": str(tmp_path / "train/*.txt"), "val": str(tmp_path / "val/*.txt")}
    assert splits_of(Annotations("dota", files, splits=splits)) == {"a": "train", "b": "val", "c": None}


def test_lists_name_pictures_with_or_without_folder_extension_and_columns(tmp_path: Path) -> None:
    files = labels(tmp_path / "labels", "a.txt", "b.txt", "c.txt", "d.txt")
    (tmp_path / "train.txt").write_text("a\nimages/b.png\n\nunheard\n")
    (tmp_path / "test.txt").write_text("c  1\nb -1\n")
    splits = {"train": str(tmp_path / "train.txt"), "test": str(tmp_path / "test.txt")}
    assert splits_of(Annotations("dota", files, splits=splits)) == {"a": "train", "b": "test", "c": "test", "d": None}


@pytest.mark.parametrize(("text", "told"), [(None, "matches no file"), ("x\ny\n", "names none of the 1")])
def test_a_list_that_says_nothing_is_refused(tmp_path: Path, text: str | None, told: str) -> None:
    files = labels(tmp_path / "labels", "a.txt")
    if text:
        (tmp_path / "test.txt").write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_annotations(Annotations("dota", files, splits={"test": str(tmp_path / "test.txt")}))


def test_a_list_with_folders_means_the_picture_of_that_folder(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("image,xmin,ymin,xmax,ymax,label\nx/a.png,1,2,3,4,T\ny/a.png,1,2,3,4,T\n")
    (tmp_path / "test.txt").write_text("data/y/a.png\n")
    settings = Annotations("csv", str(table), splits={"test": str(tmp_path / "test.txt")})
    assert splits_of(settings) == {"x/a": None, "y/a": "test"}


@pytest.mark.parametrize("form", ["voc", "yolo", "dota", "coco", "csv"])
def test_a_list_tells_pictures_of_one_name_by_their_folders(tmp_path: Path, form: str) -> None:
    pictures = [Picture(f"{part}/0001.png", 200, 100, (10.0, 10.0, 60.0, 50.0)) for part in ("train", "val")]
    files = WRITERS[form](tmp_path, pictures)
    (tmp_path / "val.txt").write_text("./images/val/0001.png\n")
    (tmp_path / "test.txt").write_text("0001\nimages/train/0001.png\n")
    splits = {"val": str(tmp_path / "val.txt"), "test": str(tmp_path / "test.txt")}
    found = read_annotations(Annotations(form, files, splits=splits))
    assert sorted(str(one.split) for one in found.pictures.values()) == ["test", "val"]
    assert [reject.reason for reject in found.rejects] == ["ambiguous_picture"]  # the bare name
    assert all(part in found.rejects[0].detail for part in ("train/0001", "val/0001"))
