"""YOLO txt: one text file per picture, everything in shares of the picture (https://docs.ultralytics.com/datasets/).

A line is a class number and numbers in [0, 1], and becomes pixels only when the scene's size is known. Format `yolo` reads
"class cx cy w h" and, where there are more numbers, the corners of a polygon (segmentation). Format `yolo_obb` reads "class x1
y1 x2 y2 x3 y3 x4 y4" as an oriented box, corners in order; the two cannot be distinguished from the file, so the format says
which it is. Pose rows, a box with keypoints, are known by the option `kpt_shape` or the data.yaml's; the box is read.

Class names: option `classes`, a text file with a name per line or a data.yaml with `names`; else, for every folder of label
files, the nearest classes.txt or data.yaml in it or up to two folders above, so that sets of different class lists can be read
together. A file of that name among the label files is not a label file. A file without lines is a picture without
objects.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector
from rsflow.annotations.parsing.oriented_boxes import check_corner_order, ring_bounds
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import parse_identifier, parse_numbers, read_lines, read_text
from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.records import Label, Provenance
from rsflow.spatial.geometry import Box, Ring

_FROM = Provenance("annotation", "yolo")
_CLASS_FILES = ("classes.txt", "data.yaml", "data.yml")
RowParser = Callable[[list[float]], tuple[Box, Ring, bool]]


def read_yolo(files: Sequence[str], *, classes: str = "", kpt_shape: tuple[int, ...] = ()) -> AnnotatedSet:
    """YOLO boxes, polygons or poses as one annotated set. ConfigError where class names are neither given nor found."""

    def parser_of(class_file: str) -> RowParser:
        keypoints = _keypoints(class_file, kpt_shape)
        return _pose(keypoints) if keypoints else _box_or_polygon

    return _read(files, classes, parser_of)


def read_yolo_obb(files: Sequence[str], *, classes: str = "") -> AnnotatedSet:
    """YOLO oriented boxes as one annotated set. ConfigError where class names are neither given nor found."""
    return _read(files, classes, lambda _: _oriented)


def read_class_names(file: str) -> dict[int, str]:
    """Class numbers and names of a list of names (numbered from 0) or a data.yaml. ConfigError where it is neither."""
    if not file.endswith((".yaml", ".yml")):
        return {number - 1: name for number, name in read_lines(file)}
    names = _data_yaml(file).get("names")
    entries = names.items() if isinstance(names, dict) else enumerate(names if isinstance(names, list) else ())
    numbered = {parse_identifier(key) or "": name for key, name in entries}
    if not numbered or not all(key.isdecimal() for key in numbered):
        raise ConfigError(f"{file}: names is {names!r}, expected a list of names, or names by number")
    for key, name in numbered.items():
        if isinstance(name, bool) or not isinstance(name, str | int | float) or not str(name).strip():
            hint = " (write no, yes, on and off in quotes)" if isinstance(name, bool) else ""
            raise ConfigError(f"{file}: the name of class {key} is {name!r}, expected a text{hint}")
    return {int(key): str(name).strip() for key, name in numbered.items()}


def _data_yaml(file: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(read_text(file)) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: is no YAML of keys and values ({error})") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{file}: holds a {type(found).__name__}, expected the keys and values of a data.yaml")
    return found


def _keypoints(classes: str, stated: tuple[int, ...]) -> tuple[int, ...]:
    """(keypoints, numbers of each) of pose rows, by the option or the data.yaml; () where rows are no poses."""
    found = stated or (_data_yaml(classes).get("kpt_shape") if classes.endswith((".yaml", ".yml")) else None) or ()
    if found and not (len(found) == 2 and all(type(n) is int and n > 0 for n in found) and found[1] in {2, 3}):
        raise ConfigError(f"kpt_shape is {list(found)}, expected the number of keypoints and 2 or 3 numbers of each: [4, 3]")
    return tuple(found)


def _read(files: Sequence[str], classes: str, parser_of: Callable[[str], RowParser]) -> AnnotatedSet:
    labels = [file for file in files if posixpath.basename(file) not in _CLASS_FILES]
    class_files = dict.fromkeys(map(posixpath.dirname, labels), classes) if classes else _find_class_files(labels)
    names = {class_file: read_class_names(class_file) for class_file in dict.fromkeys(class_files.values())}
    parsers = {class_file: parser_of(class_file) for class_file in names}
    sets = [AnnotatedSet({}, tuple(found.values())) for found in names.values()]
    for file in labels:
        class_file = class_files[posixpath.dirname(file)]
        sets.append(_read_one(file, names[class_file], parsers[class_file]))
    return merge_sets(sets)


def _find_class_files(labels: Sequence[str]) -> dict[str, str]:
    """The file of class names of every folder of label files: the nearest one, in it or up to two folders above.

    A folder without one has that of the others, where they have one in common. ConfigError where there is none, or several.
    """
    folders = dict.fromkeys(map(posixpath.dirname, labels))
    above = {folder: (folder, posixpath.dirname(folder), posixpath.dirname(posixpath.dirname(folder))) for folder in folders}
    class_files = {
        place: _class_file_in(place) for place in dict.fromkeys(place for places in above.values() for place in places)
    }
    nearest = {
        folder: next((class_files[place] for place in places if class_files[place]), "") for folder, places in above.items()
    }
    found = [*dict.fromkeys(file for file in nearest.values() if file)]
    missing = next((folder for folder, file in nearest.items() if not file), None)
    if missing is not None and len(found) != 1:
        searched = f"there is no {' or '.join(_CLASS_FILES)} in {missing or '.'} or the two folders above it"
        raise ConfigError(
            f"annotations.options.classes is missing, and {searched}: give the list of class names, or the data.yaml of the set"
        )
    return {folder: file or found[0] for folder, file in nearest.items()}


def _class_file_in(folder: str) -> str:
    places = (posixpath.join(folder, name) for name in _CLASS_FILES)
    return next((place for place in places if storage.exists(place)), "")


def _read_one(file: str, names: dict[int, str], parse: RowParser) -> AnnotatedSet:
    collector = FileCollector(file)
    picture = collector.picture_of_file()
    picture.normalised = True
    picture.vocabulary = tuple(sorted(set(names.values())))
    for number, line in read_lines(file):
        try:
            words = line.split()
            category = _category(words[0], names)
            box, ring, oriented = parse(parse_numbers(words[1:]))
            shape = make_shape(box, ring, None, None, oriented)
            picture.labels.append(Label("box", category, _FROM, shape))
        except DataError as error:
            collector.reject(f"line {number}", error, picture)
    return collector.result()


def _category(word: str, names: dict[int, str]) -> str:
    """The name of a class number, which may be written as 1, 1.0 or 1.000e+00 (numpy.savetxt)."""
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not number.is_integer() or number not in names:
        raise DataError("unknown_category", f"found class {word!r}, expected one of 0 to {max(names, default=-1)}")
    return names[int(number)]


def _box(values: list[float]) -> tuple[Box, Ring, bool]:
    cx, cy, width, height = _shares(values)
    return (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2), (), False


def _pose(keypoints: tuple[int, ...]) -> RowParser:
    """The box of rows that have keypoints after it: cx cy w h x1 y1 v1 x2 y2 v2 ..."""
    expected = 4 + math.prod(keypoints)

    def read(values: list[float]) -> tuple[Box, Ring, bool]:
        if len(values) not in {4, expected}:
            found = f"found {len(values)} numbers, expected cx cy w h and {keypoints[0]} keypoints of {keypoints[1]}"
            raise DataError("bad_box", f"{found}, which are {expected} (kpt_shape)")
        return _box(values[:4])

    return read


def _box_or_polygon(values: list[float]) -> tuple[Box, Ring, bool]:
    if len(values) == 4:
        return _box(values)
    # Every third number after a box is a keypoint's visibility; of a polygon's corners so many are never just 0, 1 or 2.
    if len(values) > 6 and len(values) % 3 == 1 and {*values[6::3]} <= {0.0, 1.0, 2.0}:
        hint = "give annotations.options.kpt_shape, or the data.yaml that has it"
        raise DataError("unknown_keypoints", f"found {len(values)} numbers, which look like a box with keypoints: {hint}")
    if len(values) < 6 or len(values) % 2:
        raise DataError("bad_box", f"found {len(values)} numbers, expected cx cy w h, or the corners of a polygon")
    ring = tuple(_shares(values))
    return ring_bounds(ring), ring, False


def _oriented(values: list[float]) -> tuple[Box, Ring, bool]:
    if len(values) != 8:
        raise DataError("bad_box", f"found {len(values)} numbers, expected the eight of four corners")
    ring = check_corner_order(tuple(_shares(values)))
    return ring_bounds(ring), ring, True


def _shares(values: list[float]) -> list[float]:
    # Rounding and overshoot go a little beyond the picture; numbers in pixels go far beyond.
    if min(values) < -1 or max(values) > 2:
        raise DataError(
            "not_normalised", f"found {values}, expected shares of the picture from 0 to 1 (these look like pixels)"
        )
    return values
