"""Chosen samples become a shard: pictures and raw bands drawn by row group from many tile files, records made from the columns.

A shard is written in one task, streamed and renamed when whole; its name was decided by the plan, so a second attempt writes
the same bytes under the same name.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.errors import DamagedFileError
from rsflow.files import storage
from rsflow.lake.tile_files import read_pictures, read_raw
from rsflow.schemas import SHARDS
from rsflow.shards.format import BANDS, MASKS, Sample, picture_name
from rsflow.shards.masks import encode_masks
from rsflow.shards.writer import write_shard
from rsflow.stage import BatchFunction, Resources, over_rows
from rsflow.stages.shard.sample_record import (
    companion_record,
    digest,
    group_record,
    instruction_record,
    object_record,
    tile_record,
)
from rsflow.tiles.encode import decode, encode
from rsflow.tiles.number_marks import draw_marks


@dataclass(frozen=True, slots=True)
class WriteShards:
    """SHARD_WORK rows in, one SHARDS row out per row: the tar and its index are then whole at their places."""

    root: str
    masks: bool = False  # whether samples with segmentation answers hold their masks
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 2

    def open(self) -> BatchFunction:
        return over_rows(self._shard)

    def _shard(self, work: dict[str, Any]) -> pa.Table:
        place = storage.join(self.root, work["path"])
        info = write_shard(place, index_path(place), self._samples(work))
        row = {
            **{name: work[name] for name in ("path", "split")},
            "instructions": len(work["instructions"]),
            **{name: getattr(info, name) for name in ("samples", "bytes", "sha256", "index_bytes", "index_sha256")},
        }
        return pa.Table.from_pylist([row], schema=SHARDS)

    def _samples(self, work: dict[str, Any]) -> Iterator[Sample]:
        instructions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in sorted(work["instructions"], key=lambda row: str(row["instruction_id"])):
            instructions[row["tile_id"]].append(instruction_record(row))
        companions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in work["companions"]:
            companions[row["companion_of"]].append(row)
        objects: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in work["objects"]:
            objects[row["tile_id"]].append(object_record(row))
        pictures = read_pictures(self.root, [*map(_with_picture_tile, work["tiles"]), *work["companions"]])
        raws = read_raw(self.root, [tile for tile in work["tiles"] if tile["raw"]])
        for tile in sorted(work["tiles"], key=lambda tile: str(tile["key"])):
            mine, shown_with = instructions[tile["tile_id"]], companions[tile["tile_id"]]
            repeat = {"repeat": tile["repeat"]} if (tile["repeat"] or 1) > 1 else {}
            raw = raws.get(tile["tile_id"])
            own = tile_record(tile, raw.invalid if raw else ())
            if digest(own) != tile["digest"]:
                place = storage.join(self.root, tile["file"])
                raise DamagedFileError(f"{place}: is damaged ({tile['tile_id']} is not what was committed): build again")
            record = {
                **own,
                **group_record(tile),
                **({"companions": [companion_record(other) for other in shown_with]} if shown_with else {}),
                **repeat,
                "split": work["split"],
                "instructions": mine,
                "objects": objects[tile["tile_id"]],
                "vocabulary": tile["vocabulary"] or [],
            }
            others = {f"{picture_name(other)}.{other['picture_format']}": pictures[other["tile_id"]] for other in shown_with}
            others |= {BANDS: raw.bands} if raw else {}
            if self.masks and (encoded := encode_masks(record)):
                others |= {MASKS: encoded}
            picture = pictures[_with_picture_tile(tile)["tile_id"]]
            yield _with_marks(Sample(tile["key"], picture, tile["picture_format"], record, others))


def _with_marks(sample: Sample) -> Sample:
    """The sample with the numbered marks of its instructions drawn on its picture, as PNG; as it is where none has marks.

    All instructions of a tile with marks have the same ones (rsflow.instructions.facts.given_regions).
    """
    answers = [one["answer"] for one in sample.record["instructions"] if "marks" in one["answer"]]
    if not answers:
        return sample
    boxes, badges = answers[0]["marks"], answers[0]["badges"]
    picture = encode(draw_marks(decode(sample.picture), boxes, badges), "png")
    record = sample.record | {"marks": boxes, "picture_sha256": hashlib.sha256(picture).hexdigest()}
    return Sample(sample.key, picture, "png", record, sample.others)


def _with_picture_tile(tile: dict[str, Any]) -> dict[str, Any]:
    """The row under the id of the tile whose picture comes first: its own, or that of a group's first member."""
    return {**tile, "tile_id": tile["group"]["tile_id"]} if tile["group"] else tile


def index_path(shard: str) -> str:
    """Where the index of a shard lies: beside it, with `.idx` for `.tar`."""
    return shard.removesuffix(".tar") + ".idx"
