"""Finding, merging and renaming annotations, and matching them with scenes."""

from __future__ import annotations

import inspect
import json
import shutil
import time
from pathlib import Path

import pytest

from rsflow.annotations import (
    ANNOTATIONS,
    AnnotatedPicture,
    ScenePicture,
    check_format,
    fit_to_scene,
    join_scenes,
    picture_name,
    read_annotations,
)
from rsflow.annotations.annotated_set import AnnotatedSet, rename_categories
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError
from rsflow.records import Label, Provenance, Shape

FROM = Provenance("annotation", "test")


def coco(path: Path, files: list[str], size: int = 50, categories: tuple[str, ...] = ("ship", "crane")) -> str:
    images = [{"id": i, "file_name": name, "height": size, "width": size} for i, name in enumerate(files)]
    records = [{"id": i, "image_id": i, "category_id": 0, "bbox": [1, 2, 3, 4]} for i in range(len(files))]
    entries = [{"id": i, "name": name} for i, name in enumerate(categories)]
    path.write_text(json.dumps({"images": images, "annotations": records, "categories": entries}))
    return str(path)


def test_unknown_formats_are_refused_and_the_known_ones_listed() -> None:
    with pytest.raises(ConfigError, match=r"(?s)'cocoa': did you mean 'coco'.*coco, .*voc"):
        check_format("cocoa")
    for name in ANNOTATIONS:
        check_format(name)


def test_a_pattern_without_files_is_refused_with_key_and_pattern(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read_annotations(Annotations("coco", str(tmp_path / "*.json")))
    assert "annotations.files" in str(error.value)
    assert str(tmp_path / "*.json") in str(error.value)


def test_several_files_are_one_set_and_the_same_claim_counts_once(tmp_path: Path) -> None:
    first = coco(tmp_path / "one.json", ["a.jpg", "b.jpg"])
    second = coco(tmp_path / "two.json", ["b.jpg", "c.jpg"], categories=("ship", "tug"))
    annotated = read_annotations(Annotations("coco", (first, str(tmp_path / "*.json"), second)))
    joined = join_scenes(annotated, [ScenePicture(f"{name}.tif", 50, 50) for name in "abc"])
    assert joined.rejects == ()
    assert [len(joined.pictures[f"{name}.tif"].labels) for name in "abc"] == [1, 1, 1]
    assert annotated.categories == ("crane", "ship", "tug")


def test_of_files_that_disagree_on_a_pictures_size_the_one_that_is_wrong_is_a_reject(tmp_path: Path) -> None:
    files = (coco(tmp_path / "one.json", ["a.jpg", "b.jpg"]), coco(tmp_path / "two.json", ["b.jpg"], size=60))
    annotated = read_annotations(Annotations("coco", files))
    joined = join_scenes(annotated, [ScenePicture("a.jpg", 50, 50), ScenePicture("b.jpg", 50, 50)])
    assert sorted(joined.pictures) == ["a.jpg", "b.jpg"]
    (reject,) = joined.rejects
    assert (reject.reason, reject.file) == ("size_differs", files[1])


def test_categories_are_renamed_and_dropped(tmp_path: Path) -> None:
    file = coco(tmp_path / "one.json", ["a.jpg"])
    other = read_annotations(Annotations("coco", file, categories={"ship": "vessel", "unheard": "of"}))
    assert other.categories == ("crane", "vessel")
    assert [label.category for label in other.pictures["a"].labels] == ["vessel"]
    dropped = read_annotations(Annotations("coco", file, categories={"ship": ""}))
    assert dropped.categories == ("crane",)
    assert [label.shape and label.shape.flags for label in dropped.pictures["a"].labels] == [("unknown",)]


def test_a_name_of_several_categories_was_looked_for_where_all_of_them_were() -> None:
    picture = AnnotatedPicture("a", "a.jpg", 9, 9, (), vocabulary=("car", "ship"))
    annotated = AnnotatedSet({"a": picture}, ("car", "ship", "truck"))
    assert rename_categories(annotated, {"car": "vehicle", "truck": "vehicle"}).pictures["a"].vocabulary == ("ship",)
    assert rename_categories(annotated, {"car": "vehicle", "ship": ""}).pictures["a"].vocabulary == ("vehicle",)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("s3://bucket/x/Scene_A.TIF", "Scene_A"),
        ("C:\\pictures\\7.jpeg", "7"),
        ("harbour_1.5m", "harbour_1.5m"),
        ("a.tif.png", "a.tif"),
        ("x/y", "y"),
    ],
)
def test_a_picture_is_known_by_its_name_without_folder_and_extension(file: str, name: str) -> None:
    assert picture_name(file) == name


