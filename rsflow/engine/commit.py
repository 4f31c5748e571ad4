"""Receipts are committed as they come in, so that a run that ends early keeps what was done.

One idea: every step of the label phase is a stream of receipts, and this is the one place where the driver commits them,
reports progress, and checks what was used against the budget.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from rsflow.config.settings import Engine
from rsflow.engine.progress import Progress
from rsflow.lake.receipts import commit
from rsflow.lake.tables import Lake

Watch = Callable[[pa.Table], None]


@dataclass(frozen=True, slots=True)
class Committed:
    """The marks (RUNS rows) of units that were finished, and by scene why others were not."""

    marks: list[pa.Table] = field(default_factory=list)
    undone: dict[str, str] = field(default_factory=dict)


def no_watch(receipt: pa.Table) -> None:
    """Of steps without a budget."""


def commit_receipts(
    engine: Engine,
    lake: Lake,
    receipts: Iterator[pa.Table],
    run: str,
    state: Progress,
    pending: Counter[str],
    watch: Watch = no_watch,
) -> Committed:
    """Commit at least every `engine.commit_seconds`, and whatever is complete when the stream or an error ends it.

    `pending`: how many units of each scene are still to come; a scene is done when its last one is. `watch` is called with
    every receipt and may end the step by an exception; that receipt is committed first.
    """
    waiting: list[pa.Table] = []
    committed = Committed()
    last = time.monotonic()
    try:
        for receipt in receipts:
            if receipt["undone"].null_count < receipt.num_rows:
                undone = receipt.filter(receipt["undone"].is_valid())
                committed.undone.update(zip(undone["scene_id"].to_pylist(), undone["undone"].to_pylist(), strict=True))
                receipt = receipt.filter(receipt["undone"].is_null())
            waiting.append(receipt)
            kept, rejected = (sum(receipt[name].to_pylist()) for name in ("rows_kept", "rows_rejected"))
            pending.subtract(receipt["scene_id"].to_pylist())
            done = sum(pending[scene] == 0 for scene in set(receipt["scene_id"].to_pylist()))
            state.add(receipt.num_rows, scenes=done, tiles=kept, rejects=rejected)
            watch(receipt)
            if time.monotonic() - last >= engine.commit_seconds:
                # Out of `waiting` first: a commit that Ctrl-C interrupts must not be repeated, its rows may be there already.
                ready, waiting = waiting, []
                committed.marks.append(commit(lake, pa.concat_tables(ready), run))
                last = time.monotonic()
    finally:
        # Also on Ctrl-C and on an error elsewhere: these units are complete, so they are kept.
        if waiting:
            committed.marks.append(commit(lake, pa.concat_tables(waiting), run))
    return committed
