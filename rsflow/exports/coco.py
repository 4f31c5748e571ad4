"""COCO JSON: `instances_<split>.json` for detectors and `captions_<split>.json` (https://cocodataset.org/#format-data).

One idea: a picture's objects are its labels, each once, whatever its texts name. `segmentation` is the outline: rings, one
per part, or uncompressed runs of pixels for holes and crowds; empty where only the box is known. A crowd is `iscrowd`, other
flags ("difficult", "occluded", ...) are keys of that name. Objects that labellers found are written only where
`pseudo_labels` asks for them, with their `score`. A picture that nobody annotated is not in `instances`, where it
would count as one without objects. One that was searched for some of the categories only says which, as LVIS
does (https://www.lvisdataset.org/dataset): `neg_category_ids`, searched and absent, and `not_exhaustive_category_ids`, of
which it may show more than are annotated; all other categories that it has no object of are unknown there.

Categories are numbered once, in the order of their names, over all splits of the snapshot; image and licence ids in order of
appearance. The annotations wait in a temporary file, not in memory, for COCO wants them after the pictures.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from shapely.geometry import mapping

from rsflow.errors import UsageError
from rsflow.exports.contract import ExportJob, Record
from rsflow.exports.writing.json_files import array_writer, json_lines
from rsflow.exports.writing.pictures_jsonl import FILE, picture_record
from rsflow.files import storage
from rsflow.shards.format import Sample
from rsflow.shards.reader import ShardReader
from rsflow.spatial.geometry import Parts, area
from rsflow.spatial.polygons import parts_area, to_geometry
from rsflow.text.control_tokens import neutralise

DIALECT = "pixels"

_KINDS = ("instances", "captions")


def top_level(splits: Sequence[str]) -> list[str]:
    return ["images", FILE, *(f"{kind}_{split}.json" for split in splits for kind in _KINDS)]


def write(job: ExportJob) -> None:
    numbers = {name: number for number, name in enumerate(_categories(job), 1)}
    with json_lines(job.place(FILE)) as write_picture_line:
        for split in job.splits:
            with ExitStack() as whole:
                instances, captions = (whole.enter_context(_document(job, kind, split, numbers)) for kind in _KINDS)
                for sample in job.samples(split):
                    path = job.write_picture(split, sample)
                    write_picture_line(picture_record(path, split, sample, job.write_companions(split, sample)))
                    texts = [instruction for instruction, _ in job.instructions(sample)]
                    job.tally.records += _write_annotations(captions, {}, sample, path, _captions(texts))
                    job.tally.records += _write_instances(job, instances, numbers, sample, path)


def _write_instances(job: ExportJob, document: _Document, numbers: dict[str, int], sample: Sample, path: str) -> int:
    """Returns how many objects were written. Without a list of what is whole, a picture without objects is not one that shows
    none: it is left out."""
    objects, vocabulary = list(_objects(job, sample)), set(map(neutralise, sample.record["vocabulary"]))
    job.tally.notes["pseudo_labels_left_out"] += len(sample.record["objects"]) - len(objects)
    if not objects and not vocabulary:
        job.tally.notes["pictures_not_annotated"] += 1
        return 0
    present = {thing["category"] for thing in objects}
    marks: Record = {}
    if not numbers.keys() <= vocabulary:
        job.tally.notes["pictures_incompletely_annotated"] += 1
        marks = {
            "neg_category_ids": sorted(numbers[name] for name in vocabulary & numbers.keys() - present),
            "not_exhaustive_category_ids": sorted(numbers[name] for name in present - vocabulary),
        }
    return _write_annotations(document, marks, sample, path, map(_object, _sized(sample, objects)))


def _objects(job: ExportJob, sample: Sample) -> Iterator[Record]:
    """The sample's objects as far as they are exported, categories without special tokens."""
    for thing in sample.record["objects"]:
        if job.pseudo_labels or thing["origin"] == "annotation":
            yield {**thing, "category": neutralise(thing["category"])}


def _categories(job: ExportJob) -> list[str]:
    """The categories of every split of the snapshot, sorted: numbers mean the same in all files, whichever are requested. Also
    those that were searched for and never found."""
    found: set[str] = set()
    for shards in job.all_splits.values():
        for shard in shards.shards:
            for sample in ShardReader(job.root, shard):
                if "objects" not in sample.record:
                    raise UsageError(
                        f"{shard.path}: was written before samples held their objects, which COCO is made from: "
                        "run `rsflow build` again, then export"
                    )
                found.update(thing["category"] for thing in _objects(job, sample))
                found.update(map(neutralise, sample.record["vocabulary"]))
    return sorted(found)


