"""Questions that annotators asked and answered: used as they are, with a hint at the form of the answer.

One idea: word for word but for the capital and the question mark, one of the wordings with the seeds' exact hint. A question
that has two different answers on one picture is refused, for one of them is wrong; the same pair twice is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rsflow.instructions import english as words
from rsflow.instructions import tile_facts as reading
from rsflow.instructions.claims import Claim, refuse
from rsflow.instructions.expressions import key
from rsflow.records import Reject, TileFacts
from rsflow.text.turns import escape


def claims(facts: TileFacts) -> Iterator[Claim | Reject]:
    """In alphabetical order of the questions."""
    asked: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for position, label in reading.of_kind(facts, "question"):
        question, answer = (" ".join(text.split()) for text in (label.text, label.category))
        if key(question) and answer:
            asked[key(question)].append((position, question, answer))
    for said in sorted(asked):
        answers = sorted({key(answer) for _, _, answer in asked[said]})
        if len(answers) > 1:
            yield refuse(facts, "vqa", "contradictory_answers", f"{asked[said][0][1]!r} is answered {', '.join(answers)}")
        else:
            question, answer = min((question, answer) for _, question, answer in asked[said])
            yield _claim(question, answer, tuple(position for position, _, _ in asked[said]))


def _claim(question: str, answer: str, labels: tuple[int, ...]) -> Claim:
    asked = escape(words.sentence(question))
    said = escape(answer)
    return Claim(
        task="vqa",
        kind="question",
        subject=key(question),
        short=said,
        full=words.sentence(said) + ("" if said.endswith((".", "!", "?")) else "."),
        answer={"kind": "answer", "value": answer},
        labels=labels,
        fill={"question": asked if asked.endswith(("?", ".", "!", ":")) else f"{asked}?"},
    )
