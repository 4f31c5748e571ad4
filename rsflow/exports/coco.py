"""COCO JSON: `instances_<split>.json` for detectors and `captions_<split>.json` (https://cocodataset.org/#format-data).

One idea: shards hold instructions, so a picture's objects are those that its instructions name by category: the answers of
detection and region captioning. A picture with more objects than an answer may list has none here: count on what is annotated,
never on what is not. An oriented box is a polygon in `segmentation` and its hull in `bbox`.

Numbers (image, category, licence ids) are given in order of appearance, which follows from the snapshot alone. The annotations
wait in a temporary file, not in memory, for COCO wants them after the pictures.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any

from rsflow import storage
from rsflow.exports.contract import Job, Record, regions
from rsflow.exports.json_files import lines, separated
from rsflow.exports.pictures import FILE, picture_record
from rsflow.geometry import Region, area, hull, ring_area
from rsflow.shards.format import Sample

DIALECT = "pixels"
OBJECT_TASKS = frozenset(["detection", "region_captioning"])

_KINDS = ("instances", "captions")


def top_level(splits: Sequence[str]) -> list[str]:
    return ["images", FILE, *(f"{kind}_{split}.json" for split in splits for kind in _KINDS)]


def write(job: Job) -> None:
    with lines(job.place(FILE)) as tell:
        for split in job.splits:
            with ExitStack() as whole:
                objects, captions = (whole.enter_context(_document(job, kind, split)) for kind in _KINDS)
                for sample in job.samples(split):
                    fit = [instruction for instruction, _ in job.instructions(sample)]
                    if fit:
                        path = job.write_picture(split, sample)
                        tell(picture_record(path, split, sample))
                        job.tally.records += _put(objects, sample, path, _objects(sample, fit))
                        job.tally.records += _put(captions, sample, path, _captions(fit))


def _document(job: Job, kind: str, split: str) -> _Document:
    return _Document(job.place(f"{kind}_{split}.json"), categorised=kind == "instances")


def _put(document: _Document, sample: Sample, path: str, annotations: Iterator[Record]) -> int:
    image = document.add_image(path, sample)
    count = 0
    for annotation in annotations:
        document.add(image, annotation)
        count += 1
    return count


def _objects(sample: Sample, fit: Sequence[Record]) -> Iterator[Record]:
    """The distinct (category, box) pairs that the instructions name, in their order."""
    seen: set[tuple[str, Region]] = set()
    for instruction in fit:
        if instruction["task"] in OBJECT_TASKS:
            boxes = regions(instruction["boxes"], sample.record["height_px"], sample.record["width_px"])
            for category, index in _named(instruction["answer"]):
                if (category, boxes[index]) not in seen:
                    seen.add((category, boxes[index]))
                    yield {"category": category, **_shape(boxes[index])}


def _named(answer: Record) -> Iterator[tuple[str, int]]:
    """(category, index of a box) of everything that an answer names."""
    for group in answer.get("groups", [answer]):
        for index in group.get("boxes", [group["box"]] if "box" in group else []):
            yield group["category"], index


def _shape(region: Region) -> Record:
    x0, y0, x1, y1 = hull(region)
    whole = {"bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0}
    if len(region) == 8:
        return {**whole, "area": ring_area(region), "segmentation": [list(region)]}
    return {**whole, "area": area(region), "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]]}


def _captions(fit: Sequence[Record]) -> Iterator[Record]:
    for instruction in fit:
        if instruction["task"] == "captioning":
            yield {"caption": instruction["turns"][-1]["text"]}


@dataclass
class _Document:
    """One COCO file while it is written: pictures go straight to it, annotations to a temporary file until its end."""

    place: str
    categorised: bool
    images: int = 0
    annotations: int = 0
    categories: dict[str, int] = field(default_factory=dict)
    licences: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> _Document:
        self._stack = ExitStack()
        self._stream: IO[bytes] = self._stack.enter_context(storage.create(self.place))
        self._later: IO[bytes] = self._stack.enter_context(tempfile.TemporaryFile())
        self._stream.write(b'{"images": [')
        self._image, self._annotation = separated(self._stream), separated(self._later)
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._finish()
        self._stack.__exit__(*error)

    def add_image(self, path: str, sample: Sample) -> int:
        self.images += 1
        licence = self.licences.setdefault(sample.record["licence"], len(self.licences) + 1)
        size = {"height": sample.record["height_px"], "width": sample.record["width_px"]}
        self._image({"id": self.images, "file_name": path, **size, "license": licence})
        return self.images

    def add(self, image: int, annotation: Record) -> None:
        self.annotations += 1
        named = annotation.pop("category", None)
        number = {"category_id": self.categories.setdefault(named, len(self.categories) + 1)} if named else {}
        self._annotation({"id": self.annotations, "image_id": image, **number, **annotation})

    def _finish(self) -> None:
        self._stream.write(b'\n],\n"annotations": [')
        self._later.seek(0)
        shutil.copyfileobj(self._later, self._stream)
        named: dict[str, Any] = {"licenses": [{"id": number, "name": name} for name, number in self.licences.items()]}
        # pycocotools takes `categories` for the promise that every annotation has one: captions have none.
        if self.categorised:
            named["categories"] = [{"id": number, "name": name} for name, number in self.categories.items()]
        self._stream.write(b"\n],\n" + json.dumps(named, ensure_ascii=False)[1:].encode() + b"\n")
