"""No answer to a kind of question is so common that always giving it pays."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rsflow.curation.answer_share import LEAST, is_over_answer_share, question_and_answer
from rsflow.curation.hashing import stable_hashes

ANSWERS = st.lists(
    st.tuples(st.sampled_from(["ship", "car"]), st.sampled_from(["yes", "no", "3"])) | st.just(("ship", "yes")), max_size=120
)


def over(rows: list[tuple[str, str]], share: float = 0.6) -> list[tuple[str, str]]:
    """What stays of (category, answer) rows."""
    question = stable_hashes(pa.array([category for category, _ in rows], pa.string()), 0)
    answer = stable_hashes(pa.array([value for _, value in rows], pa.string()), 0)
    order = stable_hashes(pa.array([str(number) for number in range(len(rows))], pa.string()), 7)
    gone = is_over_answer_share(question, answer, order, np.ones(len(rows), dtype=np.bool_), share)
    return [row for row, leaves in zip(rows, gone, strict=True) if not leaves]


@given(ANSWERS)
def test_no_answer_has_more_than_its_share_of_what_stays(rows: list[tuple[str, str]]) -> None:
    before, after = Counter(category for category, _ in rows), over(rows)
    total = Counter(category for category, _ in after)
    for (category, _), count in Counter(after).items():
        if before[category] >= LEAST:
            assert count <= max(1, 0.6 * total[category] + 1e-9)
    for category in before:
        if before[category] < LEAST:
            assert total[category] == before[category]


@given(ANSWERS)
def test_it_keeps_all_that_it_can(rows: list[tuple[str, str]]) -> None:
    """The largest selection: a brute search over the size of the commonest answer, the others whole."""
    for category in ("ship", "car"):
        counts = Counter(value for name, value in rows if name == category)
        if sum(counts.values()) >= LEAST:
            commonest, most = counts.most_common(1)[0]
            others = sum(counts.values()) - most
            best = max([n for n in range(1, most + 1) if n <= max(1, 0.6 * (n + others) + 1e-9)], default=most)
            stays = Counter(value for name, value in over(rows) if name == category)
            assert stays[commonest] == best or (len(counts) > 1 and counts.most_common(2)[1][1] == most)


def groups(*answers: dict[str, Any]) -> list[int]:
    texts = pa.chunked_array([[json.dumps(answer) for answer in answers]], pa.string())
    return question_and_answer(pa.chunked_array([["vqa"] * len(answers)], pa.string()), texts)[0].tolist()


def test_a_kind_of_question_about_one_category_is_a_group() -> None:
    ship, car, left, right, count = groups(
        {"kind": "yes_no", "value": True, "category": "ship"},
        {"kind": "yes_no", "value": True, "category": "car"},
        {"kind": "yes_no", "value": True, "category": "ship", "place": "left"},
        {"kind": "yes_no", "value": False, "category": "ship", "place": "right"},
        {"kind": "count", "value": 3, "category": "ship"},
    )
    assert len({ship, car, left, count}) == 4
    assert left == right
    assert groups({"kind": "text"}, {"kind": "boxes", "category": "ship", "boxes": [0]}) == [0, 0]


def test_looks_that_all_pictures_share_are_not_judged() -> None:
    def groups(*values: str) -> int:
        answers = [json.dumps({"kind": "fact", "name": "texture", "value": value}) for value in values]
        tasks = pa.chunked_array([["vqa"] * len(values)])
        return int((question_and_answer(tasks, pa.chunked_array([answers]))[0] != 0).sum())

    assert (groups(*["smooth"] * 20), groups(*["smooth"] * 19, "strongly textured")) == (0, 20)
