"""DIOR-RSVG XML: objects with the expression that refers to each (https://github.com/ZhanYang-nwpu/RSVG-pytorch).

VOC with a <description> per object gives phrases, not objects: only what is described is annotated, so nothing can
be concluded from what is not. Of an object without a description (plain DIOR) the box is kept.

The set's splits are of expressions, not of pictures: train.txt, val.txt and test.txt number them over all XML files.
`expressions` takes these files, split by split; they are counted over the files in the order of their names. A picture with
expressions of several splits is in the one that is listed last, so list what is held out last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import OpenPicture
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import parse_text, read_lines
from rsflow.annotations.parsing.xml_file import Element, read_category, read_flags, read_xml
from rsflow.annotations.voc import read_box
from rsflow.errors import ConfigError
from rsflow.records import Label, Provenance

_FROM = Provenance("annotation", "dior_rsvg")


def read_dior_rsvg(files: Sequence[str], *, expressions: dict[str, str] | None = None) -> AnnotatedSet:
    """DIOR-RSVG files as one annotated set. ConfigError where `expressions` has a number that the files do not reach."""
    sets: list[AnnotatedSet] = []
    split_of = _numbered(expressions or {})
    first = 0
    for file in sorted(files):
        one = read_xml(file, _label)
        # Rejected objects are counted too: the numbers were given when they were not.
        stop = first + sum(len(picture.labels) for picture in one.pictures.values()) + len(one.rejects)
        split = max((split_of[number] for number in range(first, stop) if number in split_of), default=None)
        named = list(expressions or {})[split] if split is not None else None
        pictures = {name: replace(picture, split=named) for name, picture in one.pictures.items()}
        sets.append(AnnotatedSet(pictures, (), one.rejects))
        first = stop
    if beyond := [number for number in split_of if number >= first]:
        raise ConfigError(
            f"annotations.options.expressions: holds number {beyond[0]}, but {files[0]} and the rest hold {first}"
        )
    return merge_sets(sets)


def _label(element: Element, picture: OpenPicture) -> Label:
    shape = make_shape(read_box(element), (), picture.height_px, picture.width_px, flags=read_flags(element))
    if element.find("description") is None:
        return Label("box", read_category(element), _FROM, shape)
    return Label("phrase", read_category(element), _FROM, shape, text=parse_text(element.findtext("description"), "phrase"))


def _numbered(expressions: dict[str, str]) -> dict[int, int]:
    """Expression number to position of its split."""
    found: dict[int, int] = {}
    for position, file in enumerate(expressions.values()):
        for line, text in read_lines(file):
            if not text.isdigit():
                raise ConfigError(f"{file}: line {line} is {text!r}, expected the number of an expression")
            found[int(text)] = position
    return found
