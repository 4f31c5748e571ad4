"""Pairs of two dates in the layouts of published sets: both pictures are found, changes are exact, what is odd is refused."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from rsflow.annotations import ScenePicture, clip_labels, join_scenes, read_annotations
from rsflow.annotations.joining.whole_picture_labels import reject_split_labels
from rsflow.config.settings import Annotations
from rsflow.errors import ConfigError, RsflowError, UsageError
from rsflow.records import AFTER, BEFORE, GONE, NEW, UNKNOWN, Label
from rsflow.spatial.geometry import Window

HEIGHT, WIDTH = 40, 60


def save(path: Path, pixels: Any, **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **more)
    return path


def picture() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def mask(*areas: tuple[int, int, int, int, int]) -> npt.NDArray[np.uint8]:
    """Zeros, with (x0, y0, x1, y1, value) painted."""
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x0, y0, x1, y1, value in areas:
        values[y0:y1, x0:x1] = value
    return values


def pair(root: Path, before: str, after: str, name: str = "train_1.png") -> None:
    save(root / before / name, picture())
    save(root / after / name, picture())


def labels(root: Path, files: str, picture_end: str, **options: Any) -> list[Label]:
    annotated = read_annotations(Annotations("change_pairs", str(root / files), options=options))
    assert not annotated.rejects
    (found,) = [one for name, one in annotated.pictures.items() if name.endswith(picture_end)]
    return list(found.labels)


def boxes(found: list[Label], kind: str = "change") -> list[tuple[Any, ...]]:
    return [(one.category, one.text, one.shape.flags, one.shape.box) for one in found if one.kind == kind and one.shape]


def reasons(root: Path, files: str, **options: Any) -> list[tuple[str, str]]:
    found = read_annotations(Annotations("change_pairs", str(root / files), options=options)).rejects
    return [(reject.reason, reject.detail) for reject in found]


@pytest.mark.parametrize("folder", ["label", "OUT"])
@pytest.mark.parametrize("value", [1, 255])
def test_a_mask_beside_two_folders_gives_exact_areas(tmp_path: Path, folder: str, value: int) -> None:
    pair(tmp_path, "A", "B")
    save(tmp_path / folder / "train_1.png", mask((5, 5, 15, 12, value), (30, 20, 34, 30, value)))
    annotated = read_annotations(Annotations("change_pairs", str(tmp_path / f"{folder}/*.png")))
    assert not annotated.rejects
    assert annotated.categories == ("building",)
    before, after = (annotated.pictures[str(tmp_path / role / "train_1")] for role in "AB")
    assert (before.role, after.role, before.pair) == (BEFORE, AFTER, after.pair)
    assert (before.labels, before.vocabulary, after.vocabulary) == ((), (), ())
    assert (after.height_px, after.width_px) == (HEIGHT, WIDTH)
    assert [(one.category, one.text) for one in after.labels if one.kind == "compared"] == [("building", "change")]
    assert boxes(list(after.labels)) == [("building", "", (), (5, 5, 15, 12)), ("building", "", (), (30, 20, 34, 30))]


def test_a_mask_without_change_is_a_pair_in_which_nothing_changed(tmp_path: Path) -> None:
    pair(tmp_path, "A", "B")
    save(tmp_path / "label/train_1.png", mask())
    (only,) = labels(tmp_path, "label/*.png", "B/train_1")
    assert (only.kind, only.category) == ("compared", "building")


def test_suffixes_may_differ_and_one_file_each_is_a_pair_whatever_its_name(tmp_path: Path) -> None:
    save(tmp_path / "before/2012.tif", picture())
    save(tmp_path / "after/2016.tif", picture())
    save(tmp_path / "change_label/change_label.tif", mask((1, 1, 4, 4, 1)))
    assert boxes(labels(tmp_path, "change_label/*.tif", "after/2016")) == [("building", "", (), (1, 1, 4, 4))]
    save(tmp_path / "x/A/1.tif", picture())
    save(tmp_path / "x/B/1.png", picture())
    save(tmp_path / "x/label/1.bmp", mask((1, 1, 4, 4, 255)))
    assert len(boxes(labels(tmp_path, "x/label/*", "B/1", category="hall"))) == 1


SECOND = {"building": (128, 0, 0), "low vegetation": (0, 128, 0), "same": (255, 255, 255)}


def second(root: Path, first: npt.NDArray[np.uint8], then: npt.NDArray[np.uint8]) -> None:
    pair(root, "im1", "im2")
    save(root / "label1/train_1.png", first)
    save(root / "label2/train_1.png", then)


def test_second_says_what_changed_into_what(tmp_path: Path) -> None:
    first, then = (np.full((HEIGHT, WIDTH, 3), 255, np.uint8) for _ in range(2))
    first[5:15, 10:30], then[5:15, 10:30] = SECOND["low vegetation"], SECOND["building"]
    second(tmp_path, first, then)
    expected = [("building", "low vegetation", (), (10, 5, 30, 15))]
    assert boxes(labels(tmp_path, "label1/*.png", "im2/train_1")) == expected
    assert boxes(labels(tmp_path, "label*/*.png", "im2/train_1")) == expected  # the other mask is no pair of its own
    numbers = [np.zeros((HEIGHT, WIDTH), np.uint8) for _ in range(2)]
    numbers[0][5:15, 10:30], numbers[1][5:15, 10:30] = 3, 5
    second(tmp_path / "n", *numbers)
    assert boxes(labels(tmp_path / "n", "label1/*.png", "im2/train_1", layout="second")) == expected


def test_a_pixel_that_changed_in_one_mask_alone_is_unknown(tmp_path: Path) -> None:
    first, then = (np.full((HEIGHT, WIDTH, 3), 255, np.uint8) for _ in range(2))
    first[5:15, 10:30] = SECOND["low vegetation"]
    second(tmp_path, first, then)
    assert boxes(labels(tmp_path, "label1/*.png", "im2/train_1")) == [("land cover", "", (UNKNOWN,), (10, 5, 30, 15))]


def test_s2looking_distinguishes_new_from_gone(tmp_path: Path) -> None:
    pair(tmp_path, "Image1", "Image2")
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[2:9, 2:9] = (255, 0, 0)
    save(tmp_path / "label1/train_1.png", red)
    save(tmp_path / "label2/train_1.png", mask((20, 20, 30, 30, 255)))
    found = boxes(labels(tmp_path, "label1/*.png", "Image2/train_1"))
    assert found == [("building", "", (NEW,), (2, 2, 9, 9)), ("building", "", (GONE,), (20, 20, 30, 30))]


def test_hrscd_pairs_files_whose_names_hold_their_dates(tmp_path: Path) -> None:
    names = {"images_2006": "14-2005-0415-6890-LA93.tif", "images_2012": "14-2012-0415-6890-LA93-0M50-E080.tif"}
    for folder, name in names.items():
        save(tmp_path / folder / "D14" / name, picture())
    name = names["images_2012"]
    save(tmp_path / "labels_change/D14" / name, mask((0, 0, 30, 10, 1)))
    save(tmp_path / "labels_land_cover_2006/D14" / names["images_2006"], mask((0, 0, 60, 40, 2), (20, 0, 30, 10, 0)))
    save(tmp_path / "labels_land_cover_2012/D14" / name, mask((0, 0, 60, 40, 2), (0, 0, 15, 10, 1)))
    found = boxes(labels(tmp_path, "labels_change/**/*.tif", "images_2012/D14/14-2012-0415-6890-LA93-0M50-E080"))
    assert found == [
        ("artificial surface", "agricultural area", (), (0, 0, 15, 10)),
        ("land cover", "", (UNKNOWN,), (15, 0, 30, 10)),  # no class before, or the same class after a change
    ]


def test_a_legend_names_values_and_unknown_ground(tmp_path: Path) -> None:
    pair(tmp_path, "A", "B")
    save(tmp_path / "label/train_1.png", mask((2, 2, 9, 9, 1), (20, 2, 29, 9, 2), (40, 0, 60, 40, 9)))
    found = labels(tmp_path, "label/*.png", "B/train_1", legend={"0": "", "1": "road", "2": "building", "9": None})
    assert [one.category for one in found if one.kind == "compared"] == ["building", "road"]
    assert boxes(found) == [
        ("building", "", (), (20, 2, 29, 9)),
        ("road", "", (), (2, 2, 9, 9)),
        ("land cover", "", (UNKNOWN,), (40, 0, 60, 40)),
    ]


def test_small_areas_are_there_and_not_counted(tmp_path: Path) -> None:
    pair(tmp_path, "A", "B")
    save(tmp_path / "label/train_1.png", mask((2, 2, 9, 9, 1), (20, 20, 21, 21, 1)))
    flags = [flags for *_, flags, _ in boxes(labels(tmp_path, "label/*.png", "B/train_1", min_px=4))]
    assert flags == [(), (UNKNOWN,)]


def test_odd_masks_are_refused_and_not_guessed(tmp_path: Path) -> None:
    for name, values in {
        "smooth": np.linspace(0, 255, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH),
        "two": mask((2, 2, 9, 9, 1), (20, 20, 30, 30, 255)),
        "odd": mask((2, 2, 9, 9, 7)),
    }.items():
        pair(tmp_path, "A", "B", f"{name}.png")
        save(tmp_path / f"label/{name}.png", values)
    found = reasons(tmp_path, "label/*.png")
    assert [reason for reason, _ in found] == ["bad_mask"] * 3
    assert "holds 7 beside 0" in found[0][1]
    assert "annotations.options.legend" in found[0][1]
    assert "more beside 0" in found[1][1]


def test_palette_masks_are_read_by_their_numbers(tmp_path: Path) -> None:
    pair(tmp_path, "A", "B")
    image = Image.fromarray(mask((2, 2, 9, 9, 1))).convert("P")
    image.putpalette([0, 0, 0, 200, 30, 30])
    (tmp_path / "label").mkdir()
    image.save(tmp_path / "label/train_1.png")
    assert boxes(labels(tmp_path, "label/*.png", "B/train_1")) == [("building", "", (), (2, 2, 9, 9))]


def test_a_missing_or_double_partner_is_a_reject(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png"):
        save(tmp_path / "A" / name, picture())
        save(tmp_path / "label" / name, mask())
    save(tmp_path / "B/1.png", picture())
    save(tmp_path / "B/3.png", picture())
    save(tmp_path / "B/3.tif", picture())
    found = dict(reasons(tmp_path, "label/*.png"))
    assert "no file of the name '2'" in found["missing_partner"]
    assert "which is the pair's" in found["ambiguous_partner"]
    assert dict(reasons(tmp_path, "A/*.png"))["unknown_layout"].startswith("lies beside no folders of two dates")


def scenes(root: Path, **sizes: tuple[int, int]) -> list[ScenePicture]:
    return [ScenePicture(str(root / folder / "train_1.png"), *size) for folder, size in sizes.items()]


def test_pairs_are_joined_with_both_their_scenes_or_not_at_all(tmp_path: Path) -> None:
    pair(tmp_path, "A", "B")
    save(tmp_path / "label/train_1.png", mask((2, 2, 9, 9, 1)))
    annotated = read_annotations(Annotations("change_pairs", str(tmp_path / "label/*.png")))
    size = (HEIGHT, WIDTH)
    joined = join_scenes(annotated, scenes(tmp_path, A=size, B=size))
    assert list(joined.pairs.values()) == [(str(tmp_path / "A/train_1.png"), str(tmp_path / "B/train_1.png"))]
    assert not joined.rejects
    alone = join_scenes(annotated, scenes(tmp_path, B=size))
    assert (alone.pairs, sorted(one.reason for one in alone.rejects)) == ({}, ["missing_partner", "missing_picture"])
    assert alone.pictures[str(tmp_path / "B/train_1.png")].labels == ()
    other = join_scenes(annotated, scenes(tmp_path, A=(HEIGHT, WIDTH - 1), B=size))
    assert (other.pairs, sorted(one.reason for one in other.rejects)) == ({}, ["missing_partner", "size_differs"])


def test_masks_of_one_pair_must_have_one_size(tmp_path: Path) -> None:
    second(tmp_path, np.full((HEIGHT, WIDTH, 3), 255, np.uint8), np.full((HEIGHT, WIDTH - 2, 3), 255, np.uint8))
    assert [reason for reason, _ in reasons(tmp_path, "label1/*.png")] == ["size_differs"]


XBD = {
    "features": {
        "xy": [
            {"properties": {"subtype": "destroyed", "uid": "1"}, "wkt": "POLYGON ((2 2, 12 2, 12 10, 2 10, 2 2))"},
            {"properties": {"subtype": "no-damage", "uid": "2"}, "wkt": "POLYGON ((20 2, 30 2, 30 10, 20 10, 20 2))"},
            {"properties": {"subtype": "un-classified", "uid": "3"}, "wkt": "POLYGON ((40 2, 50 2, 50 10, 40 10, 40 2))"},
        ]
    },
    "metadata": {"height": HEIGHT, "width": WIDTH, "gsd": 1.5},
}


def xbd(root: Path, post: Any = XBD) -> None:
    for when in ("pre", "post"):
        save(root / f"images/fire_1_{when}_disaster.png", picture())
    (root / "labels").mkdir(exist_ok=True)
    bare = [{"properties": {"feature_type": "building"}, "wkt": one["wkt"]} for one in XBD["features"]["xy"]]  # type: ignore[index]
    (root / "labels/fire_1_pre_disaster.json").write_text(json.dumps({**XBD, "features": {"xy": bare}}))
    (root / "labels/fire_1_post_disaster.json").write_text(json.dumps(post))


def test_xbd_gives_buildings_before_and_their_damage_after(tmp_path: Path) -> None:
    xbd(tmp_path)
    annotated = read_annotations(Annotations("change_pairs", str(tmp_path / "labels/*.json")))
    assert not annotated.rejects
    before, after = (annotated.pictures[str(tmp_path / f"images/fire_1_{when}_disaster")] for when in ("pre", "post"))
    assert [one.category for one in before.labels if one.kind == "box"] == ["building"] * 3
    assert (before.vocabulary, after.vocabulary, after.gsd_m) == (("building",), (), 1.5)
    assert boxes(list(after.labels), "damage") == [
        ("building", "destroyed", (), (2, 2, 12, 10)),
        ("building", "no damage", (), (20, 2, 30, 10)),
        ("building", "", (UNKNOWN,), (40, 2, 50, 10)),
    ]


def test_a_broken_building_is_a_reject_and_the_pair_is_not_complete(tmp_path: Path) -> None:
    odd = {"properties": {"subtype": "half-destroyed"}, "wkt": "POLYGON ((2 2, 12 2, 12 10, 2 2))"}
    xbd(tmp_path, {**XBD, "features": {"xy": [odd, {"wkt": "POLYGON"}, *XBD["features"]["xy"]]}})  # type: ignore[index]
    annotated = read_annotations(Annotations("change_pairs", str(tmp_path / "labels/*_post_disaster.json")))
    assert [reject.reason for reject in annotated.rejects] == ["unknown_damage", "unknown_damage"]
    assert not annotated.pictures[str(tmp_path / "images/fire_1_post_disaster")].complete


CAPTIONS = {
    "images": [
        {
            "filename": "train_1.png",
            "filepath": "train",
            "split": "train",
            "changeflag": 1,
            "sentences": [{"raw": " a road is built ."}, {"raw": " a road is built ."}, {"raw": "two houses appear"}],
        }
    ]
}


def test_levir_cc_gives_sentences_and_levir_mci_masks_too(tmp_path: Path) -> None:
    (tmp_path / "LevirCCcaptions.json").write_text(json.dumps(CAPTIONS))
    pair(tmp_path / "images/train", "A", "B")
    found = labels(tmp_path, "LevirCCcaptions.json", "B/train_1")
    assert [one.text for one in found if one.kind == "change_caption"] == ["a road is built .", "two houses appear"]
    assert [(one.category, one.value) for one in found if one.kind == "compared"] == [("", 1.0)]
    save(tmp_path / "images/train/label/train_1.png", np.stack([mask((1, 1, 9, 9, 128), (20, 1, 29, 9, 255))] * 3, axis=2))
    found = labels(tmp_path, "LevirCCcaptions.json", "B/train_1")
    assert boxes(found) == [("building", "", (), (20, 1, 29, 9)), ("road", "", (), (1, 1, 9, 9))]


@pytest.mark.parametrize("form", ["captions", "xbd"])
def test_damaged_json_is_rejected_with_words_and_never_crashes(tmp_path: Path, form: str) -> None:
    draw = random.Random(form)
    junk: list[Any] = [None, "", -1, 1e400, [], {}, True, "nan", "../x", "POLYGON ((0 0, 1 1))", "POINT (1 1)"]

    def damaged(node: Any) -> Any:
        if draw.random() < 0.15:
            return draw.choice(junk)
        if isinstance(node, dict):
            return {(key if draw.random() > 0.05 else "other"): damaged(value) for key, value in node.items()}
        return [damaged(value) for value in node] if isinstance(node, list) else node

    pair(tmp_path / "images/train", "A", "B")
    for _ in range(80):
        if form == "xbd":
            xbd(tmp_path, damaged(XBD))
        else:
            (tmp_path / "LevirCCcaptions.json").write_text(json.dumps(damaged(CAPTIONS)))
        try:
            annotated = read_annotations(
                Annotations("change_pairs", str(tmp_path / ("**/*_disaster.json" if form == "xbd" else "*.json")))
            )
        except RsflowError:
            continue
        assert all(reject.reason and reject.detail and reject.file for reject in annotated.rejects)


def test_a_window_keeps_every_part_of_a_change(tmp_path: Path) -> None:
    pair(tmp_path, "A", "B")
    save(tmp_path / "label/train_1.png", mask((10, 5, 31, 12, 255)))
    found = labels(tmp_path, "label/*.png", "B/train_1")
    whole = (0.0, 0.0, float(WIDTH), float(HEIGHT))
    left, right = (clip_labels(found, Window(0, col, HEIGHT, 30), 0.3, whole) for col in (0, 30))
    assert boxes(left) == [("building", "", (), (10, 5, 30, 12))]
    assert boxes(right) == [("building", "", (), (0, 5, 1, 12))]  # a sliver, and yet it changed
    assert [one.kind for one in right if one.kind == "compared"] == ["compared"]


def test_sentences_about_a_whole_pair_are_lost_where_it_is_cut(tmp_path: Path) -> None:
    (tmp_path / "LevirCCcaptions.json").write_text(json.dumps(CAPTIONS))
    pair(tmp_path / "images/train", "A", "B")
    annotated = read_annotations(Annotations("change_pairs", str(tmp_path / "LevirCCcaptions.json")))
    joined = join_scenes(annotated, scenes(tmp_path / "images/train", A=(HEIGHT, WIDTH), B=(HEIGHT, WIDTH)))
    (after,) = [one for one in joined.pictures.values() if one.role == AFTER]
    lost = reject_split_labels(after, [Window(0, 0, HEIGHT, 30), Window(0, 30, HEIGHT, 30)])
    assert [reject.reason for reject in lost] == ["picture_is_cut"] * 3  # two sentences, and that something changed


def test_folders_of_another_set_are_named_by_options(tmp_path: Path) -> None:
    pair(tmp_path, "pictures/2012/x", "pictures/2016/x", "a.png")
    save(tmp_path / "masks/x/a.png", mask((5, 5, 15, 12, 255)))
    folders = {"masks": "masks", "before": "pictures/2012", "after": "pictures/2016"}
    found = labels(tmp_path, "masks/**/*.png", "2016/x/a", category="road", **folders)
    assert boxes(found) == [("road", "", (), (5, 5, 15, 12))]
    with pytest.raises(ConfigError, match="category is missing"):
        labels(tmp_path, "masks/**/*.png", "2016/x/a", **folders)
    with pytest.raises(ConfigError, match="after: missing"):
        labels(tmp_path, "masks/**/*.png", "2016/x/a", category="road", masks="masks", before="pictures/2012")


def test_the_mask_of_all_changes_of_s2looking_may_have_two_colours(tmp_path: Path) -> None:
    pair(tmp_path, "Image1", "Image2", "1.png")
    colours = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    colours[3:9, 3:9], colours[20:30, 20:30] = (0, 0, 255), (255, 0, 0)
    save(tmp_path / "label/1.png", colours)
    assert [box for *_, box in boxes(labels(tmp_path, "label/*.png", "Image2/1"))] == [(3, 3, 9, 9), (20, 20, 30, 30)]
    colours[0, 0] = (0, 255, 0)
    save(tmp_path / "label/1.png", colours)
    assert [reason for reason, _ in reasons(tmp_path, "label/*.png")] == ["bad_mask"]


def test_a_set_without_the_folder_of_one_date_says_which(tmp_path: Path) -> None:
    save(tmp_path / "A/1.png", picture())
    save(tmp_path / "label/1.png", mask())
    ((reason, detail),) = reasons(tmp_path, "label/*.png")
    assert (reason, "no folder B" in detail) == ("missing_partner", True)


def test_options_that_cannot_be_are_told(tmp_path: Path) -> None:
    pair(tmp_path, "A", "B")
    save(tmp_path / "label/train_1.png", mask())
    with pytest.raises(ConfigError, match="expected one of auto, xbd"):
        labels(tmp_path, "label/*.png", "B/train_1", layout="levir")
    with pytest.raises(ConfigError, match="from 1"):
        labels(tmp_path, "label/*.png", "B/train_1", min_px=0)
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(UsageError, match="no list 'images'"):
        labels(tmp_path, "x.json", "B/train_1")
