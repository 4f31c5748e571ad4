"""Which annotated picture is which scene: names that repeat, previews, copies."""

from __future__ import annotations

import pytest

from rsflow.annotations import AnnotatedPicture, AnnotatedSet, ScenePicture, join_scenes, merge_sets
from rsflow.records import Label, Provenance, Shape

FROM = Provenance("annotation", "test")


def claim(origin: str, file: str, own: str = "", size: int | None = None, x: float = 1.0) -> AnnotatedPicture:
    label = Label("box", "ship", FROM, Shape((x, 1.0, x + 5, 6.0)))
    return AnnotatedPicture(file, file, size, size, (label,), annotation_file=origin, own_name=own)


def files_of(claims: list[AnnotatedPicture], scenes: list[ScenePicture]) -> tuple[list[tuple[str, str]], list[str]]:
    """((origin or file, scene) of every picture that has one, reasons of the rejects)."""
    annotated = merge_sets(AnnotatedSet({one.name: one}) for one in claims)
    joined = join_scenes(annotated, scenes)
    found = [
        (annotated.pictures[name].annotation_file or annotated.pictures[name].file, file) for name, file in joined.files.items()
    ]
    return sorted(found), [reject.reason for reject in joined.rejects]


@pytest.mark.parametrize(
    ("annotation", "picture"),
    [
        ("/s/labels/{}/0.txt", "/s/images/{}/0.png"),
        ("/s/{}/labelXml/0.xml", "/s/{}/images/0.tif"),
        ("/s/labels_{}/0.txt", "/s/images_{}/0.jpg"),
    ],
)
def test_a_file_named_after_its_picture_finds_the_one_of_its_folder(annotation: str, picture: str) -> None:
    claims = [claim(annotation.format(part), "0", "0", x=i + 1.0) for i, part in enumerate(("train", "val"))]
    scenes = [ScenePicture(picture.format(part), 90, 90) for part in ("val", "train")]
    right = sorted((annotation.format(part), picture.format(part)) for part in ("train", "val"))
    assert files_of(claims, scenes) == (right, [])
    assert files_of(claims[:1], scenes[:1])[0] == [(annotation.format("train"), picture.format("val"))]  # sets move
    assert files_of(claims, scenes[:1]) == (right[1:], ["missing_picture"])


def test_what_nothing_tells_apart_is_a_reject_that_names_both() -> None:
    scenes = [ScenePicture("/s/train/0.png", 90, 90), ScenePicture("/s/val/0.png", 90, 90)]
    joined = join_scenes(merge_sets([AnnotatedSet({"0": claim("/s/all.json", "0.png")})]), scenes)
    (reject,) = joined.rejects
    assert (joined.pictures, reject.reason) == ({}, "ambiguous_picture")
    assert all(scene.file in reject.detail for scene in scenes)


def test_a_smaller_preview_does_not_take_the_boxes() -> None:
    scenes = [ScenePicture("/s/preview/0.png", 45, 45), ScenePicture("/s/full/0.png", 90, 90)]
    assert files_of([claim("/a.json", "0.png", size=90)], scenes) == ([("/a.json", "/s/full/0.png")], [])
    assert files_of([claim("/a.json", "0.png")], scenes) == ([], ["ambiguous_picture"])
    assert files_of([claim("/a.json", "0.png", size=90)], scenes[:1])[1] == ["size_differs"]


def test_a_copied_filename_does_not_beat_the_files_own_name() -> None:
    claims = [claim("/x/a.xml", "a.png", "a"), claim("/x/b.xml", "a.png", "b", x=9.0)]
    scenes = [ScenePicture("/p/a.png", 90, 90), ScenePicture("/p/b.png", 90, 90)]
    assert files_of(claims, scenes) == ([("/x/a.xml", "/p/a.png"), ("/x/b.xml", "/p/b.png")], [])
    assert files_of(claims[1:], [ScenePicture("/p/a.png", 90, 90)]) == ([("/x/b.xml", "/p/a.png")], [])


def test_names_compare_composed_and_an_escaped_one_is_read() -> None:
    scenes = [ScenePicture("/p/e\u0301 [1]::2.PNG", 90, 90), ScenePicture("/p/a b.png", 90, 90)]
    claims = [claim("/c.json", "\u00e9 [1]::2.png"), claim("/c.json", "a%20b.png")]
    assert files_of(claims, scenes)[1] == []


def test_many_scenes_of_one_name_are_joined_in_one_pass() -> None:
    count = 3000
    scenes = [ScenePicture(f"/s/images/chip_{i}/image.tif", 9, 9) for i in range(count)]
    claims = [claim(f"/s/chip_{i}/labels/image.txt", "image", "image") for i in range(count)]
    found, reasons = files_of(claims, scenes)
    assert reasons == []
    assert all(origin.split("/")[2] == file.split("/")[3] for origin, file in found)
