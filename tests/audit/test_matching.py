"""Every annotation is judged on its own picture, in every format, however pictures are named."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rsflow.audit import audit
from rsflow.files import storage
from tests.annotations.set_writers import BOXED, WRITERS, Picture

WIDE = Picture("train/0001.png", 200, 100, (150.0, 10.0, 190.0, 50.0))
TALL = Picture("val/0001.png", 100, 200, (10.0, 150.0, 50.0, 190.0))


def draw(folder: Path, one: Picture, at: str = "", seed: int = 0) -> None:
    path = folder / "images" / (at or one.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (one.height, one.width, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path, format="PNG")


def counts(folder: Path, form: str, files: str) -> dict[str, int]:
    return audit(files, form, str(folder / "images")).counts


@pytest.mark.parametrize("form", WRITERS)
def test_pictures_of_one_name_are_each_judged_on_their_own_size(tmp_path: Path, form: str) -> None:
    files = WRITERS[form](tmp_path, [WIDE, TALL])
    draw(tmp_path, WIDE, seed=1)
    draw(tmp_path, TALL, seed=2)
    assert counts(tmp_path, form, files) == {}


@pytest.mark.parametrize("form", BOXED)
def test_pictures_exchanged_between_folders_are_found(tmp_path: Path, form: str) -> None:
    files = WRITERS[form](tmp_path, [WIDE, TALL])
    draw(tmp_path, WIDE, TALL.path, seed=1)
    draw(tmp_path, TALL, WIDE.path, seed=2)
    found = counts(tmp_path, form, files)
    expected = "box_outside" if form in {"csv", "dota"} else "wrong_size"
    assert form == "yolo" or found.get(expected) == 2  # shares of a picture fit any size


@pytest.mark.parametrize("form", WRITERS)
def test_a_missing_picture_is_not_replaced_by_one_of_the_same_name(tmp_path: Path, form: str) -> None:
    files = WRITERS[form](tmp_path, [WIDE, TALL])
    draw(tmp_path, WIDE, seed=1)
    assert counts(tmp_path, form, files).get("missing_picture") == 1


@pytest.mark.parametrize("form", sorted({*WRITERS} - {"rsflow"}))  # which names whole paths
def test_a_name_that_several_pictures_have_is_ambiguous(tmp_path: Path, form: str) -> None:
    files = WRITERS[form](tmp_path, [Picture("0001.png", 200, 100, WIDE.box)])
    draw(tmp_path, WIDE, seed=1)
    draw(tmp_path, WIDE, TALL.path, seed=2)
    assert counts(tmp_path, form, files) == {"ambiguous_picture": 1}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    "name",
    [
        *("a b [1].png", "é.png", "x::y.png", "100%.png", "a%20b.png", "(2)'s.png", "harbour_1.5m.png"),
        *("A.PNG", "b.JPeG", "c.TIF", "#1 & co.png", "naïve+plus=.png"),
    ],
)
def test_names_of_every_spelling_find_their_pictures(tmp_path: Path, form: str, name: str) -> None:
    one = Picture(f"part [v2]/{name}", 200, 100, WIDE.box)
    files = WRITERS[form](tmp_path, [one])
    draw(tmp_path, one, unicodedata.normalize("NFD", one.path))
    assert counts(tmp_path, form, files) == {}


@pytest.mark.parametrize("form", WRITERS)
def test_linked_folders_are_entered_and_loops_are_not(tmp_path: Path, form: str) -> None:
    files = WRITERS[form](tmp_path, [WIDE])
    draw(tmp_path, WIDE, "real/0001.png")
    (tmp_path / "images/train").symlink_to(tmp_path / "images/real")
    (tmp_path / "images/real/loop").symlink_to(tmp_path / "images")
    assert counts(tmp_path, form, files) == {}


@pytest.mark.parametrize("form", sorted({*WRITERS} - {"rsflow"}))
def test_a_link_that_leads_out_is_not_followed_unless_it_is_meant(tmp_path: Path, form: str) -> None:
    files = WRITERS[form](tmp_path / "set", [WIDE])
    draw(tmp_path / "elsewhere", WIDE, "0001.png")
    (tmp_path / "set/images").mkdir()
    (tmp_path / "set/images/train").symlink_to(tmp_path / "elsewhere/images")
    assert audit(files, form, str(tmp_path / "set/images")).counts == {"path_outside": 1}
    assert audit(files, form, str(tmp_path / "set/images"), allow_outside=True).counts == {}


def test_a_preview_of_half_the_size_does_not_decide(tmp_path: Path) -> None:
    files = WRITERS["coco"](tmp_path, [Picture("0001.png", 200, 100, WIDE.box)])
    draw(tmp_path, WIDE, "full/0001.png", seed=1)
    draw(tmp_path, Picture("", 100, 50, WIDE.box), "preview/0001.png", seed=2)
    assert counts(tmp_path, "coco", files) == {}


def test_names_survive_in_an_object_store(tmp_path: Path, bucket: str) -> None:
    pictures = [Picture(f"part/{name}", 200, 100, WIDE.box) for name in ("x::y.png", "a [1].png", "a%20b.PNG", "é.png")]
    Path(WRITERS["csv"](tmp_path, pictures)).rename(tmp_path / "set::1.csv")
    for number, one in enumerate(pictures):
        draw(tmp_path, one, seed=number)
    for file in tmp_path.rglob("*.*"):
        storage.write_bytes(f"s3://{bucket}/{file.relative_to(tmp_path)}", file.read_bytes())
    report = audit(f"s3://{bucket}/set::1.csv", "csv", f"s3://{bucket}/images")
    assert (report.counts, report.inspected["pictures"]) == ({}, 4)
