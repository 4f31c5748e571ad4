"""Damaged files of every format: rejects or a message for the user, never another exception."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from rsflow.annotations import ANNOTATIONS, fit_to_scene, read_annotations
from rsflow.config.settings import Annotations
from rsflow.errors import RsflowError

XML = (
    "<annotation><filename>a.jpg</filename><source><filename>a.jpg</filename></source>"
    "<size><width>100</width><height>80</height></size>{}</annotation>"
)
BOX = "<name>ship</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
ROBND = "<name>ship</name><robndbox><cx>50</cx><cy>40</cy><w>20</w><h>10</h><angle>0.5</angle></robndbox>"
POINTS = "<points><point>1,1</point><point>9,1</point><point>9,8</point><point>1,8</point><point>1,1</point></points>"
QUESTION = {"id": 0, "img_id": 0, "type": "count", "question": "How many?", "answers_ids": [0], "active": True}

WHOLE: dict[str, dict[str, str]] = {
    "captions": {"a.json": json.dumps({"images": [{"filename": "a.tif", "split": "val", "sentences": [{"raw": "A ship ."}]}]})},
    "coco": {
        "a.json": json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.jpg", "height": 80, "width": 100}],
                "categories": [{"id": 0, "name": "ship"}],
                "annotations": [
                    {"id": 1, "image_id": 1, "category_id": 0, "bbox": [1, 2, 3, 4], "segmentation": [[1, 1, 9, 1, 9, 9]]},
                    {"id": 2, "image_id": 1, "category_id": 0, "segmentation": {"size": [80, 100], "counts": [1, 2, 7997]}},
                    {"id": 3, "image_id": 1, "caption": "A ship."},
                ],
            }
        )
    },
    "conversations": {
        "a.json": json.dumps(
            [{"image": "a.jpg", "conversations": [{"from": "human", "value": "Is it?"}, {"from": "gpt", "value": "no"}]}]
        )
    },
    "csv": {"a.csv": "image_path,xmin,ymin,xmax,ymax,label,split\na.tif,1,2,3,4,Tree,test\nb.tif,,,,,,\n"},
    "dior_rsvg": {"a.xml": XML.format(f"<object>{BOX}<description>the ship</description></object>")},
    "dota": {"a.txt": "imagesource:GoogleEarth\ngsd:0.5\n1 1 9 1 9 8 1 8 plane 1\n2 2 9 1 9 8 1 8 ship 0\n"},
    "fair1m": {
        "a.xml": XML.format(f"<objects><object><possibleresult><name>x</name></possibleresult>{POINTS}</object></objects>")
    },
    "floodnet": {
        "a.json": json.dumps({"0": {"Image_ID": "a.JPG", "Question": "How?", "Ground_Truth": 3, "Question_Type": "x"}})
    },
    "rolabelimg": {"a.xml": XML.format(f"<object>{ROBND}</object><object>{BOX}</object>")},
    "rsflow": {"a.jsonl": json.dumps({"file": "a.jpg", "labels": [{"kind": "box", "category": "ship", "box": [1, 2, 3, 4]}]})},
    "rsivqa": {"a.txt": "1.tif:is there a ship?yes\nP1: how many are there?2\n"},
    "rsvqa": {
        "t_images.json": json.dumps({"images": [{"id": 0, "active": True}]}),
        "t_questions.json": json.dumps({"questions": [QUESTION]}),
        "t_answers.json": json.dumps({"answers": [{"id": 0, "answer": "3", "active": True}]}),
    },
    "voc": {"a.xml": XML.format(f"<object>{BOX}<difficult>1</difficult></object>")},
    "yolo": {"a.txt": "0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.5 0.1 0.5 0.5\n"},
    "yolo_obb": {"a.txt": "0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n"},
}
JUNK: list[Any] = [None, "", "x", -1, 0, 10**30, 1e400, [], {}, [None], {"a": 1}, True, "nan", "1e999", "\u2028", "\x00"]


def settings(form: str, folder: Path) -> Annotations:
    (folder / "names").write_text("ship\nplane\n")
    files = str(folder / ("*." + next(iter(WHOLE[form])).split(".")[1]))
    return Annotations(form, files, options={"classes": str(folder / "names")} if form.startswith("yolo") else {})


def damaged(node: Any, draw: random.Random) -> Any:
    """The same JSON with about one value in eight replaced, dropped or renamed."""
    if draw.random() < 0.12:
        return draw.choice(JUNK)
    if isinstance(node, dict):
        return {(key if draw.random() > 0.05 else "other"): damaged(value, draw) for key, value in node.items()}
    return [damaged(value, draw) for value in node] if isinstance(node, list) else node


def mangled(text: str, draw: random.Random) -> str:
    """The text with a few characters lost, doubled or replaced, or its end cut off."""
    for _ in range(draw.randint(1, 4)):
        at, what = draw.randrange(max(1, len(text))), draw.random()
        text = (
            text[:at] + (draw.choice(["x", "-", "<", "\n", ",", " ", "é", '"', "9e9"]) if what < 0.6 else "") + text[at + 1 :]
        )
        text = text[:at] if what > 0.95 else text
    return text


def taken(form: str, folder: Path) -> None:
    """Read the set and put it on scenes; what the user did wrong may stop it, with words."""
    try:
        annotated = read_annotations(settings(form, folder))
    except RsflowError:
        return
    for picture in annotated.pictures.values():
        fit_to_scene(picture, 80, 100)
    assert all(reject.reason and reject.detail and reject.file for reject in annotated.rejects)


def test_every_format_has_a_whole_file_here_that_reads_clean(tmp_path: Path) -> None:
    assert set(WHOLE) == set(ANNOTATIONS) - {"change_pairs", "folders", "masks"}  # pictures, not text
    for form, files in WHOLE.items():
        folder = tmp_path / form
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        annotated = read_annotations(settings(form, folder))
        assert annotated.rejects == (), form
        assert any(picture.labels for picture in annotated.pictures.values()), form


@pytest.mark.parametrize("form", WHOLE)
def test_damaged_files_do_not_crash(tmp_path: Path, form: str) -> None:
    draw = random.Random(form)
    for _ in range(50):
        for name, text in WHOLE[form].items():
            broken = (
                json.dumps(damaged(json.loads(text), draw)) if ".json" in name and draw.random() < 0.7 else mangled(text, draw)
            )
            (tmp_path / name).write_bytes(broken.encode("utf-8" if draw.random() < 0.95 else "utf-16"))
        taken(form, tmp_path)
