"""One value, many spellings: ids, flags, numbers, encodings and names as tools write them, in every format that has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsflow.annotations import AnnotatedSet, read_annotations
from rsflow.annotations.yolo import read_class_names
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError
from rsflow.records import Shape

BOX = (10.0, 20.0, 40.0, 60.0)


def read(file: Path, form: str, data: str | bytes, **options: Any) -> AnnotatedSet:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_annotations(Annotations(form, str(file), options=options))


def shapes(annotated: AnnotatedSet) -> list[Shape]:
    assert not annotated.rejects
    return [label.shape for one in annotated.pictures.values() for label in one.labels if label.shape]


def coco(image_id: Any = 1, category_id: Any = 1, **record: Any) -> str:
    data = {
        "images": [{"id": 1, "file_name": "a.png", "height": 100, "width": 200}],
        "categories": [{"id": 1, "name": "ship"}],
        "annotations": [{"id": 1, "image_id": image_id, "category_id": category_id, "bbox": [10, 20, 30, 40], **record}],
    }
    return json.dumps(data)


@pytest.mark.parametrize("number", [1, 1.0, "1", "1.0", " 1 "])
def test_ids_are_compared_by_value(tmp_path: Path, number: Any) -> None:
    (shape,) = shapes(read(tmp_path / "a.json", "coco", coco(number, number)))
    assert shape.box == BOX


UNSET = [0, 0.0, "0", "0.0", "", " ", "false", "False", "no", "None", "null", None, False, [], float("nan"), "Unspecified"]


@pytest.mark.parametrize("value", UNSET)
def test_flags_that_are_not_set(tmp_path: Path, value: Any) -> None:
    (shape,) = shapes(read(tmp_path / "a.json", "coco", coco(iscrowd=value, difficult=value, attributes={"occluded": value})))
    assert shape.flags == ()


@pytest.mark.parametrize("value", [1, 1.0, "1", "true", "True", "yes", True])
def test_flags_that_are_set(tmp_path: Path, value: Any) -> None:
    (shape,) = shapes(read(tmp_path / "a.json", "coco", coco(difficult=value, attributes={"occluded": value})))
    assert shape.flags == ("difficult", "occluded")


@pytest.mark.parametrize("side", [100, 100.0, "100", "100.0"])
def test_sizes_are_numbers_however_they_are_spelled(tmp_path: Path, side: Any) -> None:
    text = coco().replace('"height": 100', f'"height": {json.dumps(side)}')
    (picture,) = read(tmp_path / "a.json", "coco", text).pictures.values()
    assert picture.height_px == 100


def test_a_flat_ring_is_a_ring(tmp_path: Path) -> None:
    ring = [10, 20, 40, 20, 40, 60, 10, 60]
    (shape,) = shapes(read(tmp_path / "a.json", "coco", coco(segmentation=ring)))
    assert shape.polygon == tuple(map(float, ring))


@pytest.mark.parametrize("name", ["", " ", None])
def test_a_category_without_a_name_is_nobodys(tmp_path: Path, name: Any) -> None:
    text = coco().replace('"ship"', json.dumps(name))
    found = read(tmp_path / "a.json", "coco", text)
    assert [reject.reason for reject in found.rejects] == ["unknown_category"]
    assert found.categories == ()


def test_a_category_may_be_named_by_a_number(tmp_path: Path) -> None:
    found = read(tmp_path / "a.json", "coco", coco().replace('"ship"', "7"))
    assert not found.rejects
    assert found.categories == ("7",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("form", ["csv", "dota", "yolo", "rsivqa"])
def test_text_of_every_encoding_and_line_end(tmp_path: Path, form: str, end: str, encoding: str) -> None:
    lines = {
        "csv": ["image,xmin,ymin,xmax,ymax,label", "a.png,10,20,40,60,ship"],
        "dota": ["imagesource:x", "10 20 40 20 40 60 10 60 ship 0"],
        "yolo": ["0 0.125 0.4 0.15 0.4"],
        "rsivqa": ["a.png:is it day?yes"],
    }
    (tmp_path / "classes.txt").write_bytes(b"\xef\xbb\xbfship\r\n")
    text = end.join([*lines[form], ""])
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)
    found = read(tmp_path / ("a.csv" if form == "csv" else "a.txt"), form, data)
    assert not found.rejects
    (picture,) = found.pictures.values()
    assert [label.category for label in picture.labels] == ["yes" if form == "rsivqa" else "ship"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x1c"])
def test_separators_within_texts_do_not_end_a_line(tmp_path: Path, separator: str) -> None:
    turns = [{"from": "human", "value": f"Is it{separator}day?"}, {"from": "gpt", "value": "Yes."}]
    row = json.dumps({"image": "a.png", "conversations": turns}, ensure_ascii=False)
    found = read(tmp_path / "a.jsonl", "conversations", row + "\n")
    accepted = [label.text for one in found.pictures.values() for label in one.labels]
    assert accepted == ["Is it day?"]
    label = {"kind": "caption", "category": "", "text": f"A{separator}bay."}
    line = json.dumps({"file": "a.png", "labels": [label]}, ensure_ascii=False)
    assert len(read(tmp_path / "b.jsonl", "rsflow", line).pictures) == 1


CLASSES = ["1", "1.0", "1.", "1.000e+00", "1.000000000000000000e+00", "01", "+1"]


@pytest.mark.parametrize("number", CLASSES)
def test_yolo_classes_are_numbers_however_they_are_spelled(tmp_path: Path, number: str) -> None:
    (tmp_path / "classes.txt").write_text("dock\nship\n")
    found = read(tmp_path / "a.txt", "yolo", f"{number} 1.25e-01 4.0E-1 .15 0.4\n")
    assert [label.category for label in found.pictures["a"].labels] == ["ship"]


@pytest.mark.parametrize("number", ["-1", "2", "1.5", "nan", "inf", "ship", "1e400"])
def test_a_yolo_class_that_is_none_is_a_reject(tmp_path: Path, number: str) -> None:
    (tmp_path / "classes.txt").write_text("dock\nship\n")
    found = read(tmp_path / "a.txt", "yolo", f"{number} 0.125 0.4 0.15 0.4\n")
    assert [reject.reason for reject in found.rejects] == ["unknown_category"]


@pytest.mark.parametrize(
    "names", ["[dock, ship]", "{0: dock, 1: ship}", "{'0': dock, '1': ship}", '{"0": "dock", "1": "ship "}']
)
def test_names_of_a_data_yaml_in_every_form(tmp_path: Path, names: str) -> None:
    (tmp_path / "data.yaml").write_bytes(b"\xef\xbb\xbf" + f"nc: 2\nnames: {names}\n".encode())
    found = read(tmp_path / "labels/a.txt", "yolo", "1 0.125 0.4 0.15 0.4\n")
    assert [label.category for label in found.pictures["a"].labels] == ["ship"]


@pytest.mark.parametrize("number", ["1", "1.0", " 1 "])
def test_class_numbers_of_tables_are_one_category(tmp_path: Path, number: str) -> None:
    (tmp_path / "a.csv").write_text(f"image,xmin,ymin,xmax,ymax,label\na.png,10,20,40,60,{number}\n")
    found = read_annotations(Annotations("csv", str(tmp_path / "a.csv"), categories={"1": "ship"}))
    assert [label.category for label in found.pictures["a"].labels] == ["ship"]


@pytest.mark.parametrize(
    "header",
    ["image,xmin,ymin,xmax,ymax,label", " Image , XMin,YMin,XMax,YMax, Label ", '"image","xmin","ymin","xmax","ymax","label"'],
)
def test_headers_in_any_case(tmp_path: Path, header: str) -> None:
    (shape,) = shapes(read(tmp_path / "a.csv", "csv", f"{header}\na.png,1.0e1,+20,40.,60,ship\n"))
    assert shape.box == BOX


@pytest.mark.parametrize("row", ["a,b.png,10,20,40,60,ship", "a.png,10,20,40,60,ship,7"])
def test_a_row_of_more_cells_than_columns_is_a_reject(tmp_path: Path, row: str) -> None:
    found = read(tmp_path / "a.csv", "csv", f"image,xmin,ymin,xmax,ymax,label\n{row}\n")
    assert [reject.reason for reject in found.rejects] == ["broken_record"]
    assert not any(one.labels for one in found.pictures.values())


@pytest.mark.parametrize(("end", "category"), [("small vehicle 0", "small vehicle"), ("plane 0.0", "plane")])
def test_dota_categories_of_several_words(tmp_path: Path, end: str, category: str) -> None:
    found = read(tmp_path / "a.txt", "dota", f"10 20 40 20 40 60 10 60 {end}\n")
    assert [label.category for label in found.pictures["a"].labels] == [category]


@pytest.mark.parametrize("roles", [("human", "gpt"), ("Human", "GPT"), ("USER", "ASSISTANT"), ("user", "model")])
def test_roles_in_any_case(tmp_path: Path, roles: tuple[str, str]) -> None:
    turns = [{"from": roles[0], "value": "Is it day?"}, {"from": roles[1], "value": "Yes."}]
    found = read(tmp_path / "a.json", "conversations", json.dumps([{"image": "a.png", "conversations": turns}]))
    assert len(found.pictures["a"].labels) == 1


JUNK = ["._a.{}", "__MACOSX/a.{}", "__MACOSX/._a.{}"]


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("form", ["voc", "dota", "yolo", "coco", "csv", "folders", "captions"])
def test_files_that_macos_adds_are_not_read(tmp_path: Path, form: str, junk: str) -> None:
    kind = {"voc": "xml", "dota": "txt", "yolo": "txt", "folders": "png", "csv": "csv"}.get(form, "json")
    (tmp_path / "classes.txt").write_text("ship")
    other = tmp_path / "set" / junk.format(kind)
    other.parent.mkdir(parents=True)
    other.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    whole = {
        "voc": "<annotation><object><name>ship</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>40</xmax><ymax>60</ymax>"
        "</bndbox></object></annotation>",
        "dota": "10 20 40 20 40 60 10 60 ship 0",
        "yolo": "0 0.125 0.4 0.15 0.4",
        "coco": coco(),
        "csv": "image,xmin,ymin,xmax,ymax,label\na.png,10,20,40,60,ship",
        "folders": "",
        "captions": json.dumps({"images": [{"filename": "a.png", "sentences": ["A bay."]}]}),
    }
    (tmp_path / f"set/a.{kind}").write_text(whole[form])
    found = read_annotations(Annotations(form, str(tmp_path / f"set/**/*.{kind}")))
    assert (len(found.pictures), found.rejects) == (1, ())


@pytest.mark.parametrize(
    "line", ["a b.png", "./p/a b.png", "p\\a b.png", "p/a%20b.PNG", "a b", "p/a b.png 1 0", "p/a b.png\t1"]
)
def test_split_lists_name_pictures_in_any_spelling(tmp_path: Path, line: str) -> None:
    text = coco().replace("a.png", "p/a b.png")
    (tmp_path / "set.json").write_text(text)
    (tmp_path / "test.txt").write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n")
    settings = Annotations("coco", str(tmp_path / "set.json"), splits={"test": str(tmp_path / "test.txt")})
    assert [one.split for one in read_annotations(settings).pictures.values()] == ["test"]


def test_turns_in_parts_are_read(tmp_path: Path) -> None:
    parts = [{"type": "image"}, {"type": "text", "text": "Is it day?"}]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]}]
    found = read(tmp_path / "a.json", "conversations", json.dumps([{"images": ["a.png"], "messages": messages}]))
    assert [(label.text, label.category) for label in found.pictures["a"].labels] == [("Is it day?", "Yes.")]


@pytest.mark.parametrize("bbox", [["1", "2", "20", "30"], [1, "2.0", " 20 ", 3e1], ["1.", "2", "2e1", "30"]])
def test_numbers_of_a_box_may_be_texts(tmp_path: Path, bbox: list[Any]) -> None:
    for box, count in ((bbox, 1), ([*bbox[:3], "nan"], 0), ([*bbox[:3], "0x10"], 0), ([*bbox[:3], float("nan")], 0)):
        record = {"id": 1, "image_id": 1, "category_id": 1, "bbox": box, "segmentation": None}
        image = {"id": 1, "file_name": "a.png", "width": 100, "height": 100}
        data = {"images": [image], "annotations": [record], "categories": [{"id": 1, "name": "ship"}]}
        (tmp_path / "a.json").write_text(json.dumps(data))
        found = read_annotations(Annotations("coco", str(tmp_path / "a.json")))
        boxes = [label.shape.box for label in found.pictures["a"].labels if label.shape]
        assert (boxes, len(found.rejects)) == ([(1.0, 2.0, 21.0, 32.0)] * count, 1 - count)


@pytest.mark.parametrize("names", ["[null]", "[true]", "[no, yes]", "[[ship]]", "{0: {a: b}}", "['']"])
def test_a_class_without_a_name_is_refused_with_its_number(tmp_path: Path, names: str) -> None:
    (tmp_path / "data.yaml").write_text(f"names: {names}\n")
    with pytest.raises(ConfigError, match="class 0 is"):
        read_class_names(str(tmp_path / "data.yaml"))
