"""A model writes instructions from labels and pictures, also of other sensors on the same ground."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from rsflow.planning.groups.companion_pairs import companions
from rsflow.planning.step import Step, StepUnit
from rsflow.planning.step_inputs import StepInputs
from rsflow.planning.unit_ids import UnitIds
from rsflow.schemas import PICTURE_WORK


def _units(ids: UnitIds) -> Iterator[StepUnit]:
    if stage := ids.plan.generator:
        for unit in ids.usable.values():
            chosen = ids.requested_kinds(unit)
            if chosen != ():
                yield StepUnit(ids.generate(unit), (unit,), (stage,), chosen=None if chosen is None else len(chosen))


def _rows(inputs: StepInputs, units: Sequence[StepUnit]) -> pa.Table:
    """With `others`: tiles of other sensors that show the ground of one of its tiles."""
    ids = inputs.ids
    work = _keep_asked(inputs.gather(PICTURE_WORK, units, ids.further_labels, reviewed=True), ids, units)
    scenes = sorted({name for unit in units for name in ids.neighbours.get(unit.scene_id, [])})
    around = [StepUnit(unit.id, (unit,), ()) for scene_id in scenes for unit in ids.by_scene.get(scene_id, [])]
    if not around:
        return work
    known = inputs.gather(PICTURE_WORK, around, ids.further_labels, reviewed=True).to_pylist()
    others = [tile for row in known for tile in row["tiles"]]
    labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in known:
        for label in row["labels"]:
            labels[label["tile_id"]].append(label)
    rows = work.to_pylist()
    found = companions([tile for row in rows for tile in row["tiles"]], others)
    for row in rows:
        mine = {tile["tile_id"]: found[tile["tile_id"]] for tile in row["tiles"] if tile["tile_id"] in found}
        row["others"] = [{"companion_of": tile, **other} for tile, other in sorted(mine.items())]
        row["labels"] += [label for name in sorted({other["tile_id"] for other in mine.values()}) for label in labels[name]]
    return pa.Table.from_pylist(rows, schema=PICTURE_WORK)


def _keep_asked(work: pa.Table, ids: UnitIds, units: Sequence[StepUnit]) -> pa.Table:
    """The work without tiles that the model is not asked about."""
    if ids.plan.chosen is None:
        return work
    rows = work.to_pylist()
    for row, unit in zip(rows, units, strict=True):
        chosen = dict(ids.requested_kinds(unit.label_units[0]) or ())
        row["tiles"] = [tile for tile in row["tiles"] if tile["tile_id"] in chosen]
        row["labels"] = [label for label in row["labels"] if label["tile_id"] in chosen]
        row["asked"] = [{"tile_id": tile_id, "kinds": list(kinds)} for tile_id, kinds in chosen.items()]
    return pa.Table.from_pylist(rows, schema=work.schema)


STEP = Step("generate", ("instructions", "rejects"), _units, _rows, runs_model=True, sends_requests=True, slice_tiles=200_000)
