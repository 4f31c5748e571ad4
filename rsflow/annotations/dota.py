"""DOTA labelTxt: one text file per picture, oriented boxes (https://captain-whu.github.io/DOTA/dataset.html).

A line is x1 y1 x2 y2 x3 y3 x4 y4 category difficulty: four corners in order, taken as written, so no angle is
ever made or misread. Lines before them are the header, "imagesource:GoogleEarth", "gsd:0.146", in version 2 sometimes also
"acquisition dates:..."; v1.0 files without difficulty and files without header are read too.

Kept: the difficulty (any but 0) as flag "difficult", and the gsd. A picture's size is not in the file: boxes are checked
against the picture when the scene is known. A file without objects is a picture without objects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector, OpenPicture, collect_categories
from rsflow.annotations.parsing.oriented_boxes import check_corner_order, ring_bounds
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import parse_flag, parse_identifier, parse_numbers, read_lines
from rsflow.annotations.sets.completeness import with_vocabulary
from rsflow.errors import DataError
from rsflow.records import Label, Provenance

_FROM = Provenance("annotation", "dota")
_HEADER = re.compile(r"([A-Za-z][A-Za-z _]*):(.*)")


def read_dota(files: Sequence[str], *, vocabulary: tuple[str, ...] = ()) -> AnnotatedSet:
    """labelTxt files as one annotated set."""
    return with_vocabulary(merge_sets(_read_one(file) for file in files), vocabulary)


def _read_one(file: str) -> AnnotatedSet:
    collector = FileCollector(file)
    picture = collector.picture_of_file()
    for number, line in read_lines(file):
        if header := _HEADER.fullmatch(line):
            _note(picture, header[1].lower(), header[2].strip())
            continue
        try:
            picture.labels.append(_label(line.replace(",", " ").split()))
        except DataError as error:
            collector.reject(f"line {number}", error, picture)
    return collector.result(collect_categories(collector.pictures))


def _note(picture: OpenPicture, key: str, value: str) -> None:
    if key == "gsd" and re.fullmatch(r"[0-9]*\.?[0-9]+([eE]-?[0-9]+)?", value) and float(value) > 0:
        picture.gsd_m = float(value)


def _label(words: list[str]) -> Label:
    if len(words) < 9:
        raise DataError("bad_box", f"found {len(words)} words, expected eight numbers, a category and a difficulty")
    ring = check_corner_order(tuple(parse_numbers(words[:8])))
    *category, difficulty = words[8:] if len(words) > 9 else [words[8], "0"]
    if not (parse_identifier(difficulty) or "").isdecimal():
        raise DataError("bad_difficulty", f"found {difficulty!r}, expected 0, 1 or 2")
    flags = ("difficult",) if parse_flag(difficulty) else ()
    shape = make_shape(ring_bounds(ring), ring, None, None, oriented=True, flags=flags)
    return Label("box", " ".join(category), _FROM, shape)
