"""XML beside VOC: roLabelImg, DIOR-R, DIOR-RSVG and FAIR1M."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.annotations import read_annotations
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError

SIZE = "<size><width>100</width><height>80</height></size>"
BOX = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
ROBND = "<robndbox><cx>50</cx><cy>40</cy><w>20</w><h>10</h><angle>0.5</angle></robndbox>"


def written(folder: Path, objects: str, name: str = "a.xml") -> str:
    path = folder / name
    path.write_text(f"<annotation>\n<filename>{name[:-4]}.jpg</filename>{SIZE}\n{objects}\n</annotation>")
    return str(path)


def thing(inner: str, name: str = "ship") -> str:
    return f"<object><name>{name}</name>{inner}</object>\n"


def test_rolabelimg_angles_turn_clockwise_from_the_x_axis(tmp_path: Path) -> None:
    annotated = read_annotations(
        Annotations("rolabelimg", written(tmp_path, thing(ROBND + "<difficult>1</difficult>") + thing(BOX)))
    )
    oriented, plain = (label.shape for label in annotated.pictures["a"].labels)
    assert oriented
    assert plain
    # cos 0.5 = 0.87758, sin 0.5 = 0.47943: half of w along (cos, sin), half of h along (-sin, cos).
    assert oriented.polygon[:4] == pytest.approx((43.62133, 30.81783, 61.17298, 40.40634), abs=1e-4)
    assert (oriented.oriented, oriented.flags) == (True, ("difficult",))
    assert (plain.oriented, plain.box) == (False, (10, 20, 30, 40))


def test_dior_r_writes_the_corners(tmp_path: Path) -> None:
    places = zip(
        ("left_top", "right_top", "right_bottom", "left_bottom"), ((50, 10), (60, 20), (50, 30), (40, 20)), strict=True
    )
    inner = "".join(f"<x_{place}>{x}</x_{place}><y_{place}>{y}</y_{place}>" for place, (x, y) in places)
    annotated = read_annotations(Annotations("rolabelimg", written(tmp_path, thing(f"<robndbox>{inner}</robndbox>"))))
    (label,) = annotated.pictures["a"].labels
    assert label.shape
    assert (label.shape.polygon, label.shape.oriented) == ((50, 10, 60, 20, 50, 30, 40, 20), True)


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (ROBND.replace("<w>20</w>", ""), "bad_box"),
        (ROBND.replace("<w>20", "<w>0"), "box_empty"),
        (ROBND.replace("0.5", "nan"), "box_not_a_number"),
        (ROBND.replace("<cx>50", "<cx>500"), "box_outside"),
    ],
)
def test_a_broken_oriented_box_is_a_reject_with_its_line(tmp_path: Path, inner: str, reason: str) -> None:
    file = written(tmp_path, thing(ROBND) + thing(inner))
    (reject,) = read_annotations(Annotations("rolabelimg", file)).rejects
    assert (reject.reason, reject.subject, reject.file) == (reason, "a.xml line 4 (a object 1)", file)


def test_dior_rsvg_gives_phrases_and_no_vocabulary(tmp_path: Path) -> None:
    described = thing(BOX + "<description> The ship  on the left </description>")
    file = written(tmp_path, described + thing(BOX + "<description> </description>") + thing(BOX, "bridge"))
    annotated = read_annotations(Annotations("dior_rsvg", file))
    phrase, box = annotated.pictures["a"].labels
    assert (phrase.kind, phrase.text, phrase.category) == ("phrase", "The ship on the left", "ship")
    assert (box.kind, box.category, annotated.categories) == ("box", "bridge", ())
    assert [(reject.reason, reject.subject) for reject in annotated.rejects] == [("empty_phrase", "a.xml line 4 (a object 1)")]


def test_dior_rsvg_splits_number_expressions_and_the_held_out_one_wins(tmp_path: Path) -> None:
    described = thing(BOX + "<description>one</description>")
    for name, count in (("a.xml", 2), ("b.xml", 1), ("c.xml", 3)):
        written(tmp_path, described * count, name)
    lists = {}
    for split, numbers in (("train", "0\n2\n3\n"), ("test", "1\n")):
        (tmp_path / f"{split}.txt").write_text(numbers)
        lists[split] = str(tmp_path / f"{split}.txt")
    annotated = read_annotations(Annotations("dior_rsvg", str(tmp_path / "*.xml"), options={"expressions": lists}))
    assert {name: picture.split for name, picture in annotated.pictures.items()} == {"a": "test", "b": "train", "c": "train"}
    (tmp_path / "test.txt").write_text("6\n")
    with pytest.raises(ConfigError, match="holds number 6"):
        read_annotations(Annotations("dior_rsvg", str(tmp_path / "*.xml"), options={"expressions": lists}))


def fair1m(folder: Path, points: str, coordinate: str = "pixel") -> str:
    path = folder / "7.xml"
    inner = f"<possibleresult><name>Boeing737</name></possibleresult><points>{points}</points>"
    path.write_text(
        f"<annotation><source><filename>7.tif</filename></source>{SIZE}<objects>\n"
        f"<object><coordinate>{coordinate}</coordinate>{inner}</object></objects></annotation>"
    )
    return str(path)


def test_fair1m_points_are_corners(tmp_path: Path) -> None:
    points = "".join(f"<point>{x},{y}</point>" for x, y in ((50, 10), (60, 20), (50, 30), (40, 20), (50, 10)))
    annotated = read_annotations(Annotations("fair1m", fair1m(tmp_path, points)))
    (label,) = annotated.pictures["7"].labels
    assert label.shape
    assert (label.category, label.shape.oriented) == ("Boeing737", True)
    assert (label.shape.polygon, label.shape.box) == ((50, 10, 60, 20, 50, 30, 40, 20), (40, 10, 60, 30))
    triangle = "<point>1,1</point><point>9,1</point><point>5.5,9</point>"
    (label,) = read_annotations(Annotations("fair1m", fair1m(tmp_path, triangle))).pictures["7"].labels
    assert label.shape
    assert not label.shape.oriented


@pytest.mark.parametrize(
    ("points", "unit"),
    [("<point>1,1</point>", "pixel"), ("<point>a,1</point>" * 4, "pixel"), ("<point>1,1</point>" * 4, "geographic")],
)
def test_broken_fair1m_objects_are_rejects(tmp_path: Path, points: str, unit: str) -> None:
    (reject,) = read_annotations(Annotations("fair1m", fair1m(tmp_path, points, unit))).rejects
    assert reject.subject == "7.xml line 2 (7 object 0)"
