"""What the samples of a snapshot are, counted from their records one after the other.

One idea: an accumulator of counters with the sample as its only input, so memory grows with the number of different values and
not with the number of samples (but for one pair of coordinates each, 16 bytes, for the map).
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsflow.text.turns import replace_marks

POSITION_CELLS = 16  # of a picture's width and height, for the positions of boxes
SHARE_STEP = 0.1  # answers that are shares are counted in steps of this width
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

Record = Mapping[str, Any]


@dataclass
class SampleCounts:
    """Counters of what was added. Keys are tuples in the order that the comment says."""

    samples: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # split, sensor, source
    instructions: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # split, task, sensor
    objects: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # category, sensor, split
    object_origins: Counter[str] = field(default_factory=Counter)
    sizes_px: Counter[tuple[str, int]] = field(default_factory=Counter)  # sensor, step of `size_step`
    sizes_m: Counter[tuple[str, int]] = field(default_factory=Counter)
    positions: Counter[tuple[int, int]] = field(default_factory=Counter)  # row and column of the cell of a box's centre
    objects_per_sample: Counter[int] = field(default_factory=Counter)
    words: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # task, role, words of a turn
    vocabulary: Counter[str] = field(default_factory=Counter)  # of answers, lower case
    answers: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # question kind, category or fact, answer
    generators: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    attributions: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)  # 2024-05; "" where no date is known
    gsd: Counter[tuple[str, int]] = field(default_factory=Counter)  # sensor, step of metres per pixel; -1000: not known
    places: dict[str, array[float]] = field(default_factory=lambda: defaultdict(lambda: array("d")))  # split: lon, lat, …
    unplaced: int = 0  # samples without a footprint

    def add(self, record: Record) -> None:
        """Count one sample's record."""
        split, sensor = record["split"], record["sensor"]
        self.samples[split, sensor, record["source"]] += 1
        self.licences[record["licence"]] += 1
        self.attributions.update(record.get("attribution") or ())
        self.months[(record["acquired_at"] or "")[:7]] += 1
        self.gsd[sensor, size_step(record["gsd_m"])] += 1
        self._add_place(split, record["footprint"])
        objects = record.get("objects") or ()
        self.objects_per_sample[len(objects)] += 1
        for each in objects:
            self._add_object(record, each)
        for instruction in record["instructions"]:
            self._add_instruction(split, sensor, instruction)

    def _add_place(self, split: str, footprint: Sequence[float] | None) -> None:
        if footprint:
            lons, lats = footprint[::2], footprint[1::2]
            self.places[split].extend(((min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2))
        else:
            self.unplaced += 1

    def _add_object(self, record: Record, each: Mapping[str, Any]) -> None:
        sensor, (x0, y0, x1, y1) = record["sensor"], each["box"]
        self.objects[each["category"], sensor, record["split"]] += 1
        self.object_origins[each["origin"]] += 1
        width, height = x1 - x0, y1 - y0
        self.sizes_px[sensor, size_step(math.sqrt(width * height))] += 1
        metres = record.get("pixel_m") or ([record["gsd_m"]] * 2 if record["gsd_m"] else None)
        if metres:
            self.sizes_m[sensor, size_step(math.sqrt(width * height * metres[0] * metres[1]))] += 1
        self.positions[_cell((y0 + y1) / 2, record["height_px"]), _cell((x0 + x1) / 2, record["width_px"])] += 1

    def _add_instruction(self, split: str, sensor: str, instruction: Mapping[str, Any]) -> None:
        self.instructions[split, instruction["task"], sensor] += 1
        self.generators[instruction["generator"]] += 1
        for turn in instruction["turns"]:
            words = [word.lower() for word in _WORD.findall(replace_marks(turn["text"], lambda mark: mark.phrase))]
            self.words[instruction["task"], turn["role"], len(words)] += 1
            if turn["role"] == "assistant":
                self.vocabulary.update(words)
        for answer in _answers(instruction["answer"]):
            self.answers[answer["kind"], answer.get("category") or answer.get("name") or "", _answer_text(answer)] += 1


def size_step(value: float | None) -> int:
    """The half octave of a length: step n is from 2^(n/2) up to 2^((n+1)/2); -1000 where it is not known or not positive."""
    return math.floor(2 * math.log2(value)) if value and value > 0 else -1000


def _cell(centre: float, size: int) -> int:
    return min(POSITION_CELLS - 1, max(0, int(centre / size * POSITION_CELLS)))


def _answers(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The structured answers of an instruction that have a value: its own, and those of earlier turns."""
    for each in (*answer.get("earlier", ()), answer):
        if "value" in each:
            yield each


def _answer_text(answer: Mapping[str, Any]) -> str:
    value = answer["value"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if answer["kind"] == "share" and isinstance(value, (int, float)):
        low = min(int(value / SHARE_STEP), round(1 / SHARE_STEP) - 1) * SHARE_STEP
        return f"{low:.0%} to {low + SHARE_STEP:.0%}"
    return f"{value:g}" if isinstance(value, float) else str(value)
