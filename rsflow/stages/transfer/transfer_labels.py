"""Tiles of one cell of the ground grid get the labels of its other tiles, where these hold for them: marked, and counted.

One idea: both tiles show the same ground on pixels that correspond, so a label is moved by the ratio of pixel sizes and by the
measured shift. Annotations go first, then pseudo-labels; of several tiles the nearest in time gives a topic, and no label is
passed twice. A pair of tiles that is too far apart in time, too cloudy or not registered passes nothing, and is a reject.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.cells.registration import Shift
from rsflow.config.group_settings import SEARCH_PX, Transfer
from rsflow.instructions.wording import english
from rsflow.lake.raw_bands import read_stored
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.records import Label, Reject
from rsflow.schemas import label_from_row, label_row
from rsflow.stage import BatchFunction, Resources, over_rows
from rsflow.stages.group.cell_pictures import CellPictures
from rsflow.stages.instruct.instruct_tiles import labels_by_tile
from rsflow.stages.transfer.passed_labels import (
    PASSED_KINDS,
    Passed,
    Visible,
    is_open,
    own_topics,
    pass_labels,
    topic_of,
)
from rsflow.stages.transfer.tile_pair import WHOLE, Refusal, TilePair, cloud_share
from rsflow.tiles.screen import is_bright_and_white, masked_cloud

STEP_NAME = "transfer"
ORIGINS = ("annotation", "labeller")  # in the order in which labels are passed
SEES_THROUGH_CLOUD = frozenset({"sar"})


@dataclass(frozen=True, slots=True)
class TransferLabels:
    """TRANSFER_WORK rows in, one RECEIPTS row out per row. The mark counts labels that were considered, passed and lost."""

    transfer: Transfer
    min_visibility: float
    root: str = field(compare=False)
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 2

    def open(self) -> BatchFunction:
        return over_rows(lambda row: _CellTransfer(self, row).receipt())


@dataclass
class _CellTransfer:
    """The tiles of one cell, and what they have got so far."""

    stage: TransferLabels
    work: dict[str, Any]

    def __post_init__(self) -> None:
        self._settings = self.stage.transfer
        self._tiles = {row["tile_id"]: row for row in sorted(self.work["tiles"], key=lambda row: str(row["tile_id"]))}
        rows = labels_by_tile(self.work)
        self._own = {name: [label_from_row(row) for row in rows[name]] for name in self._tiles}
        before = {row["tile_id"]: row for row in self.work["unreviewed"]}
        self._unreviewed = {**self._tiles, **before}
        self._own_unreviewed = {**self._own, **{name: list(map(label_from_row, row["labels"])) for name, row in before.items()}}
        self._labels: list[dict[str, Any]] = []
        self._transfers: list[dict[str, Any]] = []
        self._rejects: list[dict[str, Any]] = []

    @cached_property
    def _pictures(self) -> CellPictures:
        """Read where the first labels may be passed."""
        return CellPictures(self.stage.root, self._tiles, SEARCH_PX, self._settings.min_confidence)

    def receipt(self) -> pa.Table:
        for name in self._tiles:
            self._fill(name)
        lost = sum(row["rows"] for row in self._rejects)
        marks = unit_mark(self.work, STEP_NAME, len(self._labels) + lost, lost)
        return receipt_table(marks, labels=self._labels, transfers=self._transfers, rejects=self._rejects)

    def _fill(self, target: str) -> None:
        """Give a tile what the others have for it: it has no topic only because reviewers decided on labels that it got."""
        tile, got = self._unreviewed[target], set[str]()
        known = (tile["vocabulary"] or (), tile["unknown"] or ())
        for origin in ORIGINS if self._settings.pseudo_labels else ORIGINS[:1]:
            own = own_topics(self._own_unreviewed[target], *known, annotated_only=origin == "annotation")
            for pair in self._pairs(target):
                labels, vocabulary, unknown = self._candidates(pair.source["tile_id"], origin, own | got)
                if not labels and not vocabulary:
                    continue
                refusal = self._refusal(pair)
                if refusal:
                    self._reject(pair, *refusal, len(labels))
                else:
                    got |= self._pass(pair, labels, vocabulary, unknown)

    def _pairs(self, target: str) -> list[TilePair]:
        """The other tiles of the cell with this one, the nearest in time first, those of unknown time last."""
        found = [TilePair(self._tiles[name], self._tiles[target]) for name in self._tiles if name != target]
        return sorted(found, key=lambda pair: (pair.days is None, pair.days or 0.0, pair.source["tile_id"]))

    def _candidates(self, source: str, origin: str, taken: set[str]) -> tuple[list[Label], list[str], list[str]]:
        """The source's labels of one origin, its vocabulary and its unknown categories, on topics that are open."""
        wanted = {english.singular_noun(name) for name in self._settings.categories}

        def is_wanted(category: str) -> bool:
            return not wanted or english.singular_noun(category) in wanted

        labels = [
            label
            for label in self._own[source]
            if label.kind in PASSED_KINDS
            and label.provenance.origin == origin
            and is_wanted(label.category)
            and is_open(topic_of(label), taken)
        ]
        row = self._tiles[source]
        if origin != "annotation":
            return labels, [], []
        vocabulary, unknown = (
            [name for name in row[column] or () if is_wanted(name) and is_open(english.singular_noun(name), taken)]
            for column in ("vocabulary", "unknown")
        )
        return labels, vocabulary, unknown

    def _refusal(self, pair: TilePair) -> Refusal | None:
        """Why no label of one tile is passed to the other; None where labels are. The shift is measured last."""
        refusal = pair.refusal_by_time(self._settings) or pair.refusal_by_cloud(self._settings)
        return refusal or pair.refusal_by_shift(self._shift(pair), self._settings)

    def _shift(self, pair: TilePair) -> Shift:
        return self._pictures.shift(pair.source["tile_id"], pair.target["tile_id"])

    def _pass(self, pair: TilePair, labels: list[Label], vocabulary: Sequence[str], unknown: Sequence[str]) -> set[str]:
        """Pass labels from one tile to the other. Returns the topics that no further tile gives: of objects all that the source
        names, of the whole tile what was passed."""
        shift, visible = self._shift(pair), self._visible(pair.target)
        passed = pass_labels(labels, vocabulary, unknown, pair, shift, visible, self._settings, self.stage.min_visibility)
        self._deliver(pair, passed, shift)
        boxes = (label for label in labels if label.kind == "box")
        return {topic_of(label) for label in (*boxes, *passed.labels)} | {*map(english.singular_noun, vocabulary)}

    def _visible(self, tile: dict[str, Any]) -> Visible:
        """Where a tile shows the ground. A mask band says where there is cloud; without one, cloud may be where it is white."""
        has_cloud = tile["sensor"] not in SEES_THROUGH_CLOUD and cloud_share(tile) > 0
        found = self._pictures.picture(tile["tile_id"]) if has_cloud or tile["valid_share"] < WHOLE else None
        if found is None:
            return Visible()
        picture, valid = found
        masked = self._masked_cloud(tile) if has_cloud else None
        return Visible(valid, is_bright_and_white(picture) if has_cloud and masked is None else masked)

    def _masked_cloud(self, tile: dict[str, Any]) -> npt.NDArray[np.bool_] | None:
        """Where a stored mask band says that there is cloud; None where none is stored."""
        if not tile["raw"]:
            return None
        raster = read_stored(self.stage.root, tile)
        return masked_cloud({name: raster.pixels[number] for number, name in enumerate(raster.bands)})

    def _deliver(self, pair: TilePair, passed: Passed, shift: Shift) -> None:
        target, source = pair.target["tile_id"], pair.source["tile_id"]
        first = sum(row["tile_id"] == target for row in self._labels)
        self._labels += [
            {"label_id": f"{target}#{STEP_NAME}.{number}", "tile_id": target, **label_row(label)}
            for number, label in enumerate(passed.labels, first)
        ]
        if passed.labels or passed.vocabulary:
            place = {"dx_px": shift.dx_px, "dy_px": shift.dy_px, "registration_confidence": shift.confidence}
            known = {"vocabulary": list(passed.vocabulary), "unknown": list(passed.unknown)}
            row = {"tile_id": target, "from_tile": source, "days": pair.days, "labels": len(passed.labels)}
            self._transfers.append({**row, **place, **known})
        for reason, count in sorted(Counter(reason for reason, _ in passed.lost).items()):
            categories = sorted({category for lost, category in passed.lost if lost == reason})
            self._reject(pair, reason, f"labels of {', '.join(categories)}: {LOST[reason]}", count)

    def _reject(self, pair: TilePair, reason: str, detail: str, rows: int) -> None:
        told = f"labels of {pair.source['tile_id']} were not passed: {detail}"
        reject = Reject("label", pair.target["tile_id"], reason, told)
        work = {**self.work, "scene_id": pair.target["scene_id"], "source": pair.target["source"]}
        self._rejects.append(reject_row(work, STEP_NAME, reject, rows))


# Why a label does not hold for the other tile.
LOST = {
    "kind_not_passed": "transfer.kinds leaves them out",
    "moving_thing": "such things move or pass, and the two scenes are not known to be of one moment",
    "partly_shown": "they are of the whole tile, and one of the two has fill",
    "cut_off": "too little of them lies in this tile",
    "too_small": "they are smaller here than transfer.min_size_px",
    "hidden": "fill or cloud hides most of them here, or what is white there may be cloud",
    "not_shown": "fill hides them here",
}
