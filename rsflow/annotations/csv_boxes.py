"""Boxes in tables: CSV with a header (https://deepforest.readthedocs.io/en/latest/), and text lines with given columns.

A column is known by its name. The names are the file's header, or, for files without one, the option `columns`; of
each meaning the first spelling in the list below that occurs is used. A box is xmin, ymin, xmax, ymax, or x, y, width, height
(upper left corner), or x1, y1 ... x4, y4 (oriented, corners in order). difficult, truncated and occluded that are not 0 become
flags, split the picture's. Other columns are not kept.

A picture without objects is a row with blank or all-zero coordinates. Without an image column the file is named after its
picture; without a label column the option `category` is the class of all. Round brackets about coordinates are read over. So
these are a matter of options too: NWPU VHR-10 `columns: [xmin, ymin, xmax, ymax, label]`; VisDrone `columns: [x, y, width,
height, score, label, truncated, occluded]`; RSOD `columns: [image, label, xmin, ymin, xmax, ymax]`; UCAS-AOD `columns: [x1,
..., y4]`, `category`. `delimiter`: "," by default, " " for any run of blanks and tabs.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector, collect_categories
from rsflow.annotations.parsing.oriented_boxes import check_corner_order, ring_bounds
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import parse_flag, parse_identifier, parse_numbers, read_lines
from rsflow.annotations.sets.completeness import with_vocabulary
from rsflow.errors import DataError, UsageError
from rsflow.records import Label, Provenance, Shape

_FROM = Provenance("annotation", "csv")
IMAGE_COLUMNS = ("image_path", "image", "filename", "file_name", "image_name", "img", "path")
_LABEL = ("label", "class", "category", "class_name", "name")
_CORNERS = ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")
_BOXES = (_CORNERS, ("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("x", "y", "width", "height"))
_FLAGS = ("difficult", "truncated", "occluded", "ignore")

Row = dict[str, str]


def read_csv(
    files: Sequence[str],
    *,
    columns: tuple[str, ...] = (),
    delimiter: str = ",",
    category: str = "",
    vocabulary: tuple[str, ...] = (),
) -> AnnotatedSet:
    """Tables of boxes as one annotated set. UsageError where a column that is needed is not given."""
    return with_vocabulary(merge_sets(_read_one(file, columns, delimiter, category) for file in files), vocabulary)


def _read_one(file: str, columns: tuple[str, ...], delimiter: str, category: str) -> AnnotatedSet:
    lines = list(read_lines(file))
    names = [name.strip().lower() for name in (columns or [c for row in _cells(lines[:1], delimiter) for c in row])]
    image, label = _first(IMAGE_COLUMNS, names), _first(_LABEL, names)
    box = next((form for form in _BOXES if set(form) <= set(names)), None)
    if (lines and not box) or not (label or category or not lines):
        raise UsageError(
            f"{file}: its columns are {', '.join(names)}; expected a label column and xmin, ymin, xmax, ymax (or x, y, width, "
            "height, or x1 to y4); for files without a header give annotations.options.columns"
        )
    collector = FileCollector(file)
    picture = None if image else collector.picture_of_file()
    rows = lines if columns else lines[1:]
    for (number, _), cells in zip(rows, _cells(rows, delimiter), strict=True):
        row = dict(zip(names, (cell.strip() for cell in cells), strict=False))
        found = picture
        try:
            if not columns and any(cells[len(names) :]):
                raise DataError("broken_record", f"found {len(cells)} cells, the header has {len(names)} columns")
            if len(cells) < len(names) and any(delimiter in cell for cell in cells):
                raise DataError("broken_record", f"found {cells!r}, expected {len(names)} cells: a quote is not closed")
            found = found or collector.picture(_text(row, image, "the picture"))
            found.split = row.get("split") or found.split
            shape = _shape(row, box or ())
            if shape:
                name = category or _text(row, label, "the category")
                found.labels.append(Label("box", parse_identifier(name) or name, _FROM, shape))
        except DataError as error:
            collector.reject(f"line {number}", error, found)
    return collector.result(collect_categories(collector.pictures))


def _cells(lines: list[tuple[int, str]], delimiter: str) -> Iterator[list[str]]:
    texts = (line for _, line in lines)
    # Line by line: a stray quote then spoils its own row, not the rest of the file.
    return (
        (text.split() for text in texts)
        if delimiter == " "
        else (next(csv.reader([text], delimiter=delimiter)) for text in texts)
    )


def _shape(row: Row, columns: tuple[str, ...]) -> Shape | None:
    """None for a row that only says that there is a picture."""
    found = [row.get(column, "").strip("() ") for column in columns]
    if not any(found):
        return None
    values = parse_numbers(found)
    if not any(values):
        return None
    flags = tuple(name for name in _FLAGS if parse_flag(row.get(name)))
    if _is_zero(row.get("score", "")):
        flags = (*flags, "ignore")
    if columns is _CORNERS:
        ring = check_corner_order(tuple(values))
        return make_shape(ring_bounds(ring), ring, None, None, oriented=True, flags=flags)
    x0, y0, x1, y1 = values
    if columns[2] == "width":
        x1, y1 = x0 + x1, y0 + y1
    return make_shape((x0, y0, x1, y1), (), None, None, flags=flags)


def _is_zero(text: str) -> bool:
    """Whether a score is there and 0: VisDrone marks so what its evaluation leaves out."""
    return bool(text) and not parse_flag(text) and text.strip(" +0.") == ""


def _first(spellings: tuple[str, ...], names: list[str]) -> str:
    return next((spelling for spelling in spellings if spelling in names), "")


def _text(row: Row, column: str, what: str) -> str:
    text = row.get(column, "")
    if not text:
        raise DataError("broken_record", f"found {row}, expected {what} in column {column!r}")
    return text
