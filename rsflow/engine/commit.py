"""Receipts become visible as they come in, so that a run that ends early keeps what was done.

One idea: every step of the label phase is a stream of receipts, and this is the one place where the driver commits them, tells
how far it is, and holds what was used against what may be spent.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pyarrow as pa

from rsflow.config.settings import BuildConfig
from rsflow.engine.progress import Progress
from rsflow.lake.receipts import commit
from rsflow.lake.tables import Lake

Watch = Callable[[pa.Table], None]


def commit_receipts(
    built: BuildConfig,
    lake: Lake,
    receipts: Iterator[pa.Table],
    run: str,
    state: Progress,
    pending: Counter[str],
    watch: Watch = lambda receipt: None,
) -> dict[str, str]:
    """Commit at least every `engine.commit_seconds`, and whatever is whole when the stream or an error ends it.

    `pending`: how many units of each scene are still to come; a scene is done when its last one is. `watch` sees every receipt
    and may end the step by an exception; that receipt is committed first. Returns why units were not done, by scene.
    """
    waiting: list[pa.Table] = []
    undone: dict[str, str] = {}
    last = time.monotonic()
    try:
        for receipt in receipts:
            left = receipt.filter(receipt["undone"].is_valid())
            undone |= zip(left["scene_id"].to_pylist(), left["undone"].to_pylist(), strict=True)
            receipt = receipt.filter(receipt["undone"].is_null())
            waiting.append(receipt)
            kept, rejected = (sum(receipt[name].to_pylist()) for name in ("rows_kept", "rows_rejected"))
            pending.subtract(receipt["scene_id"].to_pylist())
            done = sum(pending[scene] == 0 for scene in set(receipt["scene_id"].to_pylist()))
            state.add(receipt.num_rows, scenes=done, tiles=kept, rejects=rejected)
            watch(receipt)
            if time.monotonic() - last >= built.engine.commit_seconds:
                # Out of `waiting` first: a commit that Ctrl-C cuts short must not be made again, its rows may be there already.
                whole, waiting = waiting, []
                commit(lake, pa.concat_tables(whole), run)
                last = time.monotonic()
    finally:
        # Also on Ctrl-C and on an error elsewhere: these units are whole, so they are kept.
        if waiting:
            commit(lake, pa.concat_tables(waiting), run)
    return undone
