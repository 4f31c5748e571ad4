"""A conversation as checks read it: the sentences of its answers, the claims in them, and answers beside their questions.

Read once, compare often. Marks of boxes are replaced by their phrases. What annotators wrote of this very picture is
taken out beforehand: it is a fact, and no check doubts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsflow.instructions.checks import short_answers
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.mentions import mentions
from rsflow.instructions.checks.sentences import Sentence, sentences
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.instructions.facts.expressions import normalise_text
from rsflow.records import Instruction
from rsflow.text.turns import without_marks

Pair = tuple[tuple[Sentence, ...], tuple[Sentence, ...]]


@dataclass(frozen=True, slots=True)
class Talk:
    """An instruction, read beside what is known of its tile.

    `texts`: every turn without its marks and without what annotators wrote; `lowered` in lower case, with plain apostrophes.
    `answers`: indices of the assistant's turns, `sentences` theirs. `pairs`: the sentences of a question and of its answer,
    where both say anything. `mentions`: what sentences say of things, then what short answers say with their questions.
    """

    instruction: Instruction
    texts: tuple[str, ...]
    lowered: tuple[str, ...]
    answers: tuple[int, ...]
    sentences: tuple[Sentence, ...]
    pairs: tuple[Pair, ...]
    mentions: tuple[Mention, ...]

    def of_turn(self, turn: int) -> Iterator[Sentence]:
        return (sentence for sentence in self.sentences if sentence.turn == turn)


def read(instruction: Instruction, known: Known) -> Talk:
    turns, texts = instruction.turns, _texts(instruction, known)
    answers = tuple(index for index, turn in enumerate(turns) if turn.role == "assistant")
    said = {index: sentences(texts[index], index) for index in answers}
    asked = {index: sentences(texts[index - 1], index) for index in answers if index and turns[index - 1].role == "user"}
    both = {index: pair for index, pair in asked.items() if pair and said[index]}
    for index, question in both.items():
        clear = short_answers.resolved(question, said[index], known.lexicon)
        said[index] = (clear, *said[index][1:]) if clear else said[index]
    pairs = tuple((question, said[index]) for index, question in both.items())
    told = tuple(sentence for index in answers for sentence in said[index])
    of_some = {answer[0] for question, answer in pairs if short_answers.narrowed(question, answer, known.lexicon)}
    found = [mention for sentence in told if sentence not in of_some for mention in mentions(sentence, known.lexicon)]
    found += [mention for question, answer in pairs for mention in short_answers.mentions(question, answer, known.lexicon)]
    lowered = tuple(text.lower().replace("’", "'") for text in texts)
    return Talk(instruction, texts, lowered, answers, told, pairs, tuple(found))


def _texts(instruction: Instruction, known: Known) -> tuple[str, ...]:
    texts: list[str] = []
    for turn in instruction.turns:
        text = without_marks(turn.text) if "[[" in turn.text else turn.text
        for quoted in known.written:
            text = text.replace(quoted, " ")
        repeated = bool(texts) and turn.role == "assistant" and _answered(known, texts[-1], text)
        texts.append("" if repeated else text)
    return tuple(texts)


def _answered(known: Known, question: str, answer: str) -> bool:
    """Whether an annotator answered this question, whatever hint stands around it, with these words."""
    if not known.asked:
        return False
    said, given = normalise_text(question), normalise_text(answer)
    return any(given == told and asked in said for asked, told in known.asked)
