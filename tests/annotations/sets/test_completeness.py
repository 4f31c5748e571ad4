"""What a picture is complete for: files of different class lists, ignored regions, areas without data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rsflow.annotations import AnnotatedSet, fit_to_scene, read_annotations, unify_spelling
from rsflow.annotations.joining.clip_labels import clip_labels, find_hidden_categories
from rsflow.annotations.sets.completeness import is_ignored
from rsflow.config.settings import Annotations
from rsflow.instructions.facts.completeness import complete_categories
from rsflow.records import UNKNOWN
from rsflow.spatial.geometry import Window
from tests.annotations.set_writers import BOXED, WRITERS, Picture

BOX = (10.0, 10.0, 60.0, 50.0)


def two_sets(folder: Path, form: str) -> AnnotatedSet:
    """Ships annotated in one set of files, planes in another."""
    files = [WRITERS[form](folder / part, [Picture(f"{part}/1.png", 200, 100, BOX, part)]) for part in ("ship", "plane")]
    return read_annotations(Annotations(form, tuple(files)))


@pytest.mark.parametrize("form", BOXED)
def test_files_of_different_class_lists_do_not_deny_each_other(tmp_path: Path, form: str) -> None:
    annotated = two_sets(tmp_path, form)
    assert annotated.categories == ("plane", "ship")
    assert {one.labels[0].category: one.vocabulary for one in annotated.pictures.values()} == {
        "ship": ("ship",),
        "plane": ("plane",),
    }


@pytest.mark.parametrize("form", BOXED)
def test_files_of_one_class_list_know_all_of_it(tmp_path: Path, form: str) -> None:
    pictures = [Picture(f"{name}.png", 200, 100, BOX, name) for name in ("ship", "plane")]
    annotated = read_annotations(Annotations(form, WRITERS[form](tmp_path, pictures)))
    assert {one.vocabulary for one in annotated.pictures.values()} == {("plane", "ship")}


@pytest.mark.parametrize("form", ["csv", "dota", "fair1m", "voc"])
def test_a_stated_list_is_taken(tmp_path: Path, form: str) -> None:
    files = [WRITERS[form](tmp_path / part, [Picture(f"{part}/1.png", 200, 100, BOX, part)]) for part in ("ship", "plane")]
    options = {"vocabulary": ["ship", "plane", "crane"]}
    annotated = read_annotations(Annotations(form, tuple(files), options=options))
    assert {one.vocabulary for one in annotated.pictures.values()} == {("ship", "plane", "crane")}
    assert annotated.categories == ("crane", "plane", "ship")


def test_spellings_of_one_category_in_two_files_are_one(tmp_path: Path) -> None:
    files = [WRITERS["csv"](tmp_path / part, [Picture(f"{part}.png", 200, 100, BOX, part)]) for part in ("SHIP", "ship")]
    unified = unify_spelling({"s": read_annotations(Annotations("csv", tuple(files)))})["s"]
    assert {one.vocabulary for one in unified.pictures.values()} == {("ship",)}


def test_yolo_folders_have_their_own_class_lists(tmp_path: Path) -> None:
    for part, name in (("a", "ship"), ("b", "plane")):
        (tmp_path / part / "labels/train").mkdir(parents=True)
        (tmp_path / part / "labels/train/1.txt").write_text("0 0.5 0.5 0.2 0.2\n")
        (tmp_path / part / "data.yaml").write_text(f"names: [{name}]\nnc: 1\n")
    annotated = read_annotations(Annotations("yolo", str(tmp_path / "*/labels/train/*.txt")))
    assert {(one.labels[0].category, one.vocabulary) for one in annotated.pictures.values()} == {
        ("ship", ("ship",)),
        ("plane", ("plane",)),
    }


@pytest.mark.parametrize("name", ["DontCare", "dontcare", "Don't care", "ignored regions", "Ignored-Region", "IGNORE", "void"])
@pytest.mark.parametrize("form", BOXED)
def test_ignored_regions_leave_everything_in_them_unknown(tmp_path: Path, form: str, name: str) -> None:
    pictures = [
        Picture("a.png", 200, 100, BOX, "ship"),
        Picture("b.png", 200, 100, BOX, name.replace(" ", "_") if form == "dota" else name),
    ]
    annotated = read_annotations(Annotations(form, WRITERS[form](tmp_path, pictures)))
    assert annotated.categories == ("ship",)
    (found,) = (one for key, one in annotated.pictures.items() if "b" in Path(key).name)
    fitted, _ = fit_to_scene(found, 100, 200)
    assert fitted
    inside, outside = Window(0, 0, 64, 64), Window(0, 128, 64, 64)
    scene = (0.0, 0.0, 200.0, 100.0)
    assert clip_labels(fitted.labels, inside, 0.3, scene) == []
    assert complete_categories(["ship"], find_hidden_categories(fitted.labels, inside, 0.3, scene)) == []
    assert complete_categories(["ship"], find_hidden_categories(fitted.labels, outside, 0.3, scene)) == ["ship"]


def test_categories_that_name_objects_are_not_ignored() -> None:
    assert not any(map(is_ignored, ["ship", "other-vehicle", "misc", "background", "ignition plant", "avoid", ""]))


def test_a_score_of_zero_is_an_object_that_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("20,20,60,40,1,4,0,0\n90,20,60,40,0,4,0,0\n")
    columns = ["x", "y", "width", "height", "score", "label", "truncated", "occluded"]
    annotated = read_annotations(Annotations("csv", str(tmp_path / "a.txt"), options={"columns": columns}))
    assert [label.shape and label.shape.flags for label in annotated.pictures["a"].labels] == [(), ("ignore",)]


def test_pixels_without_data_and_small_components_are_unknown(tmp_path: Path) -> None:
    mask = np.zeros((100, 200), np.uint8)
    mask[10:30, 10:40], mask[50:52, 50:52], mask[:, 190:] = 1, 1, 9
    Image.fromarray(mask).save(tmp_path / "a.png")
    options = {"legend": {"0": "", "1": "ship", "9": None}, "objects": ["ship"], "min_px": 10}
    labels = read_annotations(Annotations("masks", str(tmp_path / "a.png"), options=options)).pictures["a"].labels
    boxes = {
        label.shape.box: (label.category, UNKNOWN in label.shape.flags)
        for label in labels
        if label.kind == "box" and label.shape
    }
    assert boxes == {
        (10.0, 10.0, 40.0, 30.0): ("ship", False),
        (50.0, 50.0, 52.0, 52.0): ("ship", True),
        (190.0, 0.0, 200.0, 100.0): ("ignored regions", True),
    }
