"""The real files: forms of one set say the same, and counts are those that were published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import shapely

from rsflow.annotations import AnnotatedSet, ScenePicture, fit_to_scene, join_scenes, read_annotations
from rsflow.config.settings import Annotations
from rsflow.records import Label
from rsflow.spatial.geometry import Box, iou
from rsflow.spatial.polygons import to_geometry

HIT_UAV_FORMS: list[tuple[str, str, dict[str, Any]]] = [
    ("coco", "annotations_hbb.json", {}),
    ("voc", "Annotations_hbb/*.xml", {}),
    ("yolo", "derived_yolo_labels/*.txt", {}),
    ("coco", "annotations_obb.json", {"angle": "radians_clockwise"}),
    ("rolabelimg", "Annotations_obb/*.xml", {}),
    ("dota", "derived_dota_labelTxt/*.txt", {}),
]


def boxes(annotated: AnnotatedSet, height: int, width: int) -> dict[str, list[Label]]:
    """Labels by picture in pixels, in an order that does not depend on the file's."""
    found = {}
    for name, picture in annotated.pictures.items():
        here, rejects = fit_to_scene(picture, height, width)
        assert here
        assert rejects == ()
        found[name] = sorted(here.labels, key=lambda label: (label.category, [round(v) for v in box_of(label)]))
    return found


def box_of(label: Label) -> Box:
    assert label.shape
    return label.shape.box


def matched(labels: Iterable[Label], others: list[Label]) -> list[float]:
    """For every label the best overlap with a label of its class among the others."""
    return [max(iou(box_of(a), box_of(b)) for b in others if b.category == a.category) for a in labels]


def test_hit_uav_in_six_annotation_forms_gives_the_same_boxes(test_data: Path) -> None:
    folder = test_data / "infrared/hit_uav"
    sets = [read_annotations(Annotations(form, str(folder / files), options=options)) for form, files, options in HIT_UAV_FORMS]
    assert [(len(one.pictures), one.rejects) for one in sets] == [(110, ())] * 6
    found = [boxes(one, 512, 640) for one in sets]
    counts = [Counter(label.category for labels in one.values() for label in labels) for one in found]
    assert counts == [counts[0]] * 6
    assert counts[0].total() == 861
    for name, labels in found[0].items():
        for other in (found[1], found[2]):
            for a, b in zip(labels, other[name], strict=True):
                assert box_of(a) == pytest.approx(box_of(b), abs=1e-3)
        for a, b in zip(found[3][name], found[4][name], strict=True):
            assert a.shape
            assert b.shape
            assert (a.shape.box, a.shape.polygon) == (b.shape.box, b.shape.polygon)
        # The DOTA files are rounded to tenths, which can change the order.
        assert min(matched(found[4][name], found[5][name]), default=1.0) > 0.9
        # The horizontal boxes are the whole pixels around the oriented ones, cut at the picture's edge.
        assert min(matched(labels, found[4][name]), default=1.0) > 0.7


def test_neon_trees_in_voc_and_csv_agree(test_data: Path) -> None:
    folder = test_data / "detection/neon_trees"
    voc = read_annotations(Annotations("voc", str(folder / "OSBS_029.xml"))).pictures["OSBS_029"]
    table = read_annotations(Annotations("csv", str(folder / "OSBS_029.csv"))).pictures["OSBS_029"]
    same, rejects = fit_to_scene(table, 400, 400)
    assert same
    assert rejects == ()
    assert sorted(map(box_of, voc.labels)) == sorted(map(box_of, same.labels))
    assert len(voc.labels) == 61


def test_oam_tcd_polygons_fill_the_boxes_that_were_stated(test_data: Path) -> None:
    annotated = read_annotations(Annotations("coco", str(test_data / "detection/oam_tcd/coco_sample_file.json")))
    labels = [label for picture in annotated.pictures.values() for label in picture.labels]
    assert len(labels) == 6
    for label in labels:
        assert label.shape
        area = to_geometry(label.shape.area_parts)
        assert shapely.box(*label.shape.box).buffer(1).contains(area)
        assert area.area > 0.3 * shapely.box(*label.shape.box).area


def test_ucm_has_captions_and_questions_of_the_same_pictures(test_data: Path) -> None:
    captions = read_annotations(Annotations("captions", str(test_data / "caption_vqa/ucm/dataset_ucm_subset.json")))
    questions = read_annotations(Annotations("rsivqa", str(test_data / "caption_vqa/ucm/ucm_vqa_subset.txt")))
    assert set(captions.pictures) == set(questions.pictures)
    assert (captions.rejects, questions.rejects) == ((), ())
    assert {picture.split for picture in captions.pictures.values()} == {"train"}
    assert captions.pictures["1"].labels[0].text == "There is a piece of farmland ."
    asked = {label.text: label.category for label in questions.pictures["101"].labels}
    assert asked["How many in the picture?"] == "four"
    files = [str(file) for file in (test_data / "caption_vqa/ucm/images").iterdir()]
    assert sorted(join_scenes(captions, [ScenePicture(file) for file in files]).files.values()) == sorted(files)


def test_floodnet_is_as_large_as_the_training_set_that_used_it(test_data: Path) -> None:
    annotated = read_annotations(Annotations("floodnet", str(test_data / "vqa_annotations/floodnet/Question.json")))
    labels = [label for picture in annotated.pictures.values() for label in picture.labels]
    assert (len(annotated.pictures), len(labels), annotated.rejects) == (1448, 4511, ())
    assert {label.provenance.name.removeprefix("floodnet:") for label in labels} == {
        "Yes_No",
        "Complex_Counting",
        "Condition_Recognition",
        "Simple_Counting",
    }


def test_classes_of_eurosat_and_uc_merced_are_their_folders(test_data: Path) -> None:
    folder = test_data / "scene_classification"
    annotated = read_annotations(
        Annotations("folders", (str(folder / "**/*.tif"), str(folder / "**/*.jpg")), categories={"SeaLake": "sea"})
    )
    found = Counter(label.category for picture in annotated.pictures.values() for label in picture.labels)
    assert found == {"AnnualCrop": 2, "sea": 2, "airplane": 1, "forest": 1}


def test_hrsid_masks_give_the_boxes_that_others_derived_from_them(test_data: Path) -> None:
    legend = {"0,0,0": "", "0,255,0": "ship"}
    options = {"legend": legend, "objects": ["ship"]}
    masks = read_annotations(Annotations("masks", str(test_data / "sar/hrsid/masks/*.png"), options=options))
    coco = read_annotations(Annotations("coco", str(test_data / "sar/hrsid/derived_coco.json")))
    for name, picture in coco.pictures.items():
        mine = sorted(box_of(label) for label in masks.pictures[name].labels if label.kind == "box")
        assert mine == sorted(map(box_of, picture.labels))
        (cover,) = [label for label in masks.pictures[name].labels if label.kind == "cover"]
        assert cover.value
        assert 0 < cover.value < 0.02


def test_sen1floods11_is_land_and_water(test_data: Path) -> None:
    options = {"legend": {"-1": None, "0": "land", "1": "water"}, "rename": {"_LabelHand": "_S1Hand"}}
    files = str(test_data / "multisensor/sen1floods11_spain/*LabelHand.tif")
    annotated = read_annotations(Annotations("masks", files, options=options))
    covers = {label.category: label.value for label in annotated.pictures["Spain_7370579_S1Hand"].labels}
    assert covers == pytest.approx({"land": 192010 / 262045, "water": 70035 / 262045})
