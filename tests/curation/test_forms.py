"""Forms of words that flood: the share holds of what stays, and as many stay as it allows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.curation.balance.template_forms import is_over_template_share
from rsflow.curation.hashing import stable_hashes


def kept(items: list[tuple[str, int]], share: float, among: list[bool] | None = None) -> list[int]:
    task, form = (pa.chunked_array([list(column)]) for column in zip(*items, strict=True))
    order = stable_hashes(pa.array([f"i{k}" for k in range(len(items))]), 0)
    some = np.array(among if among is not None else [True] * len(items))
    beyond = is_over_template_share(task, form, order, some, share)
    assert not (beyond & ~some).any()
    return np.flatnonzero(some & ~beyond).tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4)), min_size=1, max_size=40), st.floats(0.05, 1.0))
def test_the_share_holds_of_what_stays_and_one_more_would_break_it(items: list[tuple[str, int]], share: float) -> None:
    stays = [items[k] for k in kept(items, share)]
    tasks, forms = Counter(task for task, _ in stays), Counter(stays)
    assert all(n <= max(1, share * tasks[task] + 1e-6) for (task, _), n in forms.items())
    for task in "ab":
        here = Counter(form for name, form in items if name == task)
        most = max(
            n for n in range(sum(here.values()) + 1) if sum(min(c, max(1, int(share * n + 1e-9))) for c in here.values()) >= n
        )
        assert tasks[task] == most


@pytest.mark.parametrize(("share", "left"), [(0.25, 8), (0.5, 12), (0.1, 7)])
def test_one_flooding_form_among_six_that_occur_once(share: float, left: int) -> None:
    items = [("vqa", 0)] * 20 + [("vqa", k) for k in range(1, 7)]
    assert len(kept(items, share)) == left
