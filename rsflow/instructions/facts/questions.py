"""Questions that annotators asked and answered, used as they are with a hint at the form of the answer.

Word for word except for the capital and the question mark. A question with two different answers on one picture is refused,
because one of them is wrong; equal pairs are used once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.expressions import normalise_text
from rsflow.instructions.question_answers import QuestionAnswer, reject_instruction
from rsflow.instructions.wording import english
from rsflow.records import Reject, TileFacts
from rsflow.text.turns import escape


def question_answers(facts: TileFacts) -> Iterator[QuestionAnswer | Reject]:
    """In alphabetical order of the questions."""
    by_text: dict[str, list[tuple[int, str, str, str]]] = defaultdict(list)
    for position, label in tile_facts.labels_of_kind(facts, "question"):
        question, answer = (" ".join(text.split()) for text in (label.text, label.category))
        if normalise_text(question) and answer:
            _, _, type_name = label.provenance.name.partition(":")  # "rsvqa:count"
            by_text[normalise_text(question)].append((position, question, answer, type_name))
    for wording in sorted(by_text):
        answers = sorted({normalise_text(answer) for _, _, answer, _ in by_text[wording]})
        if len(answers) > 1:
            yield reject_instruction(
                facts, "vqa", "contradictory_answers", f"{by_text[wording][0][1]!r} is answered {', '.join(answers)}"
            )
        else:
            question, answer, type_name = min(asked[1:] for asked in by_text[wording])
            yield _annotated_question(question, answer, type_name, tuple(asked[0] for asked in by_text[wording]))


def _annotated_question(question: str, answer: str, type_name: str, labels: tuple[int, ...]) -> QuestionAnswer:
    question_text = escape(english.capitalise(question))
    answer_text = escape(answer)
    return QuestionAnswer(
        task="vqa",
        kind="question",
        subject=normalise_text(question),
        short_answer=answer_text,
        full_answer=english.capitalise(answer_text) + ("" if answer_text.endswith((".", "!", "?")) else "."),
        answer={"kind": "answer", "value": answer, **({"type": type_name} if type_name else {})},
        labels=labels,
        placeholders={"question": question_text if question_text.endswith(("?", ".", "!", ":")) else f"{question_text}?"},
    )
