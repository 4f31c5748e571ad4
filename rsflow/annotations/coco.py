"""COCO JSON: objects with boxes, polygons and masks, and COCO captions (https://cocodataset.org/#format-data).

The file's frame must be right, its records may be wrong. A file that is not JSON or has no `images` and `annotations`
is the user's mistake and stops the run; a record that is broken becomes a reject with its id, and its picture counts as
incompletely annotated.

What is read: `bbox` x, y, width, height; `segmentation` as rings, each a part of the object (what they share counts once, as
with COCO's own tools), or as a run-length mask, whose outline is kept with all its parts and holes (but not where all polygons
of a file are boxes: rsflow.annotations.parsing.coco_conventions); `caption`;
"difficult", "occluded", "truncated" and "ignore" that are true in the record or its `attributes`, as flags;
an image's "split". Accepted besides the standard: "filename" for "file_name" and "annotation" for "annotations" (both are how
HIT-UAV spells them, https://github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset). A `bbox` that is missing is taken from
the polygon or mask. A `bbox` of five numbers, cx, cy, width, height, angle, is an oriented box if the option `angle` says
which angle it is (rsflow.annotations.parsing.oriented_boxes.ANGLES); no file says so itself. An `iscrowd` record
outlines many objects at once: it is counted as a reject `crowd` and kept as an area flagged "crowd", so that its category alone
is neither counted nor denied there; where all records of a file are masks marked so (CVAT marks every mask) they are objects.
The option `crowds` (auto, areas, objects, reject) overrides this. Ids are compared by value: 1, 1.0 and "1" are one. `area` and
`score` are not kept, nor are keypoints, which one reject of the file counts. An image's `neg_category_ids` and
`not_exhaustive_category_ids` (https://www.lvisdataset.org/dataset) limit what it is complete for, and a category that is the
supercategory of another is neither counted nor taken for absent (rsflow.annotations.parsing.category_tree).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, merge_sets, picture_name, with_flag
from rsflow.annotations.parsing import coco_conventions
from rsflow.annotations.parsing.category_tree import CategoryTree, read_category_tree
from rsflow.annotations.parsing.mask_outlines import trace_outline
from rsflow.annotations.parsing.oriented_boxes import ANGLES, box_corners, convert_to_radians, ring_bounds
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.annotations.parsing.text_files import parse_flag, parse_identifier, read_json, shorten
from rsflow.errors import ConfigError, DataError, UsageError
from rsflow.files.data_paths import normalise_relative
from rsflow.records import Label, Provenance, Reject, Shape
from rsflow.spatial.geometry import Box, Parts
from rsflow.spatial.polygons import parts_bounds
from rsflow.spatial.run_lengths import decode_mask

_NUMERIC = frozenset({int, float})
_DECIMAL = re.compile(r"\s*-?[0-9]{1,12}(?:\.[0-9]*)?(?:[eE]-?[0-9])?\s*", re.ASCII)
_CROWDS = ("auto", "areas", "objects", "reject")
_POLYGONS = ("auto", *coco_conventions.POLYGON_MEANINGS)
_FLAGS = ("difficult", "occluded", "truncated", "ignore")
_FLAG_NAMES = frozenset(_FLAGS)


def read_coco(files: Sequence[str], *, angle: str = "", crowds: str = "auto", polygons: str = "auto") -> AnnotatedSet:
    """COCO files as one annotated set. UsageError where a file as a whole is not COCO, ConfigError for an unknown option."""
    for name, value, known in (("angle", angle, ("", *ANGLES)), ("crowds", crowds, _CROWDS), ("polygons", polygons, _POLYGONS)):
        if value not in known:
            raise ConfigError(f"annotations.options.{name} is {value!r}, expected one of {', '.join(filter(None, known))}")
    return merge_sets(part for file in files for part in _read_one(file, ANGLES.get(angle), crowds, polygons))


def _read_one(file: str, radians_of_one: float | None, crowds: str, polygons: str) -> Iterator[AnnotatedSet]:
    data = _document(file)
    origin = Provenance("annotation", posixpath.basename(file))
    if crowds == "auto":
        crowds = "objects" if coco_conventions.marks_every_mask_as_crowd(data["annotations"]) else "areas"
    meaning = coco_conventions.find_polygon_meaning(data["annotations"]) if polygons == "auto" else polygons
    reading = _Reading(file, _categories(data, file), origin, radians_of_one, crowds, meaning, read_category_tree(data))
    for index, entry in enumerate(data["images"]):
        reading.take_picture(index, entry)
    for index, record in enumerate(data["annotations"]):
        reading.take_record(index, record)
    reading.rejects += coco_conventions.keypoint_rejects(data["annotations"], file)
    return reading.parts()


@dataclass(slots=True)
class _Picture:
    """An entry of `images` while its labels are gathered."""

    file: str
    height_px: int | None
    width_px: int | None
    split: str | None
    stated: tuple[frozenset[str], frozenset[str]] | None = None  # LVIS: ids that are absent, that are not exhaustive
    labels: list[Label] = field(default_factory=list)
    complete: bool = True


@dataclass(slots=True)
class _Reading:
    file: str
    categories: dict[str, tuple[str, ...]]  # by id; several names where the file has an id several times
    provenance: Provenance
    radians_of_one: float | None  # unit of the angle of five-number boxes; None: they are not expected
    crowds: str  # what iscrowd records become: objects, areas (that are not counted) or reject
    polygons: str = "outlines"  # what they are: one of POLYGON_MEANINGS
    tree: CategoryTree = field(default_factory=CategoryTree)
    pictures: dict[str, _Picture] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)  # ids that stand for several pictures

    def take_picture(self, index: int, entry: Any) -> None:
        name = (entry.get("file_name") or entry.get("filename")) if isinstance(entry, dict) else None
        number = parse_identifier(entry.get("id")) if isinstance(entry, dict) else None
        if not isinstance(name, str) or number is None:
            found = f"found {shorten(entry)}, expected id, file_name, height and width"
            self._reject(f"images[{index}]", "broken_picture_entry", found)
            return
        try:
            normalise_relative(name)
        except DataError as error:
            self._reject(f"images[{index}]", error.reason, error.detail)
            return
        split = entry["split"] if isinstance(entry.get("split"), str) and entry["split"] else None
        size = (_size(entry.get("height")), _size(entry.get("width")))
        before = self.pictures.setdefault(number, _Picture(name, *size, split, _stated(entry)))
        if before.file != name:
            self.doubtful.add(number)
            for one in (name, before.file):
                found = f"the image id {number} stands for {before.file} and for {name}"
                self._reject(picture_name(one), "ambiguous_picture", found)

    def take_record(self, index: int, record: Any) -> None:
        subject = _subject(index, record)
        picture: _Picture | None = None
        try:
            picture = self._picture_of(record)
            picture.labels.append(self._label(subject, record, picture))
        except DataError as error:
            if picture:
                picture.complete = False
            self._reject(subject, error.reason, error.detail)

    def parts(self) -> Iterator[AnnotatedSet]:
        """The file as sets of one picture each: one picture may have several entries, and `merged` has the rule for that."""
        yield AnnotatedSet({}, self._names(), tuple(self.rejects))
        for number, p in self.pictures.items():
            if number not in self.doubtful:
                name, stated = picture_name(p.file), (p.height_px, p.width_px, tuple(p.labels), p.complete, p.split)
                one = AnnotatedPicture(name, p.file, *stated, annotation_file=self.file, vocabulary=self._vocabulary(p))
                yield AnnotatedSet({name: one})

    def _names(self) -> tuple[str, ...]:
        return tuple(name for several in self.categories.values() for name in several)

    def _vocabulary(self, picture: _Picture) -> tuple[str, ...] | None:
        """The categories that a picture is complete for; None where the file has no categories."""
        if not self.categories:
            return None
        present = {label.category for label in picture.labels if label.kind == "box"}
        if picture.stated is None:
            return self.tree.exhaustive_categories(self._names(), present)
        lacking, partial = ({name for n in ids for name in self.categories.get(n, ())} for ids in picture.stated)
        known = {name for name in self._names() if name in lacking or name in present}
        return self.tree.exhaustive_categories(known - partial, present)

    def _reject(self, subject: str, reason: str, detail: str) -> None:
        self.rejects.append(Reject("annotation", subject, reason, detail, self.file))

    def _picture_of(self, record: Any) -> _Picture:
        if not isinstance(record, dict):
            raise DataError("broken_record", f"found {shorten(record)}, expected an object with image_id")
        image = parse_identifier(record.get("image_id"))
        if image is None or image not in self.pictures:
            raise DataError("missing_picture_entry", f"image_id is {shorten(record.get('image_id'))}, which is no id in images")
        return self.pictures[image]

    def _label(self, subject: str, record: dict[str, Any], picture: _Picture) -> Label:
        if "caption" in record and "bbox" not in record:
            return Label("caption", "", self.provenance, text=_caption(record["caption"]))
        label = Label("box", self._category(record), self.provenance, self._shape(subject, record, picture))
        if not parse_flag(record.get("iscrowd")) or self.crowds == "objects":
            return label
        found = f"iscrowd marks several of {label.category!r} at once, not one object"
        option = "annotations.options.crowds=objects reads such records as objects (CVAT marks every mask so)"
        if self.crowds == "reject":
            raise DataError("crowd", f"{found}; {option}")
        self._reject(subject, "crowd", f"{found}: kept as an area in which {label.category!r} is not counted; {option}")
        return with_flag(label, "crowd")

    def _category(self, record: dict[str, Any]) -> str:
        names = self.categories.get(parse_identifier(record.get("category_id")) or "", ())
        if not names:
            raise DataError(
                "unknown_category", f"category_id is {shorten(record.get('category_id'))}, which is no id in categories"
            )
        if len(names) > 1:
            found = f"category_id {shorten(record.get('category_id'))} stands for {' and for '.join(map(repr, names))}"
            raise DataError("ambiguous_category", f"{found} in categories: give each an id of its own")
        return names[0]

    def _shape(self, subject: str, record: dict[str, Any], picture: _Picture) -> Shape:
        bbox, flags = record.get("bbox"), _flags(record)
        size = (picture.height_px, picture.width_px)
        if self.radians_of_one is not None and isinstance(bbox, list) and len(bbox) == 5 and _numbers(bbox):
            cx, cy, width, height, angle = map(float, bbox)
            ring = box_corners(cx, cy, width, height, convert_to_radians(angle, self.radians_of_one))
            return make_shape(ring_bounds(ring), ring, *size, oriented=True, flags=flags)
        parts: Parts = ()
        try:
            parts = _parts(record.get("segmentation"), size)
        except DataError as error:
            self._reject(subject, error.reason, f"{error.detail}; the box is kept")
        if self.polygons == "oriented_boxes" and (ring := coco_conventions.read_rectangle(record.get("segmentation"))):
            return make_shape(ring_bounds(ring), ring, *size, oriented=True, flags=flags)
        return make_shape(_box(bbox, parts), (), *size, flags=flags, parts=parts if self.polygons == "outlines" else ())


def _flags(record: dict[str, Any]) -> tuple[str, ...]:
    """The flags that are set in the record, or in the `attributes` of it that CVAT writes."""
    attributes = record.get("attributes")
    stated = [one for one in (record, attributes) if isinstance(one, dict) and not _FLAG_NAMES.isdisjoint(one)]
    if not stated:
        return ()
    return tuple(name for name in _FLAGS if any(parse_flag(one.get(name)) for one in stated))


def _document(file: str) -> dict[str, Any]:
    data = read_json(file, "coco")
    if isinstance(data, dict) and "annotations" not in data and "annotation" in data:
        data["annotations"] = data["annotation"]
    for key in ("images", "annotations"):
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            found = f"its keys are {', '.join(data)}" if isinstance(data, dict) else f"it holds a {type(data).__name__}"
            raise UsageError(f"{file}: has no list {key!r} ({found}); format coco needs images, annotations and categories")
    return dict(data)


def _stated(entry: dict[str, Any]) -> tuple[frozenset[str], frozenset[str]] | None:
    lists = [entry.get(name) for name in ("neg_category_ids", "not_exhaustive_category_ids")]
    if all(numbers is None for numbers in lists):
        return None
    lacking, partial = (frozenset(name for n in numbers or () if (name := parse_identifier(n))) for numbers in lists)
    return lacking, partial


def _categories(data: dict[str, Any], file: str) -> dict[str, tuple[str, ...]]:
    """Names by id; an entry without an id or a name is left out, so that its records are of an unknown category."""
    entries = data.get("categories", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{file}: categories is {shorten(entries)}, expected a list of entries with id and name")
    found: dict[str, dict[str, None]] = {}
    for entry in entries:
        number, name = parse_identifier(entry.get("id")), parse_identifier(entry.get("name"))  # a number names a class too
        if number and name:
            found.setdefault(number, {})[name] = None
    return {number: tuple(names) for number, names in found.items()}


def _caption(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise DataError("empty_caption", f"caption is {shorten(text)}, expected a sentence")
    return " ".join(text.split())


def _parts(segmentation: Any, size: tuple[int | None, int | None]) -> Parts:
    """The outline by rings, or of a run-length mask of the picture's size; empty where there is none. DataError where it is
    neither."""
    if not segmentation:
        return ()
    if isinstance(segmentation, dict):
        mask = decode_mask(segmentation)
        if (size[0] or mask.shape[0], size[1] or mask.shape[1]) != mask.shape:
            raise DataError("bad_rle", f"the mask has {mask.shape} rows and columns, its picture {size}")
        return trace_outline(mask)
    if isinstance(segmentation, list) and not any(isinstance(ring, list) for ring in segmentation):
        segmentation = [segmentation]  # one ring, written without the list of rings around it
    if not isinstance(segmentation, list) or not all(
        isinstance(ring, list) and len(ring) >= 6 and len(ring) % 2 == 0 and _numbers(ring) for ring in segmentation
    ):
        raise DataError("bad_polygon", f"segmentation is {shorten(segmentation)}, expected rings x, y, x, y, ...")
    return tuple((tuple(map(float, ring)),) for ring in segmentation)


def _box(bbox: Any, parts: Parts) -> Box:
    if bbox is None and parts:
        return parts_bounds(parts)
    if not isinstance(bbox, list) or len(bbox) != 4 or not _numbers(bbox):
        oriented = isinstance(bbox, list) and len(bbox) == 5
        hint = f" (five are an oriented box: say annotations.options.angle, {' or '.join(ANGLES)})" if oriented else ""
        raise DataError("bad_box", f"bbox is {shorten(bbox)}, expected four numbers x, y, width, height{hint}")
    x, y, width, height = map(float, bbox)
    return (x, y, x + width, y + height)


def _numbers(values: list[Any]) -> bool:
    """Numbers, or texts of numbers, of a size that coordinates have: no NaN, Infinity or integers without end."""
    if not {*map(type, values)} <= _NUMERIC:
        values = [float(one) if isinstance(one, str) and _DECIMAL.fullmatch(one) else one for one in values]
    return {*map(type, values)} <= _NUMERIC and all(-1e12 < value < 1e12 for value in values)  # NaN is in no range


def _size(value: Any) -> int | None:
    text = parse_identifier(value) or ""
    return int(text) if text.isdecimal() and 0 < int(text) < 10**12 else None


def _subject(index: int, record: Any) -> str:
    number = parse_identifier(record.get("id")) if isinstance(record, dict) else None
    return f"annotation {number}" if number else f"annotations[{index}]"
