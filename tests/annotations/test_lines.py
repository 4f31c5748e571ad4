"""Text lines: DOTA, YOLO, tables and RSIVQA, right, broken and in the spellings that are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.annotations import AnnotatedSet, ScenePicture, fit_to_scene, join_scenes, read_annotations
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError, UsageError
from rsflow.records import Shape


def written(folder: Path, text: str, name: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def shapes(annotated: AnnotatedSet, name: str) -> list[Shape]:
    return [label.shape for label in annotated.pictures[name].labels if label.shape]


DOTA = "2753 2408 2861 2385 2888 2468 2805 2502 plane 0"


@pytest.mark.parametrize(
    "header",
    ["imagesource:GoogleEarth\ngsd:0.146\n", "acquisition dates:None\nimagesource:GF-2\ngsd:0.146\n", "\ufeffgsd:0.146\r\n\n"],
)
def test_dota_of_both_versions(tmp_path: Path, header: str) -> None:
    file = written(tmp_path, f"{header}{DOTA}\n{DOTA.replace('plane 0', 'large-vehicle 2')}", "P0000.txt")
    annotated = read_annotations(Annotations("dota", file))
    picture = annotated.pictures["P0000"]
    assert (picture.gsd_m, picture.height_px, annotated.rejects) == (0.146, None, ())
    assert annotated.categories == ("large-vehicle", "plane")
    first, second = shapes(annotated, "P0000")
    assert first == Shape((2753, 2385, 2888, 2502), (2753, 2408, 2861, 2385, 2888, 2468, 2805, 2502), 1.0, True)
    assert second.flags == ("difficult",)


def test_dota_without_header_difficulty_or_objects(tmp_path: Path) -> None:
    written(tmp_path, DOTA[:-2] + "\n", "a.txt")
    written(tmp_path, "gsd:null\n", "b.txt")
    annotated = read_annotations(Annotations("dota", str(tmp_path / "*.txt")))
    assert {name: len(picture.labels) for name, picture in annotated.pictures.items()} == {"a": 1, "b": 0}
    assert annotated.pictures["b"].gsd_m is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1 2 3 4 plane 0", "bad_box"),
        (DOTA.replace("2385", "x"), "bad_box"),
        (DOTA.replace("2385", "nan"), "box_not_a_number"),
        (DOTA.replace("plane 0", "plane hard"), "bad_difficulty"),
        ("0 0 10 10 10 0 0 10 plane 0", "crossed_corners"),
        ("5 5 5 5 5 5 5 5 plane 0", "box_empty"),
    ],
)
def test_a_broken_dota_line_is_a_reject_with_its_number(tmp_path: Path, line: str, reason: str) -> None:
    file = written(tmp_path, f"gsd:1\n{DOTA}\n{line}\n", "P1.txt")
    annotated = read_annotations(Annotations("dota", file))
    (reject,) = annotated.rejects
    assert (reject.reason, reject.subject, reject.file) == (reason, "P1.txt line 3", file)
    assert len(annotated.pictures["P1"].labels) == 1
    assert not annotated.pictures["P1"].complete


def test_yolo_becomes_pixels_with_the_scene(tmp_path: Path) -> None:
    written(tmp_path, "ship\n\ncrane\n", "labels/classes.txt")
    written(tmp_path, "0 0.5 0.5 0.2 0.4\n2 0.1 0.1 0.3 0.1 0.3 0.4\n", "labels/train/a.txt")
    written(tmp_path, "", "labels/train/b.txt")
    annotated = read_annotations(Annotations("yolo", str(tmp_path / "labels/train/*.txt")))
    assert (annotated.categories, annotated.rejects, annotated.pictures["b"].labels) == (("crane", "ship"), (), ())
    picture, rejects = fit_to_scene(annotated.pictures["a"], 100, 200)
    assert picture
    assert rejects == ()
    box, polygon = (label.shape for label in picture.labels)
    assert box
    assert polygon
    assert box.box == pytest.approx((80, 30, 120, 70))
    assert polygon.polygon == pytest.approx((20, 10, 60, 10, 60, 40))
    assert [label.category for label in picture.labels] == ["ship", "crane"]


def test_yolo_oriented_boxes_with_names_of_a_data_yaml(tmp_path: Path) -> None:
    names = written(tmp_path, "path: .\nnames:\n  0: ship\n  1: plane\n", "data.yaml")
    written(tmp_path, "1 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5\n1 0.5 0.5 0.1 0.1\n", "a.txt")
    annotated = read_annotations(Annotations("yolo_obb", str(tmp_path / "a.txt"), options={"classes": names}))
    (label,) = annotated.pictures["a"].labels
    assert label.shape
    assert (label.category, label.shape.oriented, len(label.shape.polygon)) == ("plane", True, 8)
    assert [(reject.reason, reject.subject) for reject in annotated.rejects] == [("bad_box", "a.txt line 2")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5 0.2", "bad_box"),
        ("0 320 240 50 60", "not_normalised"),
        ("7 0.5 0.5 0.2 0.2", "unknown_category"),
        ("ship 0.5 0.5 0.2 0.2", "unknown_category"),
        ("0 0.5 0.5 0.2 0.0", "box_empty"),
        ("0 0.5 0.5 0.2 0.2 0.9", "bad_box"),
    ],
)
def test_a_broken_yolo_line_is_a_reject_with_its_number(tmp_path: Path, line: str, reason: str) -> None:
    written(tmp_path, "ship", "classes.txt")
    written(tmp_path, f"0 0.5 0.5 0.2 0.4\n{line}", "a.txt")
    annotated = read_annotations(Annotations("yolo", str(tmp_path / "*.txt")))
    assert [(reject.reason, reject.subject) for reject in annotated.rejects] == [(reason, "a.txt line 2")]
    assert list(annotated.pictures) == ["a"]


def test_yolo_without_names_asks_for_them(tmp_path: Path) -> None:
    file = written(tmp_path, "0 0.5 0.5 0.2 0.4", "deep/er/a.txt")
    with pytest.raises(ConfigError, match=r"options\.classes"):
        read_annotations(Annotations("yolo", file))


def test_a_table_is_read_by_its_header(tmp_path: Path) -> None:
    header = "Label,xmax,ymax,xmin,ymin,image_path,split,difficult,other\n"
    rows = '"Tree, old",30,40,10,20,x/a.tif,test,1,?\nTree,,,,,b.tif,,,\nTree,0,0,0,0,c.tif,,,\n'
    annotated = read_annotations(Annotations("csv", written(tmp_path, header + rows, "boxes.csv")))
    assert list(annotated.pictures) == ["a", "b", "c"]
    (shape,) = shapes(annotated, "a")
    assert (shape.box, shape.flags) == ((10, 20, 30, 40), ("difficult",))
    assert (annotated.pictures["a"].split, annotated.pictures["b"].labels) == ("test", ())
    assert (annotated.categories, annotated.rejects) == (("Tree, old",), ())


@pytest.mark.parametrize(
    ("name", "line", "options", "box"),
    [
        ("vhr.txt", "(563,478),(630,573),1 ", {"columns": ["xmin", "ymin", "xmax", "ymax", "label"]}, (563, 478, 630, 573)),
        (
            "visdrone.txt",
            "684,8,273,116,1,4,0,2,",
            {"columns": ["x", "y", "width", "height", "score", "label", "truncated", "occluded"]},
            (684, 8, 957, 124),
        ),
        (
            "rsod.txt",
            "rsod\toverpass\t1\t2\t30\t40",
            {"columns": ["image", "label", "xmin", "ymin", "xmax", "ymax"], "delimiter": "\t"},
            (1, 2, 30, 40),
        ),
        (
            "ucas.txt",
            "10 10 20 10 20 30\t10 30 90 10 10 10 20",
            {"columns": ["x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"], "delimiter": " ", "category": "car"},
            (10, 10, 20, 30),
        ),
    ],
)
def test_lines_without_header_are_read_by_the_columns_told(
    tmp_path: Path, name: str, line: str, options: dict[str, object], box: tuple[float, ...]
) -> None:
    annotated = read_annotations(Annotations("csv", written(tmp_path, line + "\n", name), options=options))
    (shape,) = shapes(annotated, name[:-4])
    assert (shape.box, annotated.rejects) == (box, ())
    assert shape.flags == (("occluded",) if name.startswith("vis") else ())
    assert shape.oriented == name.startswith("ucas")


def test_broken_rows_are_rejects_and_a_table_of_something_else_stops(tmp_path: Path) -> None:
    header = "image_path,xmin,ymin,xmax,ymax,label\n"
    rows = "a.tif,1,2,3,4,Tree\na.tif,1,2,x,4,Tree\na.tif,5,2,3,4,Tree\n,1,2,3,4,Tree\na.tif,1,2,3,4,\n"
    annotated = read_annotations(Annotations("csv", written(tmp_path, header + rows, "boxes.csv")))
    assert [(reject.subject, reject.reason) for reject in annotated.rejects] == [
        ("boxes.csv line 3", "bad_box"),
        ("boxes.csv line 4", "box_empty"),
        ("boxes.csv line 5", "broken_record"),
        ("boxes.csv line 6", "broken_record"),
    ]
    with pytest.raises(UsageError, match="date, value"):
        read_annotations(Annotations("csv", written(tmp_path, "date,value\n1,2\n", "other.csv")))


def test_a_quote_that_is_not_closed_spoils_its_row_and_is_told(tmp_path: Path) -> None:
    """Not a picture without objects, whose name is the whole row."""
    (tmp_path / "a.csv").write_text(
        'image,xmin,ymin,xmax,ymax,label\n"a.tif,1,2,3,4,ship\n"b,c.tif",1,2,3,4,ship\nd.tif,,,,,\n'
    )
    found = read_annotations(Annotations("csv", str(tmp_path / "a.csv")))
    assert {picture.file: len(picture.labels) for picture in found.pictures.values()} == {"b,c.tif": 1, "d.tif": 0}
    assert [(reject.subject, reject.reason) for reject in found.rejects] == [("a.csv line 2", "broken_record")]


def test_pictures_of_one_name_in_two_folders_are_told_apart_by_them(tmp_path: Path) -> None:
    text = "image_path,xmin,ymin,xmax,ymax,label\nx/a.tif,1,2,3,4,T\ny/a.tif,1,2,3,4,U\nb.tif,1,2,3,4,T\n./x/a.tif,5,5,9,9,T\n"
    annotated = read_annotations(Annotations("csv", written(tmp_path, text, "boxes.csv")))
    assert {name: len(picture.labels) for name, picture in annotated.pictures.items()} == {"x/a": 2, "y/a": 1, "b": 1}
    joined = join_scenes(annotated, [ScenePicture("/data/y/a.tif", 9, 9), ScenePicture("/data/z/b.tif", 9, 9)])
    assert joined.files == {"y/a": "/data/y/a.tif", "b": "/data/z/b.tif"}
    assert joined.pictures["/data/y/a.tif"].labels[0].category == "U"
    assert [(reject.subject, reject.reason) for reject in joined.rejects] == [("x/a", "missing_picture")]
    elsewhere = join_scenes(annotated, [ScenePicture("/data/z/a.tif", 9, 9)])
    assert elsewhere.pictures == {}
    assert [reject.reason for reject in elsewhere.rejects] == ["missing_picture", "ambiguous_picture", "ambiguous_picture"]


def test_a_name_that_may_be_any_of_several_pictures_is_a_reject_and_makes_them_incomplete(tmp_path: Path) -> None:
    text = "image_path,xmin,ymin,xmax,ymax,label\nx/a.tif,1,2,3,4,T\ny/a.tif,1,2,3,4,U\n"
    written(tmp_path, text, "one.csv")
    written(tmp_path, text.split("\n")[0] + "\na.tif,1,2,3,4,T\n", "two.csv")
    annotated = read_annotations(Annotations("csv", str(tmp_path / "*.csv")))
    scenes = [ScenePicture("/p/x/a.tif", 9, 9), ScenePicture("/p/y/a.tif", 9, 9)]
    joined = join_scenes(annotated, scenes)
    assert [joined.pictures[scene.file].labels[0].category for scene in scenes] == ["T", "U"]
    assert not any(joined.pictures[scene.file].complete for scene in scenes)
    (reject,) = joined.rejects
    assert (reject.reason, reject.file) == ("ambiguous_picture", str(tmp_path / "two.csv"))
    assert all(scene.file in reject.detail for scene in scenes)


@pytest.mark.parametrize(
    ("line", "name", "question", "answer"),
    [
        ("1.tif:what is the theme of this picture?farmland", "1", "what is the theme of this picture?", "farmland"),
        ("P0003: how many ships are there in this picture?15", "P0003", "how many ships are there in this picture?", "15"),
        ("00001.jpg?Is there  a ship ?  no", "00001", "Is there a ship?", "no"),
        ("a.tif:How many  in the picture?four", "a", "How many in the picture?", "four"),
    ],
)
def test_rsivqa_lines(tmp_path: Path, line: str, name: str, question: str, answer: str) -> None:
    annotated = read_annotations(Annotations("rsivqa", written(tmp_path, f"{line}\n{line}\n", "vqa.txt")))
    (label,) = annotated.pictures[name].labels
    assert (label.kind, label.text, label.category) == ("question", question, answer)


def test_lines_that_ask_or_answer_nothing_are_rejects(tmp_path: Path) -> None:
    text = "1.tif:is there a ship?\n1.tif:?yes\nno question here\n1.tif:is there a ship?yes\n"
    annotated = read_annotations(Annotations("rsivqa", written(tmp_path, text, "vqa.txt")))
    assert [reject.subject for reject in annotated.rejects] == ["vqa.txt line 1", "vqa.txt line 2", "vqa.txt line 3"]
    assert len(annotated.pictures["1"].labels) == 1
