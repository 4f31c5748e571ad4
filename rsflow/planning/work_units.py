"""The units of the steps after the label step: what each is called, and so what it depends on.

One idea: a unit's id hashes the names of the units that it rests on and the fingerprint of its stage. So a changed prompt gives
other ids to generation alone, a new model revision to what that model sees and to everything told from it, and the pixels of a
scene are cut again only when the label step changes.

Models see unit by unit; what they saw is merged scene by scene, because an object on the edge of two tiles is one object.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from rsflow.errors import LakeError
from rsflow.lake.receipts import count_failures
from rsflow.planning.companion_pairs import neighbours
from rsflow.planning.plan import Plan, Unit
from rsflow.planning.step_inputs import receipts_of
from rsflow.stage import ModelStage, fingerprint


class ModelUnit(NamedTuple):
    """One model's look at the tiles of one label unit."""

    id: str
    label_unit: str
    stage: ModelStage


class WorkUnits:
    """The wanted units of every later step, by label unit or scene. Scenes that were rejected have none."""

    def __init__(self, plan: Plan, marked: pa.Table) -> None:
        self._plan = plan
        rejected = marked.filter(marked["scene_rejected"])
        self._unfit = set(rejected["unit"].to_pylist())
        amiss = count_failures(marked)
        rows = np.flatnonzero(amiss)
        self._missed = dict(zip(marked["unit"].take(pa.array(rows)).to_pylist(), amiss[rows].tolist(), strict=True))

    @cached_property
    def fit(self) -> dict[str, Unit]:
        """Wanted label units that were not rejected, by id."""
        return {unit.id: unit for unit in self._plan.units if unit.id not in self._unfit}

    @cached_property
    def of_scene(self) -> dict[str, list[Unit]]:
        """The same by scene."""
        found: dict[str, list[Unit]] = defaultdict(list)
        for unit in self.fit.values():
            found[unit.scene_id].append(unit)
        return found

    def seeing(self, unit: Unit) -> list[ModelUnit]:
        """A model may build on what those before it in its source's list saw, so it is named by them too."""
        stages = self._plan.predictors.get(unit.source, ())
        return [
            ModelUnit(fingerprint("see", unit.label_fingerprint, list(stages[: number + 1])), unit.id, stage)
            for number, stage in enumerate(stages)
        ]

    @cached_property
    def merging(self) -> dict[str, str]:
        """By scene that models look at: the unit that merges what they saw of it."""
        # A look that missed some tiles is another look than the one that a retry made whole.
        return {
            scene_id: fingerprint(
                "merge",
                [(seeing.id, self._missed.get(seeing.id, 0)) for unit in units for seeing in self.seeing(unit)],
                self._plan.merge,
            )
            for scene_id, units in self.of_scene.items()
            if units[0].source in self._plan.predictors
        }

    def merged(self, marked: pa.Table) -> dict[str, str]:
        """By label unit: the receipt that delivered what models saw of its scene. LakeError where one has not looked yet."""
        found = receipts_of(marked, self.merging.values())
        missing = [scene_id for scene_id, name in self.merging.items() if name not in found]
        if missing:
            raise LakeError(
                f"{len(missing)} scenes were not looked at by all models yet (such as {missing[0]}): run `rsflow label`"
            )
        return {unit.id: found[self.merging[unit.scene_id]] for unit in self.fit.values() if unit.scene_id in self.merging}

    def instruct(self, unit: Unit) -> str:
        return fingerprint(*self._known(unit), self._plan.instruct.fingerprint)

    def generate(self, unit: Unit) -> str | None:
        """None where no model writes. One that compares sensors draws on all that is known of the neighbouring scenes."""
        if self._plan.generator is None:
            return None
        beside = [self._of_scene_known[scene] for scene in self.neighbours.get(unit.scene_id, []) if scene in self.of_scene]
        return fingerprint("generate", *self._known(unit), *beside, self._plan.generator)

    @cached_property
    def neighbours(self) -> dict[str, list[str]]:
        """By scene: those of other sensors on its ground, where a model is to compare them."""
        return neighbours(self._plan.scenes) if self._plan.generator and self._plan.generator.compares else {}

    @cached_property
    def _of_scene_known(self) -> dict[str, str]:
        return {scene: fingerprint([self._known(unit) for unit in units]) for scene, units in self.of_scene.items()}

    def _known(self, unit: Unit) -> list[str]:
        merged = self.merging.get(unit.scene_id)
        return [unit.label_fingerprint] if merged is None else [unit.label_fingerprint, merged]
