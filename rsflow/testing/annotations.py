"""The laws of an annotation format (rsflow.annotations)."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rsflow.annotations import AnnotatedPicture, AnnotatedSet
from rsflow.records import Label
from rsflow.spatial.geometry import ring_area
from rsflow.testing.laws import damaged_copies, raises_only_own_errors, require

ReadSet = Callable[..., AnnotatedSet]


def check_annotations(read: ReadSet, files: Sequence[str], **options: Any) -> None:
    """Run all laws on well-formed local files of the format, at least one of whose records is a label."""
    found = read(files, **options)
    labels = [label for picture in found.pictures.values() for label in picture.labels]
    require(labels, "files of the format have labels: none was found in them")
    require(list(found.categories) == sorted(set(found.categories)), f"categories are sorted and unique: {found.categories}")
    for name, picture in found.pictures.items():
        _check_picture(name, picture, found.categories)
    for reject in found.rejects:
        require(reject.kind == "annotation" and reject.reason and reject.detail, f"a reject says what and why: {reject}")
        require(" " not in reject.reason, f"a reason is one word that can be counted: found {reject.reason!r}")
    require(read(files, **options) == found, "files read twice give the same set")
    _check_order(read, files, found, options)
    _check_damages(read, files, options)


def _check_picture(name: str, picture: AnnotatedPicture, categories: Sequence[str]) -> None:
    require(picture.name == name, f"pictures are under their names: {picture.name!r} is under {name!r}")
    sizes = (picture.height_px, picture.width_px)
    require(all(size is None or size > 0 for size in sizes), f"{name}: sizes are unknown or above 0: found {sizes}")
    require(picture.annotation_file, f"{name}: annotation_file says which file describes it")
    for label in picture.labels:
        _check_label(f"{name}: {label}", label, picture)
        known = label.kind not in {"box", "category"} or label.category in categories
        require(known, f"{name}: the category {label.category!r} is among the set's categories")


def _check_label(where: str, label: Label, picture: AnnotatedPicture) -> None:
    require(label.provenance.origin == "annotation", f"{where}: its origin is 'annotation'")
    require(label.provenance.quality is None, f"{where}: an annotation is taken for true, it has no quality")
    require(label.kind != "box" or label.shape is not None, f"{where}: a box has a shape")
    score = label.score
    require(score is None or 0 <= score <= 1, f"{where}: a score is in [0, 1]")
    if label.shape is None:
        return
    x0, y0, x1, y1 = label.shape.box
    require(all(map(math.isfinite, label.shape.box)), f"{where}: a box is finite")
    require(x0 < x1 and y0 < y1, f"{where}: a box has an area: x0 < x1 and y0 < y1")
    require(
        not picture.normalised or max(map(abs, label.shape.box)) <= 2, f"{where}: a normalised box is in shares of the sides"
    )
    for part in label.shape.area_parts:
        require(all(map(math.isfinite, (*part[0],))), f"{where}: an outline is finite")
        require(len(part[0]) >= 6 and ring_area(part[0]) > 0, f"{where}: an outline has an area")


def _check_order(read: ReadSet, files: Sequence[str], found: AnnotatedSet, options: dict[str, Any]) -> None:
    """The order of the files changes no picture (which of two equal claims is first may differ)."""
    turned = read(list(reversed(files)), **options)
    require(turned.pictures.keys() == found.pictures.keys(), "the order of files changes no name of a picture")
    require(turned.categories == found.categories, "the order of files does not change the categories")
    require(len(turned.rejects) == len(found.rejects), "the order of files does not change what is rejected")


def _check_damages(read: ReadSet, files: Sequence[str], options: dict[str, Any]) -> None:
    """A damaged file is a UsageError, or what is left of it gives rejects or fewer labels; never another error."""
    with tempfile.TemporaryDirectory() as folder:
        for damage, copies in damaged_copies(files, Path(folder)):
            raises_only_own_errors(partial(read, copies, **options), f"a file that is {damage}")
