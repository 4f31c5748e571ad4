"""What a step of the label phase is: a value that says which units it wants, what they need, and what their receipts hold.

One idea: the driver (rsflow.phases.label), the estimate and the live rows know steps by this type alone. Each plans, gathers,
executes, commits or counts what the table STEPS lists, so a new step is one file and one line there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from rsflow.planning.plan import Unit
from rsflow.planning.unit_ids import UnitIds
from rsflow.stage import Stage

if TYPE_CHECKING:
    from rsflow.planning.step_inputs import StepInputs


@dataclass(frozen=True, slots=True)
class StepUnit:
    """A unit of work of one step: one row of work, one receipt.

    `label_units`: those whose tiles it covers. `stages`: what does it, one after another. Units of a lower `rank` are done
    before those of a higher one. `bytes`: of pixels that it reads.
    """

    id: str
    label_units: tuple[Unit, ...]
    stages: tuple[Stage, ...]
    rank: int = 0
    bytes: int = 0
    chosen: int | None = None  # of its tiles, where not all are worked on

    @property
    def scene_id(self) -> str:
        return self.label_units[0].scene_id

    @property
    def tiles(self) -> int:
        """At most so many: some may have been rejected."""
        if self.chosen is not None:
            return self.chosen
        return sum(len(unit.windows) for unit in self.label_units)

    @property
    def source(self) -> str:
        return self.label_units[0].source


@dataclass(frozen=True, slots=True)
class Step:
    """`tables`: those to which its receipts deliver rows that count. `units`: the wanted units, done or not. `rows`: the rows
    of work of some of them. `runs_model`: its stage is a ModelStage, loaded once per worker, and its use is metered.
    `sends_requests`: that stage keeps to an allowance, request by request.
    """

    name: str  # as marks and rejects call it
    tables: tuple[str, ...]
    units: Callable[[UnitIds], Iterable[StepUnit]]
    rows: Callable[[StepInputs, Sequence[StepUnit]], pa.Table]
    counted: Literal["units", "scenes"] = "units"
    runs_model: bool = False
    sends_requests: bool = False
    slice_tiles: int = 50_000  # whose rows of work the driver holds at a time: each slice reads the tables, and loads a model
