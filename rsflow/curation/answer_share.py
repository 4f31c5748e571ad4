"""The commonest answer of a kind of question: a model must not be right by always giving it.

One idea: questions that differ only in the picture are one group (the same kind, about the same category or fact), and of a
group no answer may have more than a given share. The surplus leaves, last by priority first, until that holds; smaller groups
than LEAST are not judged, for nothing can be learned from their proportions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.balance.template_forms import is_over_template_share
from rsflow.curation.drop_reasons import Flags
from rsflow.curation.hashing import Hashes, stable_hashes

ANSWER_SHARE = "answer_share"
LEAST = 10  # questions of a group

# Kinds of structured answers that a question could be guessed by, and the fields that say what it is about.
_ABOUT = {
    "yes_no": ("category", "place"),
    "count": ("category",),
    "place": ("category",),
    "relation": ("subject", "object"),
    "predicate": (),
    "fact": ("name",),
    "chain": ("chain",),
}


def question_and_answer(tasks: pa.ChunkedArray, answers: pa.ChunkedArray) -> tuple[Hashes, Hashes]:
    """Per instruction a number for its group of questions, 0 where it is in none, and one for its answer.

    `answers`: structured answers as JSON. A place asked for does not make another group: "is there a ship on the left" is one
    with "on the right". Looks that all pictures share are in no group.
    """
    groups, values = [], []
    for task, text in zip(tasks.to_pylist(), answers.to_pylist(), strict=True):
        answer = orjson.loads(text)
        fields = _ABOUT.get(answer.get("kind"))
        value = answer.get("value")
        if (
            answer.get("kind") == "category" and "box" in answer
        ):  # of a region; a whole picture's class is for quotas to balance
            fields = ()
        judged = fields is not None and isinstance(value, bool | int | str)
        about = [str(answer.get(name, "")) if name != "place" else str("place" in answer) for name in fields or ()]
        groups.append("\x1f".join([task, answer["kind"], *about]) if judged else None)
        values.append(str(value) if judged else "")
    answered: dict[str | None, set[str]] = {}
    for group, given in zip(groups, values, strict=True):
        answered.setdefault(group, set()).add(given)
    groups = [None if group and _is_shared_look(group, answered[group]) else group for group in groups]
    hashes = stable_hashes(pa.array(groups, pa.string()).fill_null(""), 0)
    in_group = np.array([group is not None for group in groups], dtype=np.bool_)
    return np.where(in_group, hashes, 0).astype(np.uint64), stable_hashes(pa.array(values, pa.string()), 0)


def _is_shared_look(group: str, answers: set[str]) -> bool:
    """Whether a group asks about the look of pictures that all look alike: there is no other answer to balance it with."""
    return group.split("\x1f")[1] == "fact" and len(answers) == 1


def is_over_answer_share(
    question: npt.NDArray[np.uint64], answer: npt.NDArray[np.uint64], order: Hashes, kept: Flags, share: float
) -> Flags:
    """True for those `kept` instructions of each answer that are too many, those that come last by `order`."""
    judged = kept & (question != 0)
    _, group, size = np.unique(question[judged], return_inverse=True, return_counts=True)
    judged[np.flatnonzero(judged)[size[group] < LEAST]] = False
    groups = pc.cast(pa.chunked_array([pa.array(question)]), pa.string())
    return is_over_template_share(groups, pa.chunked_array([pa.array(answer)]), order, judged, share)
