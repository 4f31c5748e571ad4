"""Names of pictures in annotation files lead nowhere: what is not below the user's folders lends no label to a scene."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rsflow.annotations import read_annotations
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError

QUESTION = [{"from": "human", "value": "<image>\nIs it day?"}, {"from": "gpt", "value": "Yes."}]


def coco(name: str) -> str:
    image = {"id": 1, "file_name": name, "width": 100, "height": 100}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20]}
    return json.dumps({"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "ship"}]})


def xml(name: str) -> str:
    box = "<bndbox><xmin>10</xmin><ymin>10</ymin><xmax>30</xmax><ymax>30</ymax></bndbox>"
    return f"<annotation><filename>{name}</filename><object><name>ship</name>{box}</object></annotation>"


def captions(name: str) -> str:
    return json.dumps({"images": [{"filename": name, "sentences": [{"raw": "A bay."}]}]})


FORMATS: dict[str, Callable[[str], str]] = {
    "coco": coco,
    "voc": xml,
    "csv": lambda name: f"image_path,xmin,ymin,xmax,ymax,label\n{name},10,10,30,30,ship\n",
    "captions": captions,
    "conversations": lambda name: json.dumps([{"image": name, "conversations": QUESTION}]),
    "rsflow": lambda name: json.dumps({"file": name, "labels": [{"kind": "caption", "category": "", "text": "A bay."}]}),
}
OUTSIDE = ["../1.png", "a/../../1.png", "/private/1.png", "file:///private/1.png", "https://x.org/1.png", "/vsizip/x.zip/1.png"]
OUTSIDE += ["C:\\private\\1.png", "\\\\host\\share\\1.png", "s3://bucket/1.png"]
BELOW = ["1.png", "./1.png", "images/1.png", "images/b/../1.png", "images\\1.png"]


def written(folder: Path, form: str, name: str) -> Annotations:
    file = folder / ("1.xml" if form == "voc" else f"set.{'csv' if form == 'csv' else 'json'}")
    file.write_text(FORMATS[form](name))
    return Annotations(form, str(file))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leads_out_is_a_reject(tmp_path: Path, form: str, name: str) -> None:
    found = read_annotations(written(tmp_path, form, name))
    assert not found.pictures
    assert {reject.reason for reject in found.rejects} & {"path_outside"}
    assert not any("--" in reject.detail for reject in found.rejects)  # a build has no such switch


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", BELOW)
def test_a_name_below_is_kept(tmp_path: Path, form: str, name: str) -> None:
    found = read_annotations(written(tmp_path, form, name))
    assert not found.rejects
    assert [len(picture.labels) for picture in found.pictures.values()] == [1]


@pytest.mark.parametrize("form", FORMATS)
def test_an_absolute_name_is_right_below_the_folders_of_the_user(tmp_path: Path, form: str) -> None:
    assert len(read_annotations(written(tmp_path, form, f"{tmp_path}/images/1.png")).pictures) == 1
    settings = written(tmp_path, form, "/elsewhere/images/1.png")
    assert not read_annotations(settings).pictures
    assert len(read_annotations(settings, ("/elsewhere/images",)).pictures) == 1
    assert not read_annotations(settings, ("/elsewhere/image",)).pictures


@pytest.mark.parametrize("form", FORMATS)
def test_a_set_that_moved_goes_by_its_file_names_where_the_user_says_so(tmp_path: Path, form: str) -> None:
    settings = written(tmp_path, form, "/elsewhere/images/1.png")
    found = read_annotations(Annotations(settings.format, settings.files, allow_outside=True))
    assert not found.rejects
    assert len(found.pictures) == 1


def test_a_foreign_picture_does_not_lend_its_boxes_to_one_of_a_shorter_name(tmp_path: Path) -> None:
    row = "{},10,10,30,30,ship\n"
    rows = [row.format(name) for name in ("1.png", "/private/1.png", "2.png")]
    (tmp_path / "set.csv").write_text("image_path,xmin,ymin,xmax,ymax,label\n" + "".join(rows))
    found = read_annotations(Annotations("csv", str(tmp_path / "set.csv")))
    assert [*found.pictures] == ["1", "2"]
    assert [len(picture.labels) for picture in found.pictures.values()] == [1, 1]
    assert [reject.reason for reject in found.rejects] == ["path_outside"]


@pytest.mark.parametrize("name", ["../1.png", "/elsewhere/1.png", "https://x.org/1.png"])
def test_a_split_list_names_pictures_of_the_set_only(tmp_path: Path, name: str) -> None:
    settings = written(tmp_path, "coco", "1.png")
    (tmp_path / "test.txt").write_text(f"{name}\n1.png\n")
    listed = Annotations("coco", settings.files, splits={"test": str(tmp_path / "test.txt")})
    found = read_annotations(listed)
    assert [reject.reason for reject in found.rejects] == ["path_outside"]
    assert "test.txt line 1" in found.rejects[0].subject
    assert [picture.split for picture in found.pictures.values()] == ["test"]
    (tmp_path / "test.txt").write_text(f"{name}\n")
    with pytest.raises(ConfigError, match="names none of"):
        read_annotations(listed)


@pytest.mark.parametrize("form", FORMATS)
def test_a_label_that_steers_a_model_is_a_reject(tmp_path: Path, form: str) -> None:
    settings = written(tmp_path, form, "1.png")
    file = Path(str(settings.files))
    escaped = "&lt;|im_end|&gt;" if form == "voc" else "<|im_end|>"
    text = file.read_text()
    for word in ("ship", "A bay.", "Yes."):
        text = text.replace(word, f"{word} {escaped}")
    file.write_text(text)
    found = read_annotations(settings)
    assert [reject.reason for reject in found.rejects] == ["control_token"]
    assert [(picture.labels, picture.complete) for picture in found.pictures.values()] == [((), False)]
    assert not any("im_end" in category for category in found.categories)
