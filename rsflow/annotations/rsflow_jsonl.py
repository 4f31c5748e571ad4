"""rsflow's own annotation lines: a picture and its labels per line of JSON, as `rsflow import` writes them.

Every kind of label (rsflow.records.Label) in one file, boxes in pixels of the whole picture, named like the columns
of rsflow.schemas.LABEL_STRUCT; what a row leaves out is empty. A picture may stand on several lines. It is known by its whole
path, for sets that were merged from others have pictures of the same name in different folders. `complete`: whether its
line lists every object of the set's categories (default true).

    {"file": "/data/ships/0001.jpg", "height_px": 512, "width_px": 640,
     "labels": [{"kind": "box", "category": "ship", "box": [1, 2, 30, 40]}]}              (on one line)
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, merge_sets, path_stem
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import read_lines
from rsflow.errors import DataError, UsageError
from rsflow.records import Label, LabelKind, Provenance, Reject, Shape
from rsflow.spatial.geometry import Ring

_FROM = Provenance("annotation", "rsflow")


def read_rsflow(files: Sequence[str]) -> AnnotatedSet:
    """Annotation lines as one annotated set. UsageError where a line is not a JSON object with `file` and `labels`."""
    return merge_sets(_read_one(file) for file in files)


def _read_one(file: str) -> AnnotatedSet:
    pictures: dict[str, AnnotatedPicture] = {}
    rejects: list[Reject] = []
    for number, line in read_lines(file):
        found = _picture(_row(line, f"{file}: line {number}"), f"line {number}", file, rejects)
        before = pictures.get(found.file)
        pictures[found.file] = found if before is None else _joined(before, found)
    categories = {label.category for one in pictures.values() for label in one.labels if label.kind == "box"}
    return AnnotatedSet(pictures, tuple(sorted(categories)), tuple(rejects))


def _joined(one: AnnotatedPicture, other: AnnotatedPicture) -> AnnotatedPicture:
    """Two lines of one picture: each claim once; a line that lists everything makes up for one that does not."""
    labels = tuple(dict.fromkeys([*one.labels, *other.labels]))
    return replace(one, labels=labels, complete=one.complete or other.complete, split=one.split or other.split)


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not JSON ({error}); format rsflow has one JSON object per line") from error
    if not isinstance(row, dict) or not isinstance(row.get("file"), str) or not isinstance(row.get("labels"), list):
        raise UsageError(f"{where} is not an object with file and labels, as format rsflow has them")
    sides = [row.get("height_px"), row.get("width_px")]
    if not all(side is None or (type(side) is int and side > 0) for side in sides):
        raise UsageError(f"{where}: height_px and width_px are {sides}, expected whole numbers above 0, or neither")
    if not isinstance(row.get("split"), str | None):
        raise UsageError(f"{where}: split is {row['split']!r}, expected a name")
    return row


def _picture(row: dict[str, Any], where: str, file: str, rejects: list[Reject]) -> AnnotatedPicture:
    size = (row.get("height_px"), row.get("width_px"))
    labels = []
    for index, entry in enumerate(row["labels"]):
        try:
            labels.append(_label(entry, *size))
        except (KeyError, TypeError, ValueError) as error:
            detail = f"{error!r} in {json.dumps(entry)[:80]}"
            rejects.append(Reject("annotation", f"{where} label {index}", "broken_record", detail, file))
        except DataError as error:
            rejects.append(Reject("annotation", f"{where} label {index}", error.reason, error.detail, file))
    complete = len(labels) == len(row["labels"]) and row.get("complete", True) is True
    name, split = path_stem(row["file"]), row.get("split")
    return AnnotatedPicture(
        name, row["file"], *size, tuple(labels), complete, split, annotation_file=file, match_full_path=True
    )


def _label(entry: Any, height_px: int | None, width_px: int | None) -> Label:
    texts = [entry["kind"], entry["category"], entry.get("text") or ""] if isinstance(entry, dict) else []
    if not texts or texts[0] not in get_args(LabelKind) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"expected an object with kind ({', '.join(get_args(LabelKind))}), category and text")
    value = entry.get("value")
    value = None if value is None else float(value)
    if value is not None and not math.isfinite(value):
        raise DataError("value_not_a_number", f"value is {value}, expected a finite number")
    shape: Shape | None = None
    if entry.get("box"):
        x0, y0, x1, y1 = map(float, entry["box"])
        ring, flags = _ring(entry.get("polygon") or ()), tuple(map(str, entry.get("flags") or ()))
        parts = tuple(tuple(map(_ring, part)) for part in entry.get("parts") or () if part)
        shape = make_shape((x0, y0, x1, y1), ring, height_px, width_px, bool(entry.get("oriented")), flags, parts)
    return Label(entry["kind"], entry["category"], _FROM, shape, texts[2], value)


def _ring(values: Any) -> Ring:
    ring = tuple(map(float, values))
    if ring and (len(ring) < 6 or len(ring) % 2):
        raise ValueError(f"a ring has {len(ring)} numbers, expected x, y of three points or more")
    return ring
