"""COCO files: what is right is read, what is broken is rejected by name, what is no COCO stops with a message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsflow.annotations import ScenePicture, join
from rsflow.annotations.coco import read_coco as read_files
from rsflow.errors import ConfigError, UsageError
from rsflow.geometry import Box


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
        ({"bbox": [10, 20, "30", 40]}, "bad_box", '"30"'),
        ({"bbox": [float("nan"), 20, 30, 40]}, "bad_box", "NaN"),
        ({"bbox": [10**400, 20, 30, 40]}, "bad_box", "1000"),
        ({}, "bad_box", "null"),
        ({"bbox": [10, 20, 0, 40]}, "box_empty", "no area"),
        ({"bbox": [10, 20, -5, 40]}, "box_empty", "no area"),
        ({"bbox": [200, 20, 30, 40]}, "box_outside", "100 rows, 200 columns"),
        ({"bbox": [10, 20, 30, 40], "category_id": 3}, "unknown_category", "3"),
        ({"bbox": [10, 20, 30, 40], "iscrowd": 1}, "crowd", "ship"),
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


def test_of_several_rings_the_largest_is_kept(tmp_path: Path) -> None:
    small, large = [1, 1, 2, 1, 2, 2], [10, 10, 30, 10, 30, 30, 10, 30]
    shape = one(tmp_path, bbox=[1, 1, 29, 29], segmentation=[small, large]).pictures["Harbour_1"].labels[0].shape
    assert shape.polygon == tuple(map(float, large))


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
        ('{"images": [], "annotations": [], "categories": [{"id": 1}]}', "categories must be"),
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
    both = join(annotated, [ScenePicture(name) for name in ("1.png", "1.jpg", "2.tif")])
    assert sorted(both.files.values()) == ["1.jpg", "1.png", "2.tif"]
    assert both.rejects == ()
    neither = join(annotated, [ScenePicture("1.tif"), ScenePicture("2.tif")])
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
