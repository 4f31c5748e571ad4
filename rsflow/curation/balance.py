"""Balance: at most so many instructions of a task, of a sensor, or of a task for a sensor.

One idea: every instruction has one priority, the hash of its id and the seed. A quota of n admits the n of its key that come
first, and an instruction stays if every quota that concerns it admits it. Each quota is judged over all instructions, not over
those that other quotas left. So a larger quota keeps all that a smaller one kept, no quota depends on another or on the order
of rows, and added data pushes out only what it must.

The price, on purpose: where quotas overlap (100 of `vqa/optical` and 1,000 of `vqa`) a key can end below its quota although
more of it exists. Filling it up would mean that a larger quota here throws out something there.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.hashing import Hashes, stable_hashes
from rsflow.errors import ConfigError


def apply_quotas(instructions: pa.Table, quotas: dict[str, int], seed: int) -> tuple[pa.Array, pa.Array]:
    """(selected, reason) per instruction; reason is null where selected, else "quota:<key>".

    `instructions` has instruction_id (unique), task and sensor, and may have `priority`: whole numbers 0 to 255, of which 0
    comes first and the hash decides among equals. Where several quotas drop one, the reason names the first in the order
    task/sensor, task, sensor. Never more than a quota is kept; if two hashes are equal at its edge, one or two fewer.
    """
    tasks, sensors = instructions["task"], instructions["sensor"]
    keys = [pc.binary_join_element_wise(tasks, sensors, "/"), tasks, sensors]
    order = _order(instructions, seed)
    dropped_by = np.full(instructions.num_rows, -1, dtype=np.int32)
    names = list(quotas)
    for column in reversed(keys):
        codes = pc.index_in(column, pa.array(names, pa.string()))
        numbers = np.asarray(pc.fill_null(codes, -1))
        for number in np.unique(numbers[numbers >= 0]):
            rows = np.flatnonzero(numbers == number)
            dropped_by[rows[_beyond(order[rows], quotas[names[number]])]] = number
    reasons = pa.array([f"quota:{name}" for name in names], pa.string())
    reason = reasons.take(pa.array(dropped_by, mask=dropped_by < 0))
    return reason.is_null(), reason


def check_quotas(quotas: dict[str, int], tasks: Collection[str], sensors: Collection[str]) -> None:
    """Raises ConfigError that lists every key that is no task, sensor or task/sensor, with those that are known."""
    pairs = {f"{task}/{sensor}" for task in tasks for sensor in sensors}
    unknown = [key for key in quotas if key not in pairs and key not in set(tasks) | set(sensors)]
    if unknown:
        raise ConfigError(
            f"select.quotas: unknown {'keys' if len(unknown) > 1 else 'key'} {', '.join(map(repr, unknown))}; "
            f"a key is a task ({', '.join(tasks)}), a sensor ({', '.join(sensors)}) or task/sensor"
        )


def _order(instructions: pa.Table, seed: int) -> Hashes:
    """Smaller comes first."""
    hashes = stable_hashes(instructions["instruction_id"], seed)
    if "priority" not in instructions.column_names:
        return hashes
    priority = np.asarray(instructions["priority"]).astype(np.uint64)
    return (priority << np.uint64(56)) | (hashes >> np.uint64(8))


def _beyond(order: Hashes, quota: int) -> npt.NDArray[np.bool_]:
    """True for those that are not among the first `quota`; equals at the edge are all beyond it."""
    if quota >= len(order):
        return np.zeros(len(order), dtype=np.bool_)
    beyond: npt.NDArray[np.bool_] = order >= np.partition(order, quota)[quota]
    return beyond
