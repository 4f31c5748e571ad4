"""YOLO txt: one text file per picture, everything in shares of the picture (https://docs.ultralytics.com/datasets/).

One idea: a line is a class number and numbers in [0, 1], and becomes pixels only when the scene's size is known. Format `yolo`
reads "class cx cy w h" and, where there are more numbers, the corners of a polygon (segmentation). Format `yolo_obb` reads
"class x1 y1 x2 y2 x3 y3 x4 y4" as an oriented box, corners in order; the two cannot be told apart by the file, so the format
says which it is.

Class names: option `classes`, a text file with a name per line or a data.yaml with `names`; else classes.txt beside the files
or one folder up. A file of that name among the label files is not a label file. A file without lines is a picture without
objects.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

import yaml

from rsflow import storage
from rsflow.annotations.annotated_set import AnnotatedSet, merged
from rsflow.annotations.documents import lines_of, numbers
from rsflow.annotations.gathering import Gathering
from rsflow.annotations.oriented import bounds, checked
from rsflow.annotations.shapes import Ring, shape_on
from rsflow.errors import ConfigError, DataError
from rsflow.geometry import Box
from rsflow.records import Label, Provenance

_FROM = Provenance("annotation", "yolo")
_NAMES = "classes.txt"
Form = Callable[[list[float]], tuple[Box, Ring, bool]]


def read_yolo(files: Sequence[str], *, classes: str = "") -> AnnotatedSet:
    """YOLO boxes (or polygons) as one annotated set. ConfigError where class names are neither given nor found."""
    return _read(files, classes, _box_or_polygon)


def read_yolo_obb(files: Sequence[str], *, classes: str = "") -> AnnotatedSet:
    """YOLO oriented boxes as one annotated set. ConfigError where class names are neither given nor found."""
    return _read(files, classes, _oriented)


def class_names(file: str) -> dict[int, str]:
    """Class numbers and names of a list of names (numbered from 0) or a data.yaml. ConfigError where it is neither."""
    if not file.endswith((".yaml", ".yml")):
        return {number: name.strip() for number, name in enumerate(storage.read_text(file).splitlines()) if name.strip()}
    try:
        names = (yaml.safe_load(storage.read_text(file)) or {}).get("names")
    except (yaml.YAMLError, AttributeError) as error:
        raise ConfigError(f"{file}: is no YAML of keys and values ({error})") from error
    found = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(found, dict) or not all(isinstance(key, int) for key in found):
        raise ConfigError(f"{file}: names is {names!r}, expected a list of names, or names by number")
    return {number: str(name).strip() for number, name in found.items()}


def _read(files: Sequence[str], classes: str, form: Form) -> AnnotatedSet:
    labels = [file for file in files if posixpath.basename(file) != _NAMES]
    names = class_names(classes or _beside(files))
    sets = [_read_one(file, names, form) for file in labels]
    return merged([AnnotatedSet({}, tuple(names.values())), *sets])


def _beside(files: Sequence[str]) -> str:
    folders = dict.fromkeys(posixpath.dirname(file) for file in files)
    for folder in (*folders, *dict.fromkeys(posixpath.dirname(folder) for folder in folders)):
        place = posixpath.join(folder, _NAMES)
        if storage.exists(place):
            return place
    raise ConfigError(
        f"annotations.options.classes is missing, and there is no {_NAMES} beside {files[0]}: "
        "give the list of class names, or the data.yaml of the set"
    )


def _read_one(file: str, names: dict[int, str], form: Form) -> AnnotatedSet:
    gathering = Gathering(file)
    picture = gathering.own_picture()
    picture.normalised = True
    for number, line in lines_of(file):
        try:
            words = line.split()
            if not words[0].isdigit() or int(words[0]) not in names:
                raise DataError("unknown_category", f"found class {words[0]!r}, expected one of 0 to {max(names, default=-1)}")
            box, ring, oriented = form(numbers(words[1:]))
            shape = shape_on(box, ring, None, None, oriented)
            picture.labels.append(Label("box", names[int(words[0])], _FROM, shape))
        except DataError as error:
            gathering.reject(f"line {number}", error, picture)
    return gathering.result()


def _box_or_polygon(values: list[float]) -> tuple[Box, Ring, bool]:
    if len(values) == 4:
        cx, cy, width, height = _shares(values)
        return (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2), (), False
    if len(values) < 6 or len(values) % 2:
        raise DataError("bad_box", f"found {len(values)} numbers, expected cx cy w h, or the corners of a polygon")
    ring = tuple(_shares(values))
    return bounds(ring), ring, False


def _oriented(values: list[float]) -> tuple[Box, Ring, bool]:
    if len(values) != 8:
        raise DataError("bad_box", f"found {len(values)} numbers, expected the eight of four corners")
    ring = checked(tuple(_shares(values)))
    return bounds(ring), ring, True


def _shares(values: list[float]) -> list[float]:
    # Rounding and overshoot go a little beyond the picture; numbers in pixels go far beyond.
    if min(values) < -1 or max(values) > 2:
        raise DataError(
            "not_normalised", f"found {values}, expected shares of the picture from 0 to 1 (these look like pixels)"
        )
    return values
