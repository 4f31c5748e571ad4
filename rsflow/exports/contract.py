"""What an export is made of: the samples of a split, shard by shard, and the checks that every instruction passes.

One idea: an export is a reading of shards and nothing else, so it can be made wherever a snapshot can be read, holds one sample
in memory at a time, and is the same bytes for the same snapshot.

The coordinate contract is checked here: boxes are finite, have an area, lie on their picture and keep an area once a dialect
has rounded them. What breaks it is left out and counted by reason; nothing is repaired.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rsflow.dialects import Dialect, spell_text
from rsflow.dialects.spelling.several_pictures import spell_on_pictures
from rsflow.errors import DataError
from rsflow.exports.writing.notes import Tally
from rsflow.files import storage
from rsflow.shards.format import BANDS, Sample, picture_sizes
from rsflow.shards.manifest import Split
from rsflow.shards.reader import ShardReader
from rsflow.spatial.geometry import Region, area, bounding_box, ring_area, to_quad
from rsflow.text.control_tokens import neutralise_instruction
from rsflow.text.turns import mark

TOLERANCE_PX = 0.01  # what arithmetic on floats may put beyond the picture's edge

Record = dict[str, Any]
SpelledInstruction = tuple[Record, list[tuple[str, str]]]  # with its turns as (role, text in the dialect)


class Export(Protocol):
    """A module of this folder. `DIALECT` spells its boxes unless another is requested. One that sets `HOLDS_GROUPS` gets
    groups of several pictures too, else they are left out and counted."""

    DIALECT: str

    def top_level(self, splits: Sequence[str]) -> list[str]:
        """The files and folders directly in the output folder that `write` makes for these splits."""
        ...

    def write(self, job: ExportJob) -> None:
        """Write all splits of the job, counting into its `tally`."""
        ...


@dataclass(frozen=True)
class ExportJob:
    """One export: from the snapshot's `splits` below `root` to the folder `out`, boxes spelled by `dialect`.

    `on_sample` is called after every sample, to show progress. `all_splits`: those of the whole snapshot. `pseudo_labels`:
    whether forms of objects hold those that labellers found. `snapshot`: its digest. `holds_groups`: whether the form holds
    groups of several pictures.
    """

    root: str
    out: str
    splits: dict[str, Split]
    dialect: Dialect
    on_sample: Callable[[], None]
    all_splits: dict[str, Split]
    pseudo_labels: bool = False
    snapshot: str = ""
    holds_groups: bool = False
    tally: Tally = field(default_factory=Tally)

    def samples(self, split: str) -> Iterator[Sample]:
        """The split's samples, shard after shard, in key order within one."""
        for number in range(len(self.splits[split].shards)):
            yield from self.shard(split, number)

    def shard(self, split: str, number: int) -> Iterator[Sample]:
        """The samples of one shard of the split."""
        for sample in ShardReader(self.root, self.splits[split].shards[number]):
            if sample.record.get("group") and not self.holds_groups:
                self.tally.notes["groups_left_out"] += 1
            else:
                self.tally.notes["samples_to_repeat"] += sample.record.get("repeat", 1) > 1
                yield sample
            self.on_sample()

    def with_texts(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, list[SpelledInstruction]]]:
        """Those that have instructions which can be exported, with these; the others are counted."""
        for sample in samples:
            if instructions := list(self.instructions(sample)):
                yield sample, instructions
            else:
                self.tally.notes["pictures_without_texts"] += 1

    def place(self, *parts: str) -> str:
        return storage.join(self.out, *parts)

    def write_picture(self, split: str, sample: Sample) -> str:
        """Write the sample's picture as it is, byte for byte; returns its path relative to the output folder."""
        # 256 folders a split: file systems and their users suffer from a million files in one.
        path = f"images/{split}/{sample.key[:2]}/{sample.key}.{sample.picture_format}"
        storage.write_bytes(self.place(path), sample.picture)
        self.tally.pictures += 1
        return path

    def write_companions(self, split: str, sample: Sample) -> list[Record]:
        """Write the pictures of other sensors next to the sample's own; returns what is known of each, with its path."""
        found = []
        for extension, data, known in self.companions(sample):
            path = f"images/{split}/{sample.key[:2]}/{sample.key}.{extension}"
            storage.write_bytes(self.place(path), data)
            found.append({**known, "image": path})
        return found

    def companions(self, sample: Sample) -> Iterator[tuple[str, bytes, Record]]:
        """As `companion_pictures`, for forms without a place for raw bands: these are counted."""
        self.tally.notes["raw_bands_left_out"] += BANDS in sample.others
        return self.companion_pictures(sample)

    def companion_pictures(self, sample: Sample) -> Iterator[tuple[str, bytes, Record]]:
        """(extension, encoded picture, what is known of it) of each further picture, in their order."""
        for extension, known in sample.further_pictures():
            self.tally.notes["group_pictures" if sample.record.get("group") else "companions"] += 1
            yield extension, sample.others[extension], known

    def instructions(self, sample: Sample) -> Iterator[SpelledInstruction]:
        """The sample's valid instructions, each with its turns as (role, text in the dialect).

        Turns and answers are without special tokens. They go before boxes are spelled, which have tokens of the family's own.
        """
        sizes = picture_sizes(sample.record)
        for instruction in sample.record["instructions"]:
            try:
                plain, changed = neutralise_instruction(instruction)
                pictures = instruction.get("box_pictures") or [0] * len(instruction["boxes"])
                boxes = check_boxes(instruction["boxes"], [sizes[picture] for picture in pictures])
                turns = spell_turns(plain["turns"], boxes, plain["answer"], self.dialect, pictures, sizes)
            except DataError as error:
                self.tally.left_out[error.reason] += 1
                continue
            self.tally.notes["neutralised"] += changed
            yield plain, turns


