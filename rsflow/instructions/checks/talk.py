"""A conversation as checks read it: the sentences of its answers, the claims in them, and answers beside their questions.

One idea: read once, compare often. Marks of boxes are replaced by their phrases. What annotators wrote of this very picture is
taken out beforehand: it is a fact, and no check doubts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from rsflow.instructions.checks import replies
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.mentions import Mention, mentions
from rsflow.instructions.checks.sentences import Sentence, sentences
from rsflow.instructions.expressions import key
from rsflow.records import Instruction
from rsflow.turns import replace_marks


@dataclass(frozen=True)
class Talk:
    """An instruction, read beside what is known of its tile."""

    instruction: Instruction
    known: Known

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every turn without its marks and without what annotators wrote."""
        texts: list[str] = []
        for turn in self.instruction.turns:
            text = replace_marks(turn.text, lambda found: found.phrase) if "[[" in turn.text else turn.text
            for quoted in self.known.written:
                text = text.replace(quoted, " ")
            repeated = bool(texts) and turn.role == "assistant" and self._asked(texts[-1], text)
            texts.append("" if repeated else text)
        return tuple(texts)

    @cached_property
    def lowered(self) -> tuple[str, ...]:
        """The same in lower case, with plain apostrophes."""
        return tuple(text.lower().replace("’", "'") for text in self.texts)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Those of the answers."""
        return tuple(sentence for turn in self.answers for sentence in sentences(self.texts[turn], turn))

    @cached_property
    def answers(self) -> tuple[int, ...]:
        """Indices of the assistant's turns."""
        return tuple(index for index, turn in enumerate(self.instruction.turns) if turn.role == "assistant")

    @cached_property
    def pairs(self) -> tuple[tuple[tuple[Sentence, ...], tuple[Sentence, ...]], ...]:
        """The sentences of each question and of its answer, as far as an answer follows a question and says anything."""
        turns = self.instruction.turns
        pairs = [
            (tuple(sentences(self.texts[index - 1], index)), tuple(one for one in self.sentences if one.turn == index))
            for index in self.answers
            if index and turns[index - 1].role == "user"
        ]
        return tuple((question, answer) for question, answer in pairs if question and answer)

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """What the answers' sentences say of things, and then what short answers say with the help of their questions."""
        lexicon = self.known.lexicon
        stated = (found for sentence in self.sentences for found in mentions(sentence, lexicon))
        replied = (found for question, answer in self.pairs for found in replies.mentions(question, answer, lexicon))
        return (*stated, *replied)

    def of_turn(self, turn: int) -> Iterator[Sentence]:
        return (sentence for sentence in self.sentences if sentence.turn == turn)

    def _asked(self, question: str, answer: str) -> bool:
        """Whether an annotator answered this question, whatever hint stands around it, with these words."""
        if not self.known.asked:
            return False
        said, given = key(question), key(answer)
        return any(given == known and asked in said for asked, known in self.known.asked)
