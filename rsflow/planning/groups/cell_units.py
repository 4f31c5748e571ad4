"""Which cells of the ground grid have tiles of several scenes: the work of the step `group_cells`, known before a build.

One idea: a cell's unit rests on the label units that cut its tiles, of all scenes, so a new date or sensor of a cell redoes the
groups of that cell and of no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsflow.cells.cell_names import sibling_cells
from rsflow.config.group_settings import Groups
from rsflow.planning.groups.shared_cells import has_several_scenes
from rsflow.planning.plan import Unit
from rsflow.planning.unit_ids import UnitIds
from rsflow.stage import fingerprint


@dataclass(frozen=True, slots=True)
class CellUnit:
    """`label_units`: those that cut a tile of the cell, in order of their scenes; after them those that cut a tile of its
    `siblings` alone, cells of other ground that it is contrasted with."""

    id: str
    cell: str
    label_units: tuple[Unit, ...]
    siblings: tuple[str, ...] = ()


def cell_units(ids: UnitIds) -> Iterator[CellUnit]:
    """One for each cell that two scenes or more have a window of, by the names of cells; none where no groups are asked for."""
    stage = ids.plan.group_cells
    if stage is None:
        return
    found, recipe = ids.units_of_cell, fingerprint(stage)
    for cell, units in found.items():
        if has_several_scenes(units):
            siblings = tuple(other for other in _siblings(cell, stage.groups, units, ids) if other in found)
            own = {unit.id for unit in units}
            others = {unit.id: unit for other in siblings for unit in found[other] if unit.id not in own}
            mine = [*units, *sorted(others.values(), key=lambda unit: (unit.scene_id, unit.id))]
            name = fingerprint("group_cells", cell, list(siblings), [unit.label_fingerprint for unit in mine], recipe)
            yield CellUnit(name, cell, tuple(mine), siblings)


def _siblings(cell: str, groups: Groups, units: Sequence[Unit], ids: UnitIds) -> tuple[str, ...]:
    """The cells that a cell with several sensors is contrasted with, where that is asked for."""
    if "places" not in groups.kinds or len({ids.plan.files[unit.scene_id].sensor for unit in units}) < 2:
        return ()
    return sibling_cells(cell)
