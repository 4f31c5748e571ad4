"""Which files are annotations, and of which format: detected from their content, never from a suffix alone."""

from __future__ import annotations

import csv
import io
import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rsflow.annotations import ANNOTATIONS
from rsflow.annotations.annotated_set import picture_name
from rsflow.discovery.file_tree import FileTree
from rsflow.errors import RsflowError
from rsflow.files import storage
from rsflow.files.xml_document import XmlError, parse_xml

SAMPLED = 12  # files of a folder that are opened to tell the format of all
MAX_BYTES = 256 << 20  # a larger file is not read
_JSON, _LINES, _XML, _TEXT, _CSV = ".json", (".jsonl", ".ndjson"), ".xml", ".txt", ".csv"

# Where several formats describe the same pictures, the one that says most comes first.
PREFERENCE = (
    "coco",
    "fair1m",
    "rolabelimg",
    "dota",
    "yolo_obb",
    "voc",
    "yolo",
    "csv",
    "dior_rsvg",
    "captions",
    "rsvqa",
    "rsivqa",
    "floodnet",
)


@dataclass(frozen=True, slots=True)
class AnnotationGroup:
    """Files of one format in one folder. `pictures`: names of the pictures they refer to, without folder and suffix.

    `categories`: label name -> count. `labels`, `rejects`: how many were read. `fault`: why nothing could be read, else "".
    """

    format: str
    folder: str
    files: tuple[str, ...]
    pictures: frozenset[str] = frozenset()
    categories: dict[str, int] = field(default_factory=dict)
    labels: int = 0
    rejects: int = 0
    fault: str = ""

    @property
    def preference(self) -> int:
        """The format's place in PREFERENCE; formats that are not there come last."""
        return PREFERENCE.index(self.format) if self.format in PREFERENCE else len(PREFERENCE)


def find_annotations(tree: FileTree) -> list[AnnotationGroup]:
    """Every group of annotation files of a known format, by folder and format."""
    groups: list[AnnotationGroup] = []
    for folder, names in tree.folders.items():
        for suffix, recognise in _RECOGNISERS.items():
            found = [name for name in names if name.lower().endswith(suffix)]
            for format, files in _by_format(folder, found, recognise).items():
                groups.append(_read(format, folder, files))
    return groups


