"""Limit on templates: one template has at most a given share of the instructions that its task keeps.

Dropping instructions makes the task smaller, and with it the limit, so the limit is applied until nothing changes. That is the
largest selection that satisfies it, because a smaller one never allows more. One instruction of each template may always stay;
a task with fewer templates than 1 / share keeps one of each.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rsflow.curation.balance.quotas import Flags
from rsflow.curation.hashing import Hashes
from rsflow.curation.value_codes import value_codes


def is_over_template_share(task: pa.ChunkedArray, form: pa.ChunkedArray, order: Hashes, kept: Flags, share: float) -> Flags:
    """True for those `kept` instructions of each form that are too many, those that come last by `order`."""
    beyond = np.zeros(len(kept), dtype=np.bool_)
    rows = np.flatnonzero(kept)
    if not len(rows):
        return beyond
    tasks = value_codes(task)[rows]
    forms = np.asarray(form)[rows]
    by_form = np.lexsort((order[rows], forms, tasks))
    new = np.concatenate([[True], (np.diff(tasks[by_form]) != 0) | (np.diff(forms[by_form]) != 0)])
    start = np.flatnonzero(new)
    task_of = tasks[by_form][start]
    size = np.diff([*start, len(rows)])
    while True:
        most = np.maximum(np.floor(np.bincount(task_of, size) * share + 1e-9), 1)[task_of].astype(np.int64)
        if (size <= most).all():
            break
        size = np.minimum(size, most)
    rank = np.arange(len(rows)) - np.repeat(start, np.diff([*start, len(rows)]))
    beyond[rows[by_form]] = rank >= np.repeat(size, np.diff([*start, len(rows)]))
    return beyond
