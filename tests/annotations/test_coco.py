"""COCO files: what is right is read, what is broken is rejected by name, what is no COCO stops with a message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsflow.annotations import ScenePicture, join_scenes
from rsflow.annotations.coco import read_coco as read_files
from rsflow.errors import ConfigError, UsageError
from rsflow.spatial.geometry import Box
from rsflow.spatial.polygons import parts_area


def read_coco(path: str, **options: Any) -> Any:
    return read_files([path], **options)


def written(folder: Path, **changes: Any) -> str:
    data = {
        "images": [{"id": 1, "file_name": "sub/Harbour_1.JPG", "height": 100, "width": 200}, {"id": 2, "file_name": "b.tif"}],
        "categories": [{"id": 0, "name": "ship"}, {"id": 7, "name": "crane"}],
        "annotations": [],
    }
    path = folder / "truth.json"
    path.write_text(json.dumps({key: value for key, value in {**data, **changes}.items() if value is not None}))
    return str(path)


def one(folder: Path, options: Any = None, **record: Any) -> Any:
    records = [{"id": 5, "image_id": 1, "category_id": 0, **record}]
    return read_coco(written(folder, annotations=records), **(options or {}))


def test_a_box_becomes_corners_in_scene_pixels(tmp_path: Path) -> None:
    annotated = one(tmp_path, bbox=[10, 20.5, 30, 40])
    picture = annotated.pictures["Harbour_1"]
    assert (picture.file, picture.height_px, picture.width_px, picture.complete) == ("sub/Harbour_1.JPG", 100, 200, True)
    (label,) = picture.labels
    assert (label.kind, label.category, label.shape.box, label.shape.visibility) == (
        "box",
        "ship",
        (10.0, 20.5, 40.0, 60.5),
        1.0,
    )
    assert (label.provenance.origin, label.provenance.name) == ("annotation", "truth.json")
    assert annotated.categories == ("crane", "ship")
    assert annotated.pictures["b"].labels == ()
    assert annotated.pictures["b"].height_px is None


@pytest.mark.parametrize(
    ("record", "reason", "found"),
    [
        ({"bbox": [10, 20, 30]}, "bad_box", "[10, 20, 30]"),
        ({"bbox": [10, 20, 30, 40, 0.5]}, "bad_box", "oriented"),
        ({"bbox": [10, 20, "wide", 40]}, "bad_box", '"wide"'),
        ({"bbox": [float("nan"), 20, 30, 40]}, "bad_box", "NaN"),
        ({"bbox": [10**400, 20, 30, 40]}, "bad_box", "1000"),
        ({}, "bad_box", "null"),
        ({"bbox": [10, 20, 0, 40]}, "box_empty", "no area"),
        ({"bbox": [10, 20, -5, 40]}, "box_empty", "no area"),
        ({"bbox": [200, 20, 30, 40]}, "box_outside", "100 rows, 200 columns"),
        ({"bbox": [10, 20, 30, 40], "category_id": 3}, "unknown_category", "3"),
        ({"caption": " "}, "empty_caption", "sentence"),
    ],
)
def test_a_broken_record_is_rejected_and_its_picture_incomplete(
    tmp_path: Path, record: dict[str, Any], reason: str, found: str
) -> None:
    annotated = one(tmp_path, **record)
    (reject,) = annotated.rejects
    assert (reject.kind, reject.subject, reject.reason) == ("annotation", "annotation 5", reason)
    assert found in reject.detail
    assert reject.file.endswith("truth.json")
    assert annotated.pictures["Harbour_1"].labels == ()
    assert not annotated.pictures["Harbour_1"].complete
    assert annotated.pictures["b"].complete


def test_a_record_without_its_picture_entry_is_rejected(tmp_path: Path) -> None:
    annotated = one(tmp_path, image_id=99, bbox=[1, 1, 2, 2])
    assert [reject.reason for reject in annotated.rejects] == ["missing_picture_entry"]
    assert "99" in annotated.rejects[0].detail


def test_a_record_that_is_no_object_and_a_picture_entry_without_name_are_rejected(tmp_path: Path) -> None:
    annotated = read_coco(written(tmp_path, images=[{"id": 1}], annotations=[[1, 2]]))
    assert [(reject.subject, reject.reason) for reject in annotated.rejects] == [
        ("images[0]", "broken_picture_entry"),
        ("annotations[0]", "broken_record"),
    ]


def test_what_passes_the_edge_is_cut_there_box_and_ring(tmp_path: Path) -> None:
    annotated = one(tmp_path, bbox=[-10, 80, 30, 40], segmentation=[[-10, 80, 20, 80, 20, 120, -10, 120]])
    shape = annotated.pictures["Harbour_1"].labels[0].shape
    assert shape.box == (0, 80, 20, 100)
    assert (min(shape.polygon[::2]), max(shape.polygon[::2])) == (0, 20)
    assert (min(shape.polygon[1::2]), max(shape.polygon[1::2])) == (80, 100)
    assert shape.visibility == 1


def test_of_several_rings_each_is_a_part(tmp_path: Path) -> None:
    small, large = [1, 1, 2, 1, 2, 2], [10, 10, 30, 10, 30, 30, 10, 30]
    for box in ({"bbox": [1, 1, 29, 29]}, {}):
        shape = one(tmp_path, **box, segmentation=[small, large]).pictures["Harbour_1"].labels[0].shape
        assert shape.box == (1, 1, 30, 30)
        assert shape.parts == ((tuple(map(float, small)),), (tuple(map(float, large)),))
        assert shape.polygon == tuple(map(float, large))


def rectangles(count: int, *more: list[float]) -> list[dict[str, Any]]:
    corners = [[x, 10, x + 6, 10, x + 6, 30, x, 30] for x in range(0, 9 * count, 9)]
    return [{"id": n, "image_id": 1, "category_id": 0, "segmentation": [ring]} for n, ring in enumerate([*corners, *more])]


@pytest.mark.parametrize(
    ("records", "outlines"),
    [
        (rectangles(10), 0),  # whoever wrote the file has boxes only
        (rectangles(10, [0, 50, 0, 60, 20, 60, 20, 50, 0, 50]), 0),  # closed, the other way round
        (rectangles(9), 9),  # too few to tell
        (rectangles(10, [50, 50, 60, 50, 60, 60]), 11),  # one has a shape of its own, so the others have theirs
    ],
)
def test_polygons_that_are_all_boxes_are_no_outlines(tmp_path: Path, records: Any, outlines: int) -> None:
    labels = read_coco(written(tmp_path, annotations=records)).pictures["Harbour_1"].labels
    assert len(labels) == len(records)
    assert sum(bool(label.shape.area_parts) for label in labels) == outlines
    assert labels[0].shape.box == (0, 10, 6, 30)
    outlined = read_coco(written(tmp_path, annotations=records), polygons="outlines").pictures["Harbour_1"].labels
    assert all(label.shape.area_parts for label in outlined)


@pytest.mark.parametrize(
    ("turned", "oriented"),
    [
        ([50, 50, 70, 60, 65, 70, 45, 60], True),
        ([50, 50, 70, 60.3, 65.2, 70, 45, 60], True),  # rounded, as drawn
        ([50, 50, 70, 50, 80, 60, 60, 60], False),  # a parallelogram
        ([50, 50, 70, 60, 65, 70], False),
    ],
)
def test_polygons_that_are_all_rectangles_are_oriented_boxes(tmp_path: Path, turned: list[float], oriented: bool) -> None:
    labels = read_coco(written(tmp_path, annotations=rectangles(10, turned))).pictures["Harbour_1"].labels
    assert {label.shape.oriented for label in labels} == {oriented}
    assert labels[-1].shape.polygon == tuple(turned)
    assert labels[0].shape.box == (0, 10, 6, 30)


@pytest.mark.parametrize("value", [10**400, 1.5e308, float("nan"), True, "6"])
def test_a_value_that_is_no_coordinate_loses_its_record_alone(tmp_path: Path, value: Any) -> None:
    annotated = read_coco(written(tmp_path, annotations=rectangles(10, [50, 50, value, 50, 60, 60, 50, 60])))
    assert len(annotated.pictures["Harbour_1"].labels) >= 10


def test_a_mask_of_another_size_than_its_picture_is_reported(tmp_path: Path) -> None:
    annotated = one(tmp_path, bbox=[1, 1, 29, 29], segmentation={"size": [200, 100], "counts": [500, 4, 19496]})
    assert [reject.reason for reject in annotated.rejects] == ["bad_rle"]
    assert annotated.pictures["Harbour_1"].labels[0].shape.area_parts == ()


SEGMENTATIONS = {
    "two rings": [[20, 10, 60, 10, 60, 30, 20, 30], [100, 10, 150, 10, 150, 40, 100, 40]],
    "rings that overlap": [[20, 10, 60, 10, 60, 30, 20, 30], [40, 20, 80, 20, 80, 50, 40, 50]],
    "rings that share a side": [[20, 10, 60, 10, 60, 30, 20, 30], [60, 10, 80, 10, 80, 30, 60, 30]],
    "a ring within another": [[20, 10, 80, 10, 80, 70, 20, 70], [40, 30, 60, 30, 60, 50, 40, 50]],
    "a mask with a hole": "hole",
    "a mask of two parts": "parts",
}


@pytest.mark.parametrize("name", SEGMENTATIONS)
def test_the_area_is_that_of_pycocotools(tmp_path: Path, name: str) -> None:
    mask_api = pytest.importorskip("pycocotools.mask", reason="pycocotools is the oracle")
    found: Any = SEGMENTATIONS[name]
    if isinstance(found, str):
        mask = np.zeros((100, 200), dtype=np.uint8, order="F")
        mask[10:50, 20:80] = 1
        mask[20:30, 40:60] = found != "hole"
        mask[60:70, 100:130] = found == "parts"
        coded = mask_api.encode(mask)
        found = {"size": coded["size"], "counts": coded["counts"].decode()}
        expected = int(mask.sum())
    else:
        expected = int(mask_api.area(mask_api.merge(mask_api.frPyObjects(found, 100, 200))))
    shape = one(tmp_path, segmentation=found).pictures["Harbour_1"].labels[0].shape
    assert parts_area(shape.area_parts) == pytest.approx(expected, rel=1e-9 if isinstance(found, dict) else 0.03)


def test_a_run_length_mask_gives_outline_and_box(tmp_path: Path) -> None:
    # 3 columns of 4 rows from column 2, row 1 of a picture of 100 rows, as runs down the columns.
    counts = [201, 4, 96, 4, 96, 4, 20000 - 201 - 3 * 4 - 2 * 96]
    mask = {"size": [100, 200], "counts": counts}
    shape = one(tmp_path, segmentation=mask).pictures["Harbour_1"].labels[0].shape
    assert shape.box == (2, 1, 5, 5)
    assert sorted(zip(shape.polygon[::2], shape.polygon[1::2], strict=True)) == [(2, 1), (2, 5), (5, 1), (5, 5)]


def test_a_broken_run_length_mask_is_reported_and_the_box_kept(tmp_path: Path) -> None:
    annotated = one(tmp_path, bbox=[1, 1, 29, 29], segmentation={"size": [100, 200], "counts": [5, 5]})
    assert [reject.reason for reject in annotated.rejects] == ["bad_rle"]
    assert annotated.pictures["Harbour_1"].labels[0].shape.box == (1, 1, 30, 30)


@pytest.mark.parametrize(("angle", "number"), [("radians_clockwise", 0.5), ("degrees_counterclockwise", -28.64788975654116)])
def test_five_numbers_are_an_oriented_box_where_the_angle_is_told(tmp_path: Path, angle: str, number: float) -> None:
    annotated = one(tmp_path, {"angle": angle}, bbox=[50, 40, 20, 10, number], difficult=True)
    (label,) = annotated.pictures["Harbour_1"].labels
    assert label.shape.oriented
    assert label.shape.flags == ("difficult",)
    assert label.shape.polygon[:2] == pytest.approx((43.62133, 30.81783), abs=1e-4)


def test_an_unknown_angle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="degrees_clockwise"):
        one(tmp_path, {"angle": "turns"})


def test_a_malformed_ring_is_reported_and_the_box_kept(tmp_path: Path) -> None:
    annotated = one(tmp_path, bbox=[1, 1, 29, 29], segmentation=[[1, 1, 2]])
    assert [reject.reason for reject in annotated.rejects] == ["bad_polygon"]
    assert annotated.pictures["Harbour_1"].labels[0].shape.box == (1, 1, 30, 30)


def test_a_missing_box_is_taken_from_the_ring(tmp_path: Path) -> None:
    shape = one(tmp_path, segmentation=[[10, 10, 30, 12, 20, 40]]).pictures["Harbour_1"].labels[0].shape
    assert shape.box == (10, 10, 30, 40)


def test_captions_are_labels_of_the_whole_picture(tmp_path: Path) -> None:
    path = written(tmp_path, categories=None, annotations=[{"id": 1, "image_id": 1, "caption": "Two ships \n at a quay ."}])
    (label,) = read_coco(path).pictures["Harbour_1"].labels
    assert (label.kind, label.text, label.shape, label.category) == ("caption", "Two ships at a quay .", None, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "no list 'images' (it holds a list)"),
        ('{"images": []}', "no list 'annotations'"),
        ('{"images": {}, "annotations": []}', "no list 'images'"),
        ('{"images": [], "annotations": [], "categories": [7]}', "categories is"),
    ],
)
def test_a_file_that_is_not_coco_stops_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read_coco(str(path))
    assert str(path) in str(error.value)
    assert message in str(error.value)


def test_pictures_that_share_a_name_are_known_by_their_paths(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "a/1.jpg"}, {"id": 2, "file_name": "b/1.jpg"}, {"id": 3, "file_name": "b/2.jpg"}]
    annotated = read_coco(written(tmp_path, images=images))
    assert list(annotated.pictures) == ["a/1", "b/1", "2"]
    assert annotated.rejects == ()


def test_pictures_that_differ_in_their_extension_only_find_the_scenes_that_have_it(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "1.png"}, {"id": 3, "file_name": "2.jpg"}]
    annotated = read_coco(written(tmp_path, images=images))
    both = join_scenes(annotated, [ScenePicture(name) for name in ("1.png", "1.jpg", "2.tif")])
    assert sorted(both.files.values()) == ["1.jpg", "1.png", "2.tif"]
    assert both.rejects == ()
    neither = join_scenes(annotated, [ScenePicture("1.tif"), ScenePicture("2.tif")])
    assert [reject.reason for reject in neither.rejects] == ["ambiguous_picture", "ambiguous_picture"]
    assert all("1.jpg" in reject.detail and "1.png" in reject.detail for reject in neither.rejects)


def test_an_image_id_that_stands_for_two_files_leaves_both_out(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "x.jpg"}, {"id": 1, "file_name": "y.jpg"}]
    annotated = read_coco(written(tmp_path, images=images))
    assert annotated.pictures == {}
    assert {reject.subject for reject in annotated.rejects} == {"x", "y"}


def test_hrsid_boxes_are_the_bounds_of_their_rings(test_data: Path) -> None:
    annotated = read_coco(str(test_data / "sar/hrsid/derived_coco.json"))
    labels = [label for picture in annotated.pictures.values() for label in picture.labels]
    assert (len(annotated.pictures), len(labels), annotated.rejects) == (22, 40, ())
    for label in labels:
        assert label.shape
        xs, ys = label.shape.polygon[::2], label.shape.polygon[1::2]
        bounds: Box = (min(xs), min(ys), max(xs), max(ys))
        assert label.shape.box == pytest.approx(bounds, abs=1)


def test_a_supercategory_is_neither_looked_for_nor_absent(tmp_path: Path) -> None:
    named = [{"id": i, "name": name, "supercategory": above} for i, (name, above) in enumerate(TREE)]
    records = [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 2, 30, 40]}]
    annotated = read_coco(written(tmp_path, categories=named, annotations=records))
    assert annotated.pictures["Harbour_1"].vocabulary == ("Truck", "plane", "ship")
    vague = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}]  # a vehicle may be a truck
    annotated = read_coco(written(tmp_path, categories=named, annotations=vague))
    assert annotated.pictures["Harbour_1"].vocabulary == ("plane", "ship")
    assert annotated.pictures["b"].vocabulary == ("Truck", "plane", "ship")


TREE = (("objects", "none"), ("Vehicle", "objects"), ("Truck", "vehicle"), ("plane", "objects"), ("ship", "ship"))


def test_a_picture_states_what_it_lacks_and_what_it_does_not_list_whole(tmp_path: Path) -> None:
    images = [
        {"id": 1, "file_name": "a.png", "neg_category_ids": [0], "not_exhaustive_category_ids": [7]},
        {"id": 2, "file_name": "b.png", "neg_category_ids": []},
        {"id": 3, "file_name": "c.png"},
    ]
    records = [{"id": i, "image_id": i, "category_id": 7, "bbox": [1, 2, 30, 40]} for i in (1, 2)]
    pictures = read_coco(written(tmp_path, images=images, annotations=records)).pictures
    assert [pictures[name].vocabulary for name in "abc"] == [("ship",), ("crane",), ("crane", "ship")]


def test_a_picture_of_several_files_is_complete_for_what_one_of_them_is_complete_for(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    scenes = [ScenePicture("Harbour_1.tif", 100, 200), ScenePicture("b.tif", 100, 200)]

    def complete_for(file: str) -> list[tuple[str, ...] | None]:
        joined = join_scenes(read_files([written(tmp_path), file]), scenes).pictures
        return [joined[scene.file].vocabulary for scene in scenes]

    def other(entry: dict[str, Any], **more: Any) -> str:
        return written(tmp_path / "other", images=[{"id": 1, "file_name": "b.tif", **entry}], **more)

    assert complete_for(other({}, categories=[{"id": 0, "name": "plane"}])) == [("crane", "ship"), ("crane", "plane", "ship")]
    assert complete_for(other({}, categories=None)) == [("crane", "ship"), ("crane", "ship")]  # captions
    record = {"id": 1, "image_id": 1, "category_id": 0, "bbox": [10, 20, 30, 40]}
    lists = {"neg_category_ids": [], "not_exhaustive_category_ids": [0]}
    vague = other(lists, categories=[{"id": 0, "name": "ship"}], annotations=[record])
    assert complete_for(vague) == [("crane", "ship"), ("crane",)]


def test_keypoints_are_left_out_and_counted_once_a_file(tmp_path: Path) -> None:
    records = [
        {"id": n, "image_id": 1, "category_id": 0, "bbox": [10 * n, 20, 9, 9], "keypoints": [12, 21, 2][: 3 * (n > 1)]}
        for n in (1, 2, 3)
    ]
    found = read_coco(written(tmp_path, annotations=records))
    assert len(found.pictures["Harbour_1"].labels) == 3
    assert [(one.reason, one.detail.partition(" have")[0]) for one in found.rejects] == [("keypoints", "2 records")]
    assert found.pictures["Harbour_1"].complete


@pytest.mark.parametrize("crowd", [1, "1", True, "true", 1.0])
def test_a_crowd_is_an_area_in_which_only_its_category_is_not_known(tmp_path: Path, crowd: Any) -> None:
    picture = one(tmp_path, bbox=[10, 20, 30, 40], iscrowd=crowd)
    (label,) = picture.pictures["Harbour_1"].labels
    assert (label.category, label.shape and label.shape.flags) == ("ship", ("crowd",))
    assert (picture.pictures["Harbour_1"].complete, picture.pictures["Harbour_1"].vocabulary) == (True, ("crane", "ship"))
    (reject,) = picture.rejects
    assert (reject.reason, "crowds=objects" in reject.detail) == ("crowd", True)
    file = str(tmp_path / "truth.json")
    assert read_files([file], crowds="objects").rejects == ()
    rejected = read_files([file], crowds="reject").pictures["Harbour_1"]
    assert (rejected.labels, rejected.complete) == ((), False)
