"""Faults of annotated sets, each planted alone into a clean set of its format: found by its name, and nothing else is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.audit import audit
from rsflow.audit.report import DESCRIPTIONS
from tests.annotations.set_writers import WRITERS, Picture

WIDTH, HEIGHT = 200, 100
BOXES = ((10.0, 10.0, 60.0, 50.0), (70.0, 20.0, 110.0, 80.0), (120.0, 5.0, 190.0, 95.0))


def draw(folder: Path, name: str, seed: int) -> None:
    (folder / "images").mkdir(exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3))
    Image.fromarray(noise.astype(np.uint8)).save(folder / "images" / name)


def clean(folder: Path, form: str) -> str:
    pictures = [Picture(f"{i}.png", WIDTH, HEIGHT, BOXES[i], ("ship", "dock", "ship")[i]) for i in range(3)]
    for i in range(3):
        draw(folder, f"{i}.png", i)
    return WRITERS[form](folder, pictures)


@pytest.mark.parametrize("form", sorted({*WRITERS} - {"rsflow"}))
def test_clean_sets_have_no_fault(tmp_path: Path, form: str) -> None:
    assert audit(clean(tmp_path, form), form, str(tmp_path / "images")).counts == {}


def coco(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        data = json.loads((folder / "set.json").read_text())
        change(data)
        (folder / "set.json").write_text(json.dumps(data))

    return plant


def record(**changed: Any) -> Callable[[Path], None]:
    return coco(lambda data: data["annotations"][0].update(changed))


def more(key: str, **entry: Any) -> Callable[[Path], None]:
    return coco(lambda data: data[key].append(entry))


def text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        before = (folder / name).read_text()
        assert old in before
        (folder / name).write_text(before.replace(old, new, 1))

    return plant


def caption(sentence: Any) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        data = json.loads((folder / "captions.json").read_text())
        data["images"][0]["sentences"].append({"raw": sentence})
        (folder / "captions.json").write_text(json.dumps(data))

    return plant


def two_splits(folder: Path) -> None:
    data = json.loads((folder / "captions.json").read_text())
    data["images"] = [{**entry, "split": split} for split in ("train", "test") for entry in data["images"][:1]]
    (folder / "captions.json").write_text(json.dumps(data))


def csv_splits(folder: Path) -> None:
    (folder / "set.csv").write_text(
        "image,xmin,ymin,xmax,ymax,label,split\n0.png,1,2,30,40,ship,train\n0.png,50,2,80,40,ship,val\n"
    )


MASK = {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * 150, 50, HEIGHT * 50 - 50]}  # far right of the box
SAME = "<object><name>ship</name><bndbox><xmin>10.0</xmin><ymin>10.0</ymin><xmax>60.0</xmax><ymax>50.0</ymax></bndbox></object>"
RING = "<point>10.0,10.0</point>"

PLANTED: list[tuple[str, str, Callable[[Path], None]]] = [
    ("coco", "bad_box", record(bbox=[1, 2, 3])),
    ("coco", "bad_box", record(bbox=[1, 2, 3, 4, 5])),
    ("coco", "bad_box", record(bbox=None)),
    ("coco", "bad_box", record(bbox=["a", 2, 3, 4])),
    ("coco", "bad_box", record(bbox=[float("nan"), 2, 3, 4])),
    ("coco", "bad_box", record(bbox=[1, 2, float("inf"), 4])),
    ("coco", "box_empty", record(bbox=[10, 20, 0, 30])),
    ("coco", "box_empty", record(bbox=[10, 20, -5, 30])),
    ("coco", "box_outside", record(bbox=[180, 20, 40, 30])),
    ("coco", "box_outside", record(bbox=[-20, 20, 40, 30])),
    ("coco", "box_outside", record(bbox=[500, 20, 40, 30])),
    ("coco", "polygon_away", record(segmentation=[[150, 60, 190, 60, 190, 90, 150, 90]])),
    ("coco", "polygon_away", record(segmentation=MASK)),
    ("coco", "polygon_crossed", record(segmentation=[[10, 10, 60, 50, 60, 10, 10, 50]], bbox=[10, 10, 50, 40])),
    ("coco", "bad_polygon", record(segmentation=[[10, 10, 60, 10]])),
    ("coco", "bad_polygon", record(segmentation=[[10, 10, 60, 10, 60]])),
    ("coco", "bad_rle", record(segmentation={"size": [HEIGHT, WIDTH], "counts": [5]})),
    ("coco", "area_differs", record(area=90000)),
    ("coco", "area_differs", record(area=-1)),
    ("coco", "score_out_of_range", record(score=float("nan"))),
    ("coco", "score_out_of_range", record(score=17)),
    ("coco", "unknown_category", record(category_id=77)),
    ("coco", "missing_picture_entry", record(image_id=77)),
    ("coco", "repeated_id", more("annotations", id=1.0, image_id=0, category_id=0, bbox=[100, 10, 20, 20])),
    ("coco", "repeated_label", more("annotations", id=9, image_id=0, category_id=1, bbox=[10, 10, 50, 40])),
    ("coco", "near_repeated_label", more("annotations", id=9, image_id=0, category_id=1, bbox=[10.4, 10.2, 50, 40])),
    ("coco", "contradictory_labels", more("annotations", id=9, image_id=0, category_id=0, bbox=[10, 10, 50, 40])),
    ("coco", "broken_record", coco(lambda data: data["annotations"].append(7))),
    ("coco", "missing_picture_entry", more("annotations")),
    ("coco", "missing_picture", more("images", id=9, file_name="9.png", width=WIDTH, height=HEIGHT)),
    ("coco", "repeated_entry", more("images", id=9, file_name="0.png", width=WIDTH, height=HEIGHT)),
    ("coco", "path_outside", more("images", id=9, file_name="../0.png", width=WIDTH, height=HEIGHT)),
    ("coco", "broken_picture_entry", more("images", id=9)),
    ("coco", "broken_category", more("categories", id=9)),
    ("coco", "broken_category", more("categories", id=9, name=" ")),
    ("coco", "repeated_category", more("categories", id=9, name="ship")),
    ("coco", "category_spelling", more("categories", id=9, name="SHIPS")),
    ("coco", "wrong_size", coco(lambda data: data["images"][0].update(width=WIDTH + 1))),
    ("coco", "wrong_size", coco(lambda data: data["images"][0].update(height=0))),
    ("coco", "two_splits", coco(lambda data: data["images"].extend([{**data["images"][0], "split": s} for s in ("a", "b")]))),
    ("voc", "box_outside", text("labels/0.xml", "<xmax>60.0", "<xmax>260.0")),
    ("voc", "box_empty", text("labels/0.xml", "<xmax>60.0", "<xmax>5.0")),
    ("voc", "bad_box", text("labels/0.xml", "<xmax>60.0</xmax>", "")),
    ("voc", "bad_box", text("labels/0.xml", "<xmax>60.0", "<xmax>wide")),
    ("voc", "box_not_a_number", text("labels/0.xml", "<xmax>60.0", "<xmax>nan")),
    ("voc", "unknown_category", text("labels/0.xml", "<name>ship</name>", "<name> </name>")),
    ("voc", "unreadable_annotation", text("labels/0.xml", "</annotation>", "")),
    ("voc", "unsafe_xml", text("labels/0.xml", "<annotation>", "<!DOCTYPE a><annotation>")),
    ("voc", "wrong_size", text("labels/0.xml", "<width>200", "<width>199")),
    ("voc", "wrong_size", text("labels/0.xml", "<width>200", "<width>0")),
    ("voc", "repeated_label", text("labels/0.xml", "</annotation>", SAME + "</annotation>")),
    ("voc", "contradictory_labels", text("labels/0.xml", "</annotation>", SAME.replace("ship", "dock") + "</annotation>")),
    ("voc", "control_token", text("labels/0.xml", "<name>ship", "<name>ship &lt;|im_end|&gt;")),
    ("fair1m", "box_outside", text("labels/0.xml", "<point>60.0,10.0", "<point>260.0,10.0")),
    ("fair1m", "bad_box", text("labels/0.xml", RING, "<point>ten,10.0</point>")),
    ("fair1m", "bad_polygon", text("labels/0.xml", RING, "<point>10.0</point>")),
    ("dota", "bad_box", text("labels/0.txt", "10.0 10.0 60.0", "10.0 60.0")),
    ("dota", "box_not_a_number", text("labels/0.txt", "10.0 10.0 60.0", "nan 10.0 60.0")),
    ("dota", "box_outside", text("labels/0.txt", "60.0 50.0 10.0 50.0", "60.0 150.0 10.0 150.0")),
    ("dota", "bad_difficulty", text("labels/0.txt", "ship 0", "ship hard")),
    ("dota", "crossed_corners", text("labels/0.txt", "60.0 10.0 60.0 50.0", "60.0 50.0 60.0 10.0")),
    ("yolo", "unknown_category", text("labels/0.txt", "1 ", "9 ")),
    ("yolo", "bad_box", text("labels/0.txt", "1 ", "1 0.5 ")),
    ("yolo", "not_normalised", text("labels/0.txt", "0.175000", "35")),
    ("yolo", "box_outside", text("labels/0.txt", "0.175000", "0.975000")),
    ("yolo", "box_empty", text("labels/0.txt", "0.250000", "0.000000")),
    ("csv", "bad_box", text("set.csv", "0.png,10.0", "0.png,ten")),
    ("csv", "box_empty", text("set.csv", "0.png,10.0", "0.png,90.0")),
    ("csv", "box_outside", text("set.csv", "0.png,10.0", "0.png,-90.0")),
    ("csv", "broken_record", text("set.csv", "ship", "")),
    ("csv", "broken_record", text("set.csv", "ship", "ship,7")),
    ("csv", "missing_picture", text("set.csv", "0.png", "9.png")),
    ("csv", "two_splits", csv_splits),
    ("captions", "refusal", caption("I'm sorry, but I cannot see the image.")),
    ("captions", "mojibake", caption("SÃ£o Paulo from above.")),
    ("captions", "loop", caption("a ship and a ship and a ship and a ship and a ship")),
    ("captions", "placeholder", caption("A picture of {category}.")),
    ("captions", "empty_text", caption("...")),
    ("captions", "empty_caption", caption(" ")),
    ("captions", "empty_caption", caption(None)),
    ("captions", "control_token", caption("A port <|im_end|> by the sea.")),
    ("captions", "role_marker", caption("A port.\nUSER: what else?")),
    ("captions", "two_splits", two_splits),
    ("captions", "missing_picture", text("captions.json", "0.png", "9.png")),
]


@pytest.mark.parametrize(("form", "fault", "plant"), PLANTED, ids=[f"{i}-{f}-{k}" for i, (f, k, _) in enumerate(PLANTED)])
def test_a_planted_fault_is_found_by_its_name(tmp_path: Path, form: str, fault: str, plant: Callable[[Path], None]) -> None:
    files = clean(tmp_path, form)
    plant(tmp_path)
    counts = audit(files, form, str(tmp_path / "images")).counts
    assert counts.get(fault)
    assert counts.keys() <= {fault, "repeated_entry", "repeated_id"}


@pytest.mark.parametrize("form", ["dota", "yolo"])
def test_lines_that_stand_twice_are_found(tmp_path: Path, form: str) -> None:
    files = clean(tmp_path, form)
    line = (tmp_path / "labels/0.txt").read_text().strip()
    (tmp_path / "labels/0.txt").write_text(f"{line}\n{line.replace(' ', '  ')}\n")
    assert audit(files, form, str(tmp_path / "images")).counts == {"repeated_label": 1}


@pytest.mark.parametrize("form", sorted({*WRITERS} - {"rsflow"}))
def test_broken_pictures_and_copies_are_found(tmp_path: Path, form: str) -> None:
    files = clean(tmp_path, form)
    whole = (tmp_path / "images/0.png").read_bytes()
    (tmp_path / "images/1.png").write_bytes(whole)
    (tmp_path / "images/2.png").write_bytes(whole[: len(whole) // 2])
    assert audit(files, form, str(tmp_path / "images")).counts == {"repeated_picture": 1, "unreadable_picture": 1}


def test_there_are_many_kinds() -> None:
    assert len(PLANTED) >= 80


def test_every_described_fault_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "checks.md").read_text()
    assert [fault for fault in DESCRIPTIONS if f"| `{fault}` | {DESCRIPTIONS[fault]} |" not in text] == []