def test_scenes_find_their_pictures_and_what_has_none_is_listed(tmp_path: Path) -> None:
    annotated = read_annotations(Annotations("coco", coco(tmp_path / "one.json", ["train/a.jpg", "b.jpg"])))
    joined = join_scenes(annotated, [ScenePicture("/elsewhere/a.tif", 50, 50), ScenePicture("A.tif", 50, 50)])
    assert joined.files == {"a": "/elsewhere/a.tif"}
    assert [(reject.subject, reject.reason) for reject in joined.rejects] == [("b", "missing_picture")]
    picture = joined.pictures["/elsewhere/a.tif"]
    assert fit_to_scene(picture, 50, 50) == (picture, ())
    nothing, (fault,) = fit_to_scene(picture, 100, 50)
    assert nothing is None
    assert (fault.reason, fault.subject) == ("size_differs", "a")
    assert "100 x 50" in fault.detail


def test_labels_without_a_picture_size_are_checked_when_the_scene_is_known() -> None:
    inside, across, off = (Shape(box) for box in ((1.0, 1.0, 5.0, 5.0), (8.0, 8.0, 12.0, 9.0), (20.0, 1.0, 30.0, 5.0)))
    labels = tuple(Label("box", name, FROM, shape) for name, shape in (("a", inside), ("b", across), ("c", off)))
    picture, (reject,) = fit_to_scene(AnnotatedPicture("p", "p.png", None, None, labels), 10, 10)
    assert picture
    assert [label.shape and label.shape.box for label in picture.labels] == [inside.box, (8, 8, 10, 9)]
    assert (reject.reason, reject.subject, picture.complete) == ("box_outside", "p label 3 (c)", False)


def test_shares_of_the_picture_become_pixels() -> None:
    ring = (0.5, 0.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.5)
    shape = Shape((0.0, 0.0, 1.0, 1.0), ring, oriented=True, flags=("difficult",))
    whole = AnnotatedPicture("p", "p.png", None, None, (Label("box", "a", FROM, shape),), normalised=True)
    picture, rejects = fit_to_scene(whole, 100, 200)
    assert picture
    assert picture.labels[0].shape == Shape((0, 0, 200, 100), (100, 0, 200, 50, 100, 100, 0, 50), 1.0, True, ("difficult",))
    assert (picture.normalised, picture.height_px, rejects) == (False, 100, ())
    assert fit_to_scene(picture, 100, 200) == (picture, ())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"angel": "radians_clockwise"}, "knows no such option; its options are angle"),
        ({"angle": 3}, "annotations.options.angle"),
        ({"angle": "degrees"}, "radians_clockwise"),
    ],
)
def test_wrong_options_are_refused_with_what_is_right(tmp_path: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_annotations(Annotations("coco", coco(tmp_path / "one.json", ["a.jpg"]), options=options))


def test_an_answer_is_not_renamed_as_a_category_is(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1.tif:is there a ship?yes\n")
    annotated = read_annotations(Annotations("rsivqa", str(path), categories={"yes": ""}))
    assert [label.category for label in annotated.pictures["1"].labels] == ["yes"]


def test_files_of_an_object_store_read_like_local_ones(test_data: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    file = test_data / "sar/hrsid/derived_coco.json"
    with file.open("rb") as source, memory.open("/sets/one.json", "wb") as target:
        shutil.copyfileobj(source, target)
    remote, local = (
        read_annotations(Annotations("coco", "memory://sets/*.json")),
        read_annotations(Annotations("coco", str(file))),
    )
    assert {n: [x.shape for x in p.labels] for n, p in remote.pictures.items()} == {
        n: [x.shape for x in p.labels] for n, p in local.pictures.items()
    }


def test_a_hundred_thousand_boxes_are_read_in_seconds(tmp_path: Path) -> None:
    count = 100_000
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 500, "width": 500} for i in range(5000)]
    records = [{"id": i, "image_id": i % 5000, "category_id": 1, "bbox": [i % 400, i % 300, 5.5, 6.5]} for i in range(count)]
    path = tmp_path / "large.json"
    path.write_text(json.dumps({"images": images, "annotations": records, "categories": [{"id": 1, "name": "x"}]}))
    start = time.process_time()
    annotated = read_annotations(Annotations("coco", str(path)))
    assert time.process_time() - start < 6  # about 1 s of one free core; quadratic matching would take minutes
    assert len(annotated.pictures) == 5000


def test_every_format_and_option_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    for name, reader in ANNOTATIONS.items():
        rows = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert len(rows) == 2, name
        for option in list(inspect.signature(reader).parameters)[1:]:
            assert f"`{option}`" in rows[0], (name, option)
