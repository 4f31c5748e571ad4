"""Annotated sets: faults planted in their files and pictures are found, and clean ones (real ones too) have none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.audit import audit, list_formats

SIZE = (200, 100)  # width, height


def picture(path: Path, seed: int, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)).save(path)


@pytest.fixture
def coco(tmp_path: Path) -> dict[str, Any]:
    """A clean COCO set of four pictures below `tmp_path/images`."""
    for i in range(4):
        picture(tmp_path / f"images/{i}.png", i)
    images = [{"id": i, "file_name": f"{i}.png", "width": SIZE[0], "height": SIZE[1]} for i in range(4)]
    boxes = [[0, 0, 200, 100], [10, 10, 30.5, 20], [150, 60, 50.4, 40.4]]
    records = [
        {"id": 3 * i + n, "image_id": i, "category_id": 1 + n % 2, "bbox": box, "iscrowd": 0}
        for i in range(4)
        for n, box in enumerate(boxes)
    ]
    records.append({"id": 90, "image_id": 0, "category_id": 1, "bbox": [0, 0, 50, 50], "iscrowd": 1})
    return {"images": images, "annotations": records, "categories": [{"id": 1, "name": "ship"}, {"id": 2, "name": "dock"}]}


def looked(folder: Path, data: dict[str, Any], form: str | None = None) -> dict[str, int]:
    (folder / "set.json").write_text(json.dumps(data))
    return audit(str(folder / "set.json"), form, str(folder / "images")).counts


def test_a_clean_set_has_no_fault(tmp_path: Path, coco: dict[str, Any]) -> None:
    assert looked(tmp_path, coco) == {}


BOXES = {"box_outside": [180, 50, 60, 20], "box_empty": [10, 10, 0, 5], "bad_box": [1, 2, 3]}


@pytest.mark.parametrize("fault", BOXES)
def test_a_broken_box_is_found(tmp_path: Path, coco: dict[str, Any], fault: str) -> None:
    coco["annotations"].insert(2, {"id": 99, "image_id": 1, "category_id": 1, "bbox": BOXES[fault]})
    assert looked(tmp_path, coco) == {fault: 1}


def test_a_label_that_stands_twice_or_contradicts_itself_is_found(tmp_path: Path, coco: dict[str, Any]) -> None:
    first = coco["annotations"][4]
    coco["annotations"].append({**first, "id": 98})
    assert looked(tmp_path, coco) == {"repeated_label": 1}
    coco["annotations"][-1] |= {"category_id": 3 - first["category_id"]}
    assert looked(tmp_path, coco) == {"contradictory_labels": 1}


def test_faults_of_pictures_are_found(tmp_path: Path, coco: dict[str, Any]) -> None:
    picture(tmp_path / "images/0.png", 0, (198, 100))  # smaller than stated: its largest box is outside then, as well
    (tmp_path / "images/1.png").unlink()
    (tmp_path / "images/2.png").write_bytes((tmp_path / "images/2.png").read_bytes()[:500])
    picture(tmp_path / "images/4.png", 3)
    coco["images"].append({"id": 4, "file_name": "4.png", "width": SIZE[0], "height": SIZE[1]})
    assert looked(tmp_path, coco) == {
        "wrong_size": 1,
        "box_outside": 2,
        "missing_picture": 1,
        "unreadable_picture": 1,
        "repeated_picture": 1,
    }


def test_voc_is_judged_as_it_stands(tmp_path: Path) -> None:
    def xml(box: tuple[float, ...]) -> str:
        named = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        bounds = "".join(f"<{name}>{value}</{name}>" for name, value in named)
        size = f"<size><width>{SIZE[0]}</width><height>{SIZE[1]}</height><depth>3</depth></size>"
        item = f"<object><name>ship</name><bndbox>{bounds}</bndbox></object>"
        return f"<annotation><filename>a.png</filename>{size}{item}</annotation>"

    picture(tmp_path / "images/a.png", 1)
    (tmp_path / "xml").mkdir()
    for box, expected in (((1, 1, 200, 100), {}), ((1, 1, 204, 100), {"box_outside": 1}), ((50, 9, 20, 40), {"box_empty": 1})):
        (tmp_path / "xml/a.xml").write_text(xml(box))
        assert audit(str(tmp_path / "xml"), "voc", str(tmp_path / "images")).counts == expected


def test_a_format_without_sizes_is_judged_on_the_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png", 1)
    (tmp_path / "labels").mkdir()
    for line, expected in (
        ("10 10 60 10 60 40 10 40 ship 0", {}),
        ("150 10 260 10 260 40 150 40 ship 0", {"box_outside": 1}),
    ):
        (tmp_path / "labels/a.txt").write_text(line + "\n")
        assert audit(str(tmp_path / "labels"), "dota", str(tmp_path / "images")).counts == expected


def test_two_answers_to_one_question_are_found(tmp_path: Path) -> None:
    lines = ["1.tif:is there a ship?yes", "1.tif:is there a dock?no", "2.tif:is there a ship?no"]
    (tmp_path / "set.txt").write_text("\n".join(lines))
    assert audit(str(tmp_path / "set.txt"), "rsivqa").counts == {}
    (tmp_path / "set.txt").write_text("\n".join([*lines, "1.tif:is there a ship?no"]))
    assert audit(str(tmp_path / "set.txt"), "rsivqa").counts == {"contradictory_answers": 1}


def test_every_format_of_a_build_can_be_audited() -> None:
    assert {"coco", "voc", "dota", "yolo", "rsvqa", "geochat", "mmrs", "llava"} <= set(list_formats())


def test_real_sets_are_clean(test_data: Path, tmp_path: Path) -> None:
    hit_uav = test_data / "infrared/hit_uav"
    assert audit(str(hit_uav / "Annotations_hbb"), "voc", str(hit_uav / "JPEGImages")).counts == {}
    multispectral = test_data / "scene_classification/EuroSAT_MS"
    assert audit(str(multispectral), "folders", str(multispectral)).counts == {}
    # A cut file among the real ones is found, and it alone.
    for file in sorted((hit_uav / "JPEGImages").iterdir())[:5]:
        shutil.copy(file, tmp_path / file.name)
    broken = sorted(tmp_path.iterdir())[2]
    broken.write_bytes(broken.read_bytes()[:-4000])
    xml = [str(hit_uav / "Annotations_hbb" / f"{file.stem}.xml") for file in sorted(tmp_path.iterdir())]
    (tmp_path / "xml").mkdir()
    for file in xml:
        shutil.copy(file, tmp_path / "xml")
    assert audit(str(tmp_path / "xml"), "voc", str(tmp_path)).counts == {"unreadable_picture": 1}
