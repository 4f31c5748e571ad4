"""The ids of the units of all steps after `label`, and so what each unit depends on.

One idea: a unit's id hashes the ids of the units that it rests on and the fingerprint of its stage. So a changed prompt gives
other ids to `generate` alone, a new revision of a model to its own units and to all that rest on them, and the pixels of a
scene are cut again only when the label recipe changes.

Models predict unit by unit; their predictions are merged scene by scene, because an object on the edge of two tiles is one
object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from rsflow.lake.receipts import count_failures
from rsflow.planning.chosen_tiles import RequestedKinds
from rsflow.planning.groups.companion_pairs import neighbours
from rsflow.planning.groups.group_units import GroupUnit, annotated_pairs
from rsflow.planning.groups.shared_cells import has_several_scenes, units_by_cell
from rsflow.planning.plan import Plan, Unit
from rsflow.stage import ModelStage, fingerprint
from rsflow.stages.label.cut_scenes import tile_id

PREDICT = "see"  # the name of the step `predict` in ids: that of format 1, so that old lakes keep their predictions


class Prediction(NamedTuple):
    """The unit in which one model predicts the tiles of one label unit."""

    id: str
    stage: ModelStage


class TransferUnit(NamedTuple):
    """The unit that passes labels between the tiles of one cell; `label_units` cut these tiles, in order of their scenes."""

    id: str
    cell: str
    label_units: tuple[Unit, ...]


class UnitIds:
    """The ids of every later step, by label unit or scene. Label units that were rejected have none."""

    def __init__(self, plan: Plan, marked: pa.Table) -> None:
        self.plan = plan
        rejected = marked.filter(marked["scene_rejected"])
        self._rejected = set(rejected["unit"].to_pylist())
        failures = count_failures(marked)
        rows = np.flatnonzero(failures)
        self._failures = dict(zip(marked["unit"].take(pa.array(rows)).to_pylist(), failures[rows].tolist(), strict=True))

    @cached_property
    def _instruct_recipe(self) -> str:
        return self.plan.instruct.fingerprint

    @cached_property
    def usable(self) -> dict[str, Unit]:
        """Wanted label units that were not rejected, by id."""
        return {unit.id: unit for unit in self.plan.units if unit.id not in self._rejected}

    @cached_property
    def by_scene(self) -> dict[str, list[Unit]]:
        """The same by scene."""
        found: dict[str, list[Unit]] = defaultdict(list)
        for unit in self.usable.values():
            found[unit.scene_id].append(unit)
        return found

    def predictions(self, unit: Unit) -> list[Prediction]:
        """In the order of the source's models. A model may use the labels of those before it, so its id depends on them."""
        stages = self.plan.predictors.get(unit.source, ())
        return [
            Prediction(fingerprint(PREDICT, unit.label_fingerprint, list(stages[: number + 1])), stage)
            for number, stage in enumerate(stages)
        ]

    @cached_property
    def merges(self) -> dict[str, str]:
        """By scene with predictions: the id of the unit that merges them."""
        # Predictions without some tiles differ from those that a retry completed.
        return {
            scene_id: fingerprint(
                "merge",
                [(each.id, self._failures.get(each.id, 0)) for unit in units for each in self.predictions(unit)],
                self.plan.merge,
            )
            for scene_id, units in self.by_scene.items()
            if units[0].source in self.plan.predictors
        }

    def merged(self, unit: Unit) -> list[str]:
        """The unit that merges the predictions of a label unit's scene, where there are any."""
        return [self.merges[unit.scene_id]] if unit.scene_id in self.merges else []

    @cached_property
    def units_of_cell(self) -> dict[str, tuple[Unit, ...]]:
        """By cell of the ground grid: the label units that cut a tile of it."""
        return units_by_cell(self.usable.values(), self.plan.files)

    @cached_property
    def transfers(self) -> dict[str, TransferUnit]:
        """By id, in order of cells: the units that pass labels between the tiles of a cell."""
        stage = self.plan.transfer
        if stage is None:
            return {}
        found, recipe = dict[str, TransferUnit](), fingerprint(stage)
        for cell, units in self.units_of_cell.items():
            if has_several_scenes(units):
                name = fingerprint("transfer", cell, [self.labels_of(unit) for unit in units], recipe)
                found[name] = TransferUnit(name, cell, units)
        return found

    @cached_property
    def _transfers_of_unit(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name, transfer in self.transfers.items():
            for unit in transfer.label_units:
                found[unit.id].append(name)
        return found

    def transfers_to(self, unit: Unit) -> list[str]:
        """The units that pass labels to tiles of a label unit."""
        return self._transfers_of_unit.get(unit.id, [])

    def further_labels(self, unit: Unit) -> list[str]:
        """The units whose labels count beside a label unit's own."""
        return [*self.merged(unit), *self.transfers_to(unit)]

    def instruct(self, unit: Unit) -> str:
        return fingerprint(*self._known_labels(unit), self._instruct_recipe)

    def review(self, unit: Unit) -> str:
        """The unit of the instructions that reviewers corrected; empty where none of a label unit's was."""
        digest = self.plan.decisions.instruction_digest(self.reviewed_tiles(unit))
        return fingerprint("review", *self.instructing(unit), digest) if digest else ""

    def instructing(self, unit: Unit) -> list[str]:
        """The units that deliver instructions of a label unit's tiles, but for corrected ones."""
        return [self.instruct(unit), *([self.generate(unit)] if self.plan.generator else [])]

    def reviewed_tiles(self, unit: Unit) -> list[str]:
        """The tiles of a label unit about which reviewers decided anything that changes them."""
        decided = self.plan.decisions
        if unit.scene_id not in decided.scenes:
            return []
        return [name for _, window in unit.windows if (name := tile_id(unit.scene_id, window)) in decided.tiles]

    def generate(self, unit: Unit) -> str:
        """A model that compares sensors depends on all labels of the neighbouring scenes."""
        others = [self._labels_of_scene[scene] for scene in self.neighbours.get(unit.scene_id, []) if scene in self.by_scene]
        tiles = self.requested_kinds(unit)
        chosen = [] if tiles is None else [list(tiles)]
        return fingerprint("generate", *self._known_labels(unit), *others, self.plan.generator, *chosen)

    def requested_kinds(self, unit: Unit) -> RequestedKinds | None:
        """The tiles of a label unit that the generator is asked about; None: all of them."""
        return None if self.plan.chosen is None else self.plan.chosen.by_unit.get(unit.id, ())

    @cached_property
    def groups(self) -> list[GroupUnit]:
        """Units of the step `group`, each of the label units of all its scenes."""
        found = []
        for group in annotated_pairs(self.plan, self.by_scene):
            units = [unit for scene, _ in reversed(group.scenes) for unit in self.by_scene[scene]]
            name = fingerprint("group", group.kind, group.place, [self.labels_of(unit) for unit in units], self.plan.group)
            found.append(GroupUnit(name, group, tuple(units)))
        return found

    def compare(self, group_unit: str, label_units: Iterable[Unit]) -> str:
        """Of the groups that a unit delivers, from its id and the label units of its tiles."""
        labels = sorted({name for unit in label_units for name in self._known_labels(unit)})
        return fingerprint("compare", group_unit, labels, self.plan.compare)

    @cached_property
    def neighbours(self) -> dict[str, list[str]]:
        """By scene: those of other sensors that share ground with it, where a model is to compare them."""
        return neighbours(self.plan.scenes) if self.plan.generator and self.plan.generator.compares else {}

    @cached_property
    def _labels_of_scene(self) -> dict[str, str]:
        return {scene: fingerprint([self._known_labels(unit) for unit in units]) for scene, units in self.by_scene.items()}

    def _known_labels(self, unit: Unit) -> list[str]:
        """All that the labels of a label unit's tiles depend on, those from other tiles too."""
        return [*self.labels_of(unit), *self.transfers_to(unit)]

    def labels_of(self, unit: Unit) -> list[str]:
        """The units that deliver the own labels of a label unit's tiles, and what reviewers made of them."""
        digest = self.plan.decisions.label_digest(self.reviewed_tiles(unit))
        return [unit.label_fingerprint, *self.merged(unit), *([f"review {digest}"] if digest else [])]