def _document(job: ExportJob, kind: str, split: str, numbers: dict[str, int]) -> _Document:
    return _Document(job.place(f"{kind}_{split}.json"), numbers if kind == "instances" else None)


def _write_annotations(document: _Document, marks: Record, sample: Sample, path: str, annotations: Iterator[Record]) -> int:
    image = document.add_image(path, sample, marks)
    count = 0
    for annotation in annotations:
        document.add(image, annotation)
        count += 1
    return count


def _sized(sample: Sample, objects: Sequence[Record]) -> Iterator[Record]:
    height_px, width_px = sample.record["height_px"], sample.record["width_px"]
    return ({**thing, "size": (height_px, width_px)} for thing in objects)


def _object(thing: Record) -> Record:
    """An object's annotation. `area` is that of its outline without holes, of its box where it has none."""
    x0, y0, x1, y1 = box = tuple(thing["box"])
    parts = tuple(tuple(map(tuple, part)) for part in thing.get("parts", ()))
    flags = set(thing.get("flags", ()))
    return {
        "category": thing["category"],
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": parts_area(parts) if parts else area(box),
        "segmentation": _segmentation(parts, thing["size"], "crowd" in flags),
        "iscrowd": int("crowd" in flags),
        **dict.fromkeys(sorted(flags - {"crowd"}), 1),
        **({"visibility": thing["visibility"]} if thing["visibility"] < 1 else {}),
        **({"score": thing["score"]} if "score" in thing else {}),
    }


def _segmentation(parts: Parts, size: tuple[int, int], crowd: bool) -> list[list[float]] | Record:
    """Rings, or runs of pixels where rings cannot say it (holes) or COCO asks for runs (crowds); empty for a box alone."""
    if not parts or not (crowd or any(len(part) > 1 for part in parts)):
        return [list(part[0]) for part in parts]
    from rasterio.features import rasterize

    mask = rasterize([(mapping(to_geometry(parts)), 1)], size, dtype="uint8")
    flat = np.concatenate([[0], mask.T.ravel(), [2]])
    changes = np.flatnonzero(np.diff(flat))
    return {"size": list(size), "counts": np.diff([0, *changes]).tolist()}


def _captions(texts: Sequence[Record]) -> Iterator[Record]:
    for instruction in texts:
        if instruction["task"] == "captioning":
            yield {"caption": instruction["turns"][-1]["text"]}


@dataclass
class _Document:
    """One COCO file while it is written: pictures go straight to it, annotations to a temporary file until its end."""

    place: str
    categories: dict[str, int] | None  # None: its annotations have none
    images: int = 0
    annotations: int = 0
    licences: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> _Document:
        self._stack = ExitStack()
        self._stream: IO[bytes] = self._stack.enter_context(storage.create(self.place))
        self._later: IO[bytes] = self._stack.enter_context(tempfile.TemporaryFile())
        self._stream.write(b'{"images": [')
        self._image, self._annotation = array_writer(self._stream), array_writer(self._later)
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._finish()
        self._stack.__exit__(*error)

    def add_image(self, path: str, sample: Sample, marks: Record) -> int:
        self.images += 1
        licence = self.licences.setdefault(sample.record["licence"], len(self.licences) + 1)
        size = {"height": sample.record["height_px"], "width": sample.record["width_px"]}
        self._image({"id": self.images, "file_name": path, **size, "license": licence, **marks})
        return self.images

    def add(self, image: int, annotation: Record) -> None:
        self.annotations += 1
        named = annotation.pop("category", None)
        number = {"category_id": self.categories[named]} if self.categories else {}
        self._annotation({"id": self.annotations, "image_id": image, **number, **annotation})

    def _finish(self) -> None:
        self._stream.write(b'\n],\n"annotations": [')
        self._later.seek(0)
        shutil.copyfileobj(self._later, self._stream)
        named: dict[str, Any] = {"licenses": [{"id": number, "name": name} for name, number in self.licences.items()]}
        # pycocotools takes `categories` for the promise that every annotation has one: captions have none.
        if self.categories is not None:
            named["categories"] = [{"id": number, "name": name} for name, number in self.categories.items()]
        self._stream.write(b"\n],\n" + json.dumps(named, ensure_ascii=False)[1:].encode() + b"\n")
