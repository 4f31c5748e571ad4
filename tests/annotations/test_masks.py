"""Pixel masks and class folders: shares add up, objects are found, nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.annotations import ScenePicture, join_scenes, read_annotations
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError
from rsflow.records import UNKNOWN


def written(folder: Path, pixels: Any, name: str = "a_mask.png") -> str:
    path = folder / name
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path)
    return str(path)


def landscape() -> Any:
    """20 rows, 30 columns: 0 no data, 1 grass, 2 water in two parts, 3 sand."""
    values = np.ones((20, 30), dtype=np.uint8)
    values[:5] = 0
    values[10:15, 2:6] = 2
    values[16:19, 20:28] = 2
    values[9, 29] = 3
    return values


LEGEND = {"0": None, "1": "grass", "2": "water", "3": ""}


def test_shares_are_of_the_valid_pixels_and_regions_are_the_largest(tmp_path: Path) -> None:
    options = {"legend": LEGEND, "rename": {"_mask": ""}}
    annotated = read_annotations(Annotations("masks", written(tmp_path, landscape()), options=options))
    picture = annotated.pictures["a"]
    assert (picture.height_px, picture.width_px, annotated.categories) == (20, 30, ())
    covers = {label.category: label for label in picture.labels}
    assert set(covers) == {"grass", "water"}
    assert covers["water"].value == pytest.approx(44 / 450)
    assert covers["grass"].value == pytest.approx((450 - 44 - 1) / 450)
    assert covers["water"].shape
    assert covers["water"].shape.box == (20, 16, 28, 19)


def test_components_are_objects_on_request(tmp_path: Path) -> None:
    options = {"legend": LEGEND, "objects": ["water"], "min_px": 21}
    annotated = read_annotations(Annotations("masks", written(tmp_path, landscape()), options=options))
    boxes = [label.shape for label in annotated.pictures["a_mask"].labels if label.kind == "box" and label.shape]
    (ship,) = [shape for shape in boxes if not shape.flags]
    assert {shape.flags for shape in boxes} == {(), (UNKNOWN,)}  # smaller components, and pixels without data
    assert ship.box == (20, 16, 28, 19)
    assert sorted(zip(ship.polygon[::2], ship.polygon[1::2], strict=True)) == [(20, 16), (20, 19), (28, 16), (28, 19)]
    assert annotated.categories == ("water",)


def test_colours_and_palettes(tmp_path: Path) -> None:
    colours = np.zeros((8, 8, 3))
    colours[:2] = (0, 255, 0)
    legend = {"0,0,0": "", "0,255,0": "ship"}
    (cover,) = (
        read_annotations(Annotations("masks", written(tmp_path, colours), options={"legend": legend})).pictures["a_mask"].labels
    )
    assert (cover.category, cover.value) == ("ship", 0.25)
    palette = Image.fromarray(landscape(), mode="P")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255, 9, 9, 9])
    palette.save(tmp_path / "p.png")
    annotated = read_annotations(Annotations("masks", str(tmp_path / "p.png"), options={"legend": LEGEND}))
    assert {label.category for label in annotated.pictures["p"].labels} == {"grass", "water"}


def test_a_value_that_the_legend_lacks_leaves_the_mask_out(tmp_path: Path) -> None:
    file = written(tmp_path, landscape())
    annotated = read_annotations(Annotations("masks", file, options={"legend": {"0": None, "1": "grass"}}))
    (reject,) = annotated.rejects
    assert (annotated.pictures, reject.reason, reject.file) == ({}, "unknown_mask_value", file)
    assert "2, 3" in reject.detail


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: (folder / "a.png").write_bytes(b"no picture"), "unreadable_annotation"),
        (lambda folder: written(folder, np.zeros((4, 4)), "a.png"), "no_valid_pixels"),
        (lambda folder: written(folder, np.dstack([np.eye(4)] * 2 + [np.zeros((4, 4))]) * 2, "a.png"), "unknown_mask_value"),
        (lambda folder: written(folder, np.dstack([np.ones((4, 4)), np.eye(4), np.eye(4)]), "a.png"), "bad_mask"),
    ],
)
def test_a_broken_mask_is_a_reject(tmp_path: Path, make: Any, reason: str) -> None:
    make(tmp_path)
    (reject,) = read_annotations(
        Annotations("masks", str(tmp_path / "a.png"), options={"legend": {"0": None, "1": "grass"}})
    ).rejects
    assert reject.reason == reason


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "legend is missing"),
        ({"legend": {"a": "x"}}, "keys are values"),
        ({"legend": {"1": "x", "1,2,3": "y"}}, "all values, or all colours"),
        ({"legend": {"1": "x"}, "objects": ["y"]}, "no category of the legend"),
        ({"legend": {"1": 2}}, r"options\.legend"),
    ],
)
def test_a_legend_that_cannot_be_is_refused(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_annotations(Annotations("masks", written(tmp_path, landscape()), options=options))


def test_the_folder_is_the_class_also_of_pictures_of_one_name(tmp_path: Path) -> None:
    for folder in ("train/airport", "train/beach", "test/beach"):
        (tmp_path / folder).mkdir(parents=True)
        written(tmp_path / folder, landscape(), "1.png")
    settings = Annotations("folders", str(tmp_path / "**/*.png"), splits={"test": str(tmp_path / "test/**/*.png")})
    annotated = read_annotations(settings)
    assert (len(annotated.pictures), annotated.categories, annotated.rejects) == (3, (), ())
    for folder, category, split in (
        ("train/airport", "airport", None),
        ("train/beach", "beach", None),
        ("test/beach", "beach", "test"),
    ):
        place = str(tmp_path / folder / "1.png")
        picture = join_scenes(annotated, [ScenePicture(place, 9, 9)]).pictures[place]
        assert (picture.labels[0].kind, picture.labels[0].category, picture.split) == ("category", category, split)


def test_pictures_that_differ_in_their_extension_only_are_two_pictures(tmp_path: Path) -> None:
    (tmp_path / "beach").mkdir()
    for name in ("1.png", "1.jpg"):
        written(tmp_path / "beach", landscape(), name)
    annotated = read_annotations(Annotations("folders", str(tmp_path / "*/*")))
    scenes = [ScenePicture(str(tmp_path / "beach" / name), 9, 9) for name in ("1.png", "1.jpg")]
    joined = join_scenes(annotated, scenes)
    assert joined.rejects == ()
    assert {file: picture.file for file, picture in joined.pictures.items()} == {scene.file: scene.file for scene in scenes}
