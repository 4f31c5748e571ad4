"""VOC files: corners as they stand, and XML that can do no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.annotations import read_annotations
from rsflow.annotations.annotated_set import AnnotatedSet
from rsflow.annotations.voc import read_voc as read_files
from rsflow.config.settings import Annotations


def read_voc(path: str) -> AnnotatedSet:
    return read_files([path])


BOX = "<xmin>10</xmin><ymin>20.5</ymin><xmax>30</xmax><ymax>40</ymax>"


def written(folder: Path, text: str, name: str = "tile_7.xml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def picture_xml(objects: str, head: str = "<filename>Tile_7.png</filename>") -> str:
    return f"<annotation>{head}<size><width>100</width><height>50</height><depth>3</depth></size>{objects}</annotation>"


def object_xml(box: str = BOX, name: str = "ship") -> str:
    return f"<object><name>{name}</name><difficult>1</difficult><bndbox>{box}</bndbox></object>"


def test_corners_are_taken_as_they_stand(tmp_path: Path) -> None:
    annotated = read_voc(written(tmp_path, picture_xml(object_xml())))
    picture = annotated.pictures["Tile_7"]
    assert (picture.height_px, picture.width_px, annotated.categories, annotated.rejects) == (50, 100, ("ship",), ())
    assert picture.labels[0].shape
    assert picture.labels[0].shape.box == (10, 20.5, 30, 40)
    assert picture.labels[0].provenance.name == "voc"


def test_without_a_filename_the_xml_names_the_picture(tmp_path: Path) -> None:
    annotated = read_voc(written(tmp_path, picture_xml("", head=""), name="scene.1.5m.xml"))
    assert list(annotated.pictures) == ["scene.1.5m"]


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (object_xml(box=BOX.replace("30", "x")), "bad_box"),
        (object_xml(box="<xmin>1</xmin>"), "bad_box"),
        (object_xml(box=BOX.replace("30", "nan")), "box_not_a_number"),
        (object_xml(box=BOX.replace("30", "10")), "box_empty"),
        (object_xml(box=BOX.replace("10", "100").replace("30", "120")), "box_outside"),
        (object_xml(name=" "), "unknown_category"),
        ("<object><name>ship</name><robndbox/></object>", "bad_box"),
    ],
)
def test_a_broken_object_is_rejected_with_its_place(tmp_path: Path, thing: str, reason: str) -> None:
    file = written(tmp_path, picture_xml("\n" + object_xml() + "\n\n" + thing))
    annotated = read_voc(file)
    (reject,) = annotated.rejects
    assert (reject.subject, reject.reason, reject.file) == ("tile_7.xml line 4 (Tile_7 object 1)", reason, file)
    assert len(annotated.pictures["Tile_7"].labels) == 1
    assert not annotated.pictures["Tile_7"].complete


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<annotation><object></annotation>", "unreadable_annotation"),
        ("", "unreadable_annotation"),
        ("<html/>", "unreadable_annotation"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + picture_xml(object_xml(name="&x;")), "unsafe_xml"),
        ('<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>' + picture_xml(object_xml(name="&y;")), "unsafe_xml"),
    ],
)
def test_an_xml_that_cannot_be_used_is_one_reject(tmp_path: Path, text: str, reason: str) -> None:
    annotated = read_voc(written(tmp_path, text))
    assert annotated.pictures == {}
    assert [reject.reason for reject in annotated.rejects] == [reason]


def test_entities_are_found_in_utf_16_too(tmp_path: Path) -> None:
    path = tmp_path / "wide.xml"
    path.write_bytes(
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "ha">]>' + picture_xml("")).encode("utf-16")
    )
    assert [reject.reason for reject in read_voc(str(path)).rejects] == ["unsafe_xml"]


def test_hit_uav_says_the_same_in_voc_and_in_coco(test_data: Path) -> None:
    folder = test_data / "infrared/hit_uav"
    voc = read_annotations(Annotations("voc", str(folder / "Annotations_hbb/*.xml")))
    coco = read_annotations(Annotations("coco", str(folder / "annotations_hbb.json")))
    assert (voc.rejects, coco.rejects) == ((), ())
    assert voc.pictures.keys() == coco.pictures.keys()
    assert set(voc.categories) <= set(coco.categories)
    for name, picture in voc.pictures.items():
        ours = sorted((label.category, label.shape.box) for label in picture.labels if label.shape)
        theirs = sorted((label.category, label.shape.box) for label in coco.pictures[name].labels if label.shape)
        assert [category for category, _ in ours] == [category for category, _ in theirs]
        for (_, a), (_, b) in zip(ours, theirs, strict=True):
            assert a == pytest.approx(b, abs=1)


def test_tree_crowns_of_all_sizes_lie_on_their_pictures(test_data: Path) -> None:
    annotated = read_annotations(Annotations("voc", str(test_data / "detection/neon_trees/**/*.xml")))
    assert len(annotated.pictures) == 13
    for picture in annotated.pictures.values():
        for label in picture.labels:
            assert label.shape
            assert 0 <= label.shape.box[0] < label.shape.box[2] <= (picture.width_px or 0)
            assert 0 <= label.shape.box[1] < label.shape.box[3] <= (picture.height_px or 0)


def test_what_is_said_beside_the_class_is_kept_as_flags(tmp_path: Path) -> None:
    thing = object_xml().replace("</name>", "</name><truncated>1</truncated><occluded>0</occluded>")
    (label,) = read_voc(written(tmp_path, picture_xml(thing))).pictures["Tile_7"].labels
    assert label.shape
    assert label.shape.flags == ("difficult", "truncated")