def check_boxes(boxes: Sequence[Sequence[float]], sizes: Sequence[tuple[int, int]]) -> list[Region]:
    """The boxes of an instruction, checked against the (height, width) of the picture of each. DataError `box_not_a_number`,
    `box_empty` or `box_outside`."""
    return [_region(box, *size) for box, size in zip(boxes, sizes, strict=True)]


def spell_turns(
    turns: Sequence[Record],
    boxes: Sequence[Region],
    answer: Record,
    dialect: Dialect,
    pictures: Sequence[int],
    sizes: Sequence[tuple[int, int]],
) -> list[tuple[str, str]]:
    """Turns as (role, text). `pictures`: of each box its picture; `sizes`: (height, width) of each picture.

    DataError `turns` where they do not alternate, `box_collapses` where rounding leaves no area.
    """
    roles = [turn["role"] for turn in turns]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise DataError("turns", f"the roles are {roles}, expected user, assistant, user, …")
    for box, picture in zip(boxes, pictures, strict=True):
        _, back = dialect.parse(dialect.spell(mark("", 0), [box], *sizes[picture]), *sizes[picture])
        if not back or not _area(back[0]) > 0:
            raise DataError("box_collapses", f"{list(box)} has no area left once it is spelled")

    def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
        return spell_text(dialect, text, boxes, answer, height_px, width_px)

    if any(pictures):
        return [(turn["role"], spell_on_pictures(spell, turn["text"], boxes, pictures, sizes)) for turn in turns]
    return [(turn["role"], spell(turn["text"], boxes, *sizes[0])) for turn in turns]


def _region(box: Sequence[float], height_px: int, width_px: int) -> Region:
    if len(box) not in {4, 8} or not all(map(math.isfinite, box)):
        raise DataError("box_not_a_number", f"found {list(box)}, expected four or eight finite numbers")
    region: Region = to_quad(box) if len(box) == 8 else (box[0], box[1], box[2], box[3])
    if not _area(region) > 0:
        raise DataError("box_empty", f"found {list(box)}: it has no area")
    x0, y0, x1, y1 = bounding_box(region)
    # An oriented box may reach beyond the picture with a corner, as the object's rectangle does; its middle may not.
    if len(box) == 8:
        x0 = x1 = (x0 + x1) / 2
        y0 = y1 = (y0 + y1) / 2
    if min(x0, y0) < -TOLERANCE_PX or x1 > width_px + TOLERANCE_PX or y1 > height_px + TOLERANCE_PX:
        raise DataError("box_outside", f"found {list(box)} on a picture of {height_px} rows, {width_px} columns")
    return region


def _area(region: Region) -> float:
    return area(region) if len(region) == 4 else ring_area(region)
