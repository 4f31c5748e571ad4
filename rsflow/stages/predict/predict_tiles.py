"""A model predicts from written pictures: labels, which follow those that there are, or one vector per tile.

One idea: pictures of many units form batches (rsflow.stages.predict.picture_batches), and a unit's receipt is yielded as soon
as the last of its pictures is done. A picture that cannot be decoded, that the model fails on or that alone exceeds the memory
is a reject with its reason: the tile stays, without this model's labels. The time of a batch is divided among its rows.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from rsflow.errors import DataError
from rsflow.labellers.models.model_labeller import LabellerOutput, ModelLabeller, not_finite_error
from rsflow.labellers.models.oom_backoff import OomBackoff
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.records import Reject
from rsflow.schemas import label_row
from rsflow.stage import BatchFunction, Resources
from rsflow.stages.predict.picture_batches import Unreadable, batches, prefetch
from rsflow.text.control_tokens import find_control_token

BLOCK_BATCHES = 8  # batches of a block of work: few of them are not full


@dataclass(frozen=True)
class PredictTiles:
    """PICTURE_WORK rows in (many units at once), one RECEIPTS row out per row, in the order in which they are done."""

    labeller: ModelLabeller
    root: str = field(compare=False)
    version: ClassVar[int] = 1
    fingerprint_name: ClassVar[str] = "SeeTiles"  # its name when lakes of format 1 named units by it

    @property
    def name(self) -> str:
        return f"{self.labeller.name} {self.labeller.checkpoint[0]}"

    @property
    def busy_with(self) -> int:
        return BLOCK_BATCHES * self.labeller.batch_rows

    @property
    def resources(self) -> Resources:
        own = self.labeller
        return Resources(cpus=own.cpus, gpus=own.gpus, workers=own.workers)

    def open(self) -> BatchFunction:
        backoff = OomBackoff(self.labeller.open())

        def predict(table: pa.Table) -> Iterator[pa.Table]:
            yield from self._predict(table, backoff)

        return predict

    def _predict(self, table: pa.Table, backoff: OomBackoff) -> Iterator[pa.Table]:
        works = table.to_pylist()
        units = [_Unit(work) for work in works]
        yield from (unit.receipt(self.labeller) for unit in units if unit.done)
        made = batches(works, self.root, self.labeller, backoff)
        for one, waited in prefetch(made):
            if isinstance(one, Unreadable):
                units[one.unit].add(one.tile_id, one.error, {"wait_seconds": waited})
                touched = [one.unit]
            else:
                start = time.perf_counter()
                found = backoff([picture.input for picture in one.pictures], one.prepared)
                spent = {"device_seconds": time.perf_counter() - start, "wait_seconds": waited}
                share = {name: value / len(found) for name, value in spent.items()}
                for picture, output in zip(one.pictures, found, strict=True):
                    units[picture.unit].add(picture.tile_id, _finite(output), share)
                touched = sorted({picture.unit for picture in one.pictures})
            yield from (units[number].receipt(self.labeller) for number in touched if units[number].done)


class _Unit:
    """What is known of one unit so far."""

    def __init__(self, work: dict[str, Any]) -> None:
        self._same = {name: work[name] for name in ("unit", "scene_id", "source")}
        self._tiles = [tile["tile_id"] for tile in work["tiles"]]
        self._found: dict[str, LabellerOutput | DataError] = {}
        self._usage: Counter[str] = Counter()

    @property
    def done(self) -> bool:
        return len(self._found) == len(self._tiles)

    def add(self, tile: str, output: LabellerOutput | DataError, spent: dict[str, float]) -> None:
        self._found[tile] = output
        self._usage.update(spent)
        if isinstance(output, LabellerOutput):
            self._usage.update({"rows": 1, **output.usage})

    def receipt(self, labeller: ModelLabeller) -> pa.Table:
        """Its RECEIPTS row; tiles in the order in which they came."""
        key, (model, revision) = labeller.key, labeller.checkpoint
        embedder = {"labeller": key, "model": model, "revision": revision}
        rejected = {tile: one for tile in self._tiles if isinstance(one := self._found[tile], DataError)}
        output = {tile: one for tile in self._tiles if isinstance(one := self._found[tile], LabellerOutput)}
        usage = [{"name": name, "value": float(self._usage[name])} for name in sorted(self._usage)]
        seconds = self._usage["device_seconds"] + self._usage["wait_seconds"]
        marks = unit_mark(self._same, "predict", len(self._tiles), len(rejected), usage=usage, seconds=seconds)
        return receipt_table(
            marks,
            labels=[row for tile, one in output.items() for row in _label_rows(tile, key, one)],
            embeddings=[
                {"tile_id": tile, **embedder, "vector": one.vector} for tile, one in output.items() if one.vector is not None
            ],
            rejects=[
                *(self._reject_row(tile, error) for tile, error in rejected.items()),
                *(row for tile, one in output.items() for row in self._control_rows(tile, key, one)),
            ],
        )

    def _reject_row(self, tile: str, error: DataError) -> dict[str, Any]:
        return reject_row(self._same, "predict", Reject("tile", tile, error.reason, error.detail), rows=1)

    def _control_rows(self, tile: str, key: str, output: LabellerOutput) -> Iterator[dict[str, Any]]:
        """A reject for each label that is left out because a model's words in it would steer another model."""
        for i, label in enumerate(output.labels):
            if found := find_control_token(f"{label.category}\n{label.text}"):
                detail = f"the {label.kind} holds {found}, which models read as a command"
                yield reject_row(self._same, "predict", Reject("label", f"{tile}#{key}.{i}", "control_token", detail), rows=0)


def _label_rows(tile: str, key: str, output: LabellerOutput) -> list[dict[str, Any]]:
    return [
        {"label_id": f"{tile}#{key}.{i}", "tile_id": tile, **label_row(label)}
        for i, label in enumerate(output.labels)
        if not find_control_token(f"{label.category}\n{label.text}")
    ]


def _finite(output: LabellerOutput | DataError) -> LabellerOutput | DataError:
    """The same, or why it counts for nothing: half-precision types overflow, and then what a model gives is no number."""
    if isinstance(output, DataError):
        return output
    values = [value for label in output.labels for value in (label.score, label.value) if value is not None]
    corners = [value for label in output.labels if label.shape for value in (*label.shape.box, *label.shape.polygon)]
    if np.isfinite([*values, *corners]).all() and (output.vector is None or np.isfinite(output.vector).all()):
        return output
    return not_finite_error("a score, a box or a vector")