def _by_format(folder: str, names: list[str], recognise: Callable[[str, str], str | None]) -> dict[str, list[str]]:
    """Format -> files. Many files of one folder are taken to be what most of the inspected ones are."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names[:SAMPLED]:
        path = posixpath.join(folder, name)
        data = storage.read_bytes(path, 0, MAX_BYTES)
        if len(data) < MAX_BYTES and (format := recognise(name, data.decode("utf-8-sig", errors="replace"))):
            found[format].append(path)
    if len(names) > SAMPLED and found:
        usual = max(sorted(found), key=lambda format: len(found[format]))
        found[usual] += [posixpath.join(folder, name) for name in names[SAMPLED:]]
    return dict(found)


def _read(format: str, folder: str, files: list[str]) -> AnnotationGroup:
    try:
        annotated = ANNOTATIONS[format](files)
    except (RsflowError, TypeError, ValueError) as error:
        return AnnotationGroup(format, folder, tuple(files), fault=str(error).splitlines()[0])
    categories: dict[str, int] = defaultdict(int)
    pictures = annotated.pictures.values()
    for picture in pictures:
        for label in picture.labels:
            if label.category:
                categories[label.category] += 1
    return AnnotationGroup(
        format,
        folder,
        tuple(files),
        frozenset(picture_name(picture.file) for picture in pictures),
        dict(sorted(categories.items(), key=lambda item: (-item[1], item[0]))),
        sum(len(picture.labels) for picture in pictures),
        len(annotated.rejects),
    )


def _recognise_json(name: str, text: str) -> str | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    if isinstance(document, list):
        return _record_format(next(iter(document), None))
    return next((format for format, fits in _DOCUMENTS.items() if fits(document)), None) if isinstance(document, dict) else None


def _recognise_lines(name: str, text: str) -> str | None:
    try:
        return _record_format(json.loads(text.lstrip().splitlines()[0]))
    except (ValueError, IndexError):
        return None


def _record_format(record: Any) -> str | None:
    if not isinstance(record, dict):
        return None
    return "conversations" if isinstance(record.get("conversations") or record.get("messages"), list) else None


def _items(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    values = document.get(key)
    return [each for each in values[:SAMPLED] if isinstance(each, dict)] if isinstance(values, list) else []


def _is_coco(document: dict[str, Any]) -> bool:
    return bool(_items(document, "images")) and any(
        {"image_id", "bbox"} <= each.keys()
        or {"image_id", "segmentation"} <= each.keys()
        or {"image_id", "caption"} <= each.keys()
        for each in _items(document, "annotations")
    )


def _is_captions(document: dict[str, Any]) -> bool:
    if any("sentences" in each for each in _items(document, "images")):
        return True
    return any("raw" in each and "filename" in each for key in list(document)[:3] for each in _items(document, key))


def _is_rsvqa(document: dict[str, Any]) -> bool:
    return any("active" in each for key in ("questions", "answers", "images") for each in _items(document, key))


def _is_floodnet(document: dict[str, Any]) -> bool:
    first = next(iter(document.values()), None)
    return isinstance(first, dict) and {"Image_ID", "Question", "Ground_Truth"} <= first.keys()


_DOCUMENTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "coco": _is_coco,
    "captions": _is_captions,
    "rsvqa": _is_rsvqa,
    "floodnet": _is_floodnet,
}


def _recognise_xml(name: str, text: str) -> str | None:
    try:
        root = parse_xml(text)
    except XmlError:
        return None
    if root.tag != "annotation":
        return None
    objects = list(root.iter("object"))
    inside = {node.tag for each in objects for node in each}
    if "robndbox" in inside:
        return "rolabelimg"
    if root.find("objects") is not None:
        return "fair1m"
    if "description" in inside:
        return "dior_rsvg"
    # A picture without objects is a VOC file too, where others of its folder are.
    return "voc" if "bndbox" in inside or root.find("size") is not None else None


def _recognise_text(name: str, text: str) -> str | None:
    lines = [line.strip() for line in text.splitlines() if line.strip()][:SAMPLED]
    return next((format for format, fits in _LINE_FORMATS.items() if lines and all(fits(line) for line in lines)), None)


def _numbers(parts: list[str]) -> Iterator[float]:
    for part in parts:
        try:
            yield float(part)
        except ValueError:
            yield float("nan")


def _is_dota(line: str) -> bool:
    if line.lower().startswith(("imagesource:", "gsd:")):
        return True
    parts = line.split()
    return len(parts) in (9, 10) and all(number == number for number in _numbers(parts[:8])) and not _is_number(parts[8])


def _is_yolo(line: str, counts: tuple[int, ...]) -> bool:
    parts = line.split()
    is_class = bool(parts) and _is_number(parts[0]) and float(parts[0]).is_integer() and float(parts[0]) >= 0
    return is_class and len(parts) in counts and all(-0.01 <= number <= 1.01 for number in _numbers(parts[1:]))


def _is_number(text: str) -> bool:
    return next(_numbers([text])) == next(_numbers([text]))


_LINE_FORMATS: dict[str, Callable[[str], bool]] = {
    "dota": _is_dota,
    "yolo": lambda line: _is_yolo(line, (5,)),
    "yolo_obb": lambda line: _is_yolo(line, (9,)),
    "rsivqa": lambda line: bool(re.match(r"^[^:?]+\.(?:jpg|png|tif|tiff|bmp):.+\?.+", line, re.IGNORECASE)),
}


def _recognise_csv(name: str, text: str) -> str | None:
    header = [word.strip().lower() for word in next(csv.reader(io.StringIO(text)), [])]
    corners = {"xmin", "ymin", "xmax", "ymax"} <= set(header) or {"x_min", "y_min", "x_max", "y_max"} <= set(header)
    return "csv" if corners and any("image" in word or "file" in word for word in header) else None


_RECOGNISERS: dict[str, Callable[[str, str], str | None]] = {
    _JSON: _recognise_json,
    **dict.fromkeys(_LINES, _recognise_lines),
    _XML: _recognise_xml,
    _TEXT: _recognise_text,
    _CSV: _recognise_csv,
}
