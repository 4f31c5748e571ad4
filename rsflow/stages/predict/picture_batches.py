"""The written pictures of many units as batches for a model: read, decoded, gathered by size, prepared, one batch ahead.

One idea: a batch knows no units, and its pictures are of one size, so nothing is ever padded and a unit of one tiny picture
costs no more than its share. Reading, decoding and the model's own preparation of the next batch go on in a thread while the
model works on this one.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from rsflow.errors import DataError
from rsflow.labellers.models.model_labeller import LabellerInput, ModelLabeller
from rsflow.labellers.models.oom_backoff import OomBackoff
from rsflow.lake.raw_bands import as_physical, stored_raster
from rsflow.lake.tile_files import read_pictures, read_raw
from rsflow.schemas import label_from_row, label_sort_key
from rsflow.tiles.encode import decode

T = TypeVar("T")

Kind = tuple[str, tuple[int, ...]]  # sensor and shape: prompts may name the sensor, and another prompt has another length

GATHERED_BATCHES = 4  # so many batches of pixels may wait for others of their size; then the most go as they are


class Picture(NamedTuple):
    """One tile of the unit in row `unit` of the table."""

    unit: int
    tile_id: str
    input: LabellerInput


class Batch(NamedTuple):
    """Pictures of one kind and what the model takes of them (see Careful.prepare)."""

    pictures: list[Picture]
    prepared: Any


class Unreadable(NamedTuple):
    unit: int
    tile_id: str
    error: DataError


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a batch, which has at least one picture whatever they are."""

    rows: int
    pixels: int

    def most(self, kind: Kind) -> int:
        return max(1, min(self.rows, self.pixels // area_px(kind)))


def area_px(kind: Kind) -> int:
    return kind[1][0] * kind[1][1]


def batches(
    units: list[dict[str, Any]], root: str, labeller: ModelLabeller, backoff: OomBackoff
) -> Iterator[Batch | Unreadable]:
    """The pictures of PICTURE_WORK rows, each once: a batch when it is full, the rest at the end."""
    limits = Limits(labeller.batch_rows, labeller.batch_pixels)
    gathered: dict[Kind, list[Picture]] = defaultdict(list)
    waiting_px = 0
    for number, work in enumerate(units):
        for one in _pictures(number, work, root, labeller):
            if isinstance(one, Unreadable):
                yield one
                continue
            kind: Kind = (one.input.sensor, one.input.picture.shape)
            gathered[kind].append(one)
            waiting_px += area_px(kind)
            if waiting_px > GATHERED_BATCHES * limits.pixels:
                kind = max(gathered, key=lambda name: len(gathered[name]) * area_px(name))
            elif len(gathered[kind]) < limits.most(kind):
                continue
            full = gathered.pop(kind)
            waiting_px -= len(full) * area_px(kind)
            yield _prepared(full, backoff)
    for rest in gathered.values():
        yield _prepared(rest, backoff)


def _prepared(pictures: list[Picture], backoff: OomBackoff) -> Batch:
    return Batch(pictures, backoff.prepare([one.input for one in pictures]))


def _pictures(number: int, work: dict[str, Any], root: str, labeller: ModelLabeller) -> Iterator[Picture | Unreadable]:
    labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(work["labels"] or (), key=lambda row: label_sort_key(row["label_id"])):
        labels[row["tile_id"]].append(row)
    encoded = read_pictures(root, work["tiles"])
    raws = read_raw(root, [tile for tile in work["tiles"] if tile["raw"] and _wants_raster(tile, labeller)])
    for tile in work["tiles"]:
        name = tile["tile_id"]
        try:
            picture = decode(encoded.pop(name))
        except DataError as error:
            yield Unreadable(number, name, DataError("picture_unreadable", error.detail))
            continue
        known = tuple(label_from_row(row) for row in labels[name])
        raster, unit = None, ""
        if name in raws:
            raster, unit = as_physical(stored_raster(tile, raws.pop(name)), tile["raw"]), tile["raw"]["unit"] or ""
        item = LabellerInput(picture, tile["sensor"], tile["gsd_m"], known, raster, unit, tile["valid_share"] or 0.0)
        try:
            labeller.check_input(item)
        except DataError as error:
            yield Unreadable(number, name, error)
        else:
            yield Picture(number, name, item)


def _wants_raster(tile: dict[str, Any], labeller: ModelLabeller) -> bool:
    return labeller.needs_raster or (labeller.needs_raster_of_gaps and (tile["valid_share"] or 0.0) < 1)


def prefetch(made: Iterator[T]) -> Iterator[tuple[T, float]]:
    """Each of them and the seconds that it was waited for; the next one is made in a thread meanwhile."""
    with ThreadPoolExecutor(1, "pictures") as thread:
        coming = thread.submit(next, made, None)
        while True:
            start = time.perf_counter()
            one = coming.result()
            if one is None:
                return
            waited = time.perf_counter() - start
            coming = thread.submit(next, made, None)
            yield one, waited
