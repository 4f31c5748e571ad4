"""A conversation as the reader takes it: the sentences of its answers, short answers completed from their questions.

Marks of boxes are replaced by their phrases. What annotators wrote of this very picture is taken out beforehand: it is a fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rsflow.instructions.facts.expressions import normalise_text
from rsflow.instructions.reader.parsing.read_sentence import ReadSentence, read_sentence
from rsflow.instructions.reader.parsing.sentences import Sentence, split_sentences
from rsflow.instructions.reader.parsing.tile_words import TileWords
from rsflow.instructions.reader.parsing.words import BE, DETERMINERS, parse_number, word_set
from rsflow.records import Instruction
from rsflow.text.turns import without_marks

YES_NO_OPENINGS = word_set("is are does do can could has have did was were")
_PRONOUNS = {"it": ("it", "its"), "they": ("they", "their"), "it's": ("it",), "they're": ("they",)}
_SHORT = 7  # words: a longer answer speaks for itself
_FORM_REQUEST = ("answer", "reply", "respond")


@dataclass(frozen=True, slots=True)
class Statement:
    """Words of the answer in turn `turn`, as they stand or completed from the question. `is_number_asked`: it answers "how
    many", so that its number is of all of them. `is_alone`: the answer is this one sentence."""

    turn: int
    words: tuple[str, ...]
    is_number_asked: bool = False
    is_alone: bool = False


@dataclass(frozen=True)
class Conversation:
    """`texts`: every turn without marks and without what annotators wrote."""

    instruction: Instruction
    tile: TileWords

    @cached_property
    def texts(self) -> tuple[str, ...]:
        texts: list[str] = []
        for turn in self.instruction.turns:
            text = without_marks(turn.text) if "[[" in turn.text else turn.text
            for quoted in self.tile.annotator_texts:
                text = text.replace(quoted, " ")
            is_repeated = bool(texts) and turn.role == "assistant" and self._is_annotators(texts[-1], text)
            texts.append("" if is_repeated else text)
        return tuple(texts)

    @cached_property
    def answers(self) -> tuple[int, ...]:
        """Positions of the assistant's turns."""
        return tuple(index for index, turn in enumerate(self.instruction.turns) if turn.role == "assistant")

    @cached_property
    def sentences(self) -> dict[int, tuple[Sentence, ...]]:
        """By turn: those of every question and answer."""
        return {turn: split_sentences(text, turn) for turn, text in enumerate(self.texts)}

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        found: list[Statement] = []
        for turn in self.answers:
            answer = self.sentences[turn]
            question = self.sentences[turn - 1] if turn and self.instruction.turns[turn - 1].role == "user" else ()
            completed = _complete_answer(question, answer, self.tile) if question and answer else None
            found += [completed] if completed else []
            is_alone = len(answer) == 1 and len(self.answers) == 1
            rest = answer[1:] if completed else answer
            found += [Statement(turn, sentence.words, is_alone=is_alone) for sentence in rest]
        return tuple(found)

    def question_of(self, turn: int) -> str:
        return self.texts[turn - 1] if turn else ""

    def _is_annotators(self, question: str, answer: str) -> bool:
        """Whether an annotator answered this question, whatever hint stands around it, with these words."""
        question_text, given = normalise_text(question), normalise_text(answer)
        return any(given == answered and known in question_text for known, answered in self.tile.annotator_answers)


def _complete_answer(sentences: Sequence[Sentence], answer: Sequence[Sentence], tile: TileWords) -> Statement | None:
    """The first sentence of an answer as a statement that needs no question; None where it stands for itself."""
    question = next((one.words for one in reversed(sentences) if not one.words[0].startswith(_FORM_REQUEST)), ())
    words, turn = answer[0].words, answer[0].turn
    if not question:
        return None
    read = read_sentence(question, tile)
    number_asked = question[:2] == ("how", "many") or question[0] == "count"
    if words[0] in {"yes", "no"} and words[1:2] in ((), (",",)):
        return _yes_or_no(question, words, turn, read)
    if number_asked and len(read.mentions) == 1:
        return _number(question, words, turn, read, tile)
    if words[0] in _PRONOUNS and len(read.mentions) == 1 and "or" not in question and not read.mentions[0].place:
        return Statement(turn, (*_subject(question, read), *_after_pronoun(words)))
    if len(words) > _SHORT:
        return None
    return _fragment(question, words, turn, read, tile)


def _after_pronoun(words: Sequence[str]) -> tuple[str, ...]:
    if words[0].endswith("'s") or words[0].endswith("'re"):
        return ("is" if words[0].endswith("'s") else "are", *words[1:])
    return tuple(words[1:])


def _subject(question: Sequence[str], read: ReadSentence) -> tuple[str, ...]:
    mention = read.mentions[0]
    phrase = tuple(word for word in question[mention.start : mention.stop] if word not in DETERMINERS | {"the", "any"})
    return ("the", *phrase)


def _yes_or_no(question: Sequence[str], words: Sequence[str], turn: int, read: ReadSentence) -> Statement | None:
    """`are there any ships on the left? no`: `there are no ships on the left`."""
    rest = [word for word in words[1:] if word != ","]
    if rest:
        return Statement(turn, tuple(rest))
    if question[0] not in YES_NO_OPENINGS or question[1:2] != ("there",) or "or" in question:
        if words[0] == "yes" and question[0] in {"are", "is"} and len(read.mentions) == 1 and read.mentions[0].start == 1:
            return Statement(turn, (*question[1 : read.mentions[0].stop], question[0], *question[read.mentions[0].stop :]))
        return None
    content = list(question[2:])
    if words[0] == "yes":
        return Statement(turn, ("there", "are", *content))
    if len(read.mentions) != 1 or content[:1] == ["more"]:
        return None
    return Statement(turn, ("there", "are", "no", *(content[1:] if content[0] in {"a", "an", "any"} else content)))


def _number(question: Sequence[str], words: Sequence[str], turn: int, read: ReadSentence, tile: TileWords) -> Statement | None:
    """`how many ships are on the left? three`: `there are three ships on the left`."""
    mention = read.mentions[0]
    rest = tuple(
        word for word in question[mention.stop :] if word not in BE | {"there", "visible", "can", "be", "seen", "do", "you"}
    )
    reply = read_sentence(words, tile).mentions
    number = words[0] if len(words) == 1 and parse_number(words[0]) is not None else ""
    if not number and len(reply) == 1 and len(words) <= 4 and reply[0].quantity and reply[0].noun == mention.noun:
        number = " ".join(words[: len(words) - (mention.stop - mention.start)])
        number = number if all(word.isalnum() for word in number.split()) else ""
    if number in {"zero", "0"}:
        number = "no"
    if number:
        return Statement(
            turn, ("there", "are", *number.split(), *question[2 : mention.stop], *rest), is_number_asked=number != "no"
        )
    if reply and reply[0].noun == mention.noun and reply[0].quantity:
        return Statement(turn, tuple(words), is_number_asked=not mention.place or reply[0].place is not None)
    return None


def _fragment(
    question: Sequence[str], words: Sequence[str], turn: int, read: ReadSentence, tile: TileWords
) -> Statement | None:
    text = " ".join(question)
    if question[0] == "where" and len(read.mentions) == 1 and not read_sentence(words, tile).mentions:
        given = read_sentence(("at", *words), tile)
        if given.places and given.places[0].start <= 1:
            return Statement(
                turn, (*_subject(question, read), "is", "in", "the", *(w for w in words if w not in {"in", "the", "at", "on"}))
            )
        if "relative" in question or "from" in question:
            return None
    if "dominant" in question and "cover" in question:
        return Statement(turn, ("the", "scene", "is", "dominated", "by", *words))
    if ("dominant" in question or "main" in question) and {"colour", "color"} & {*question}:
        return Statement(turn, ("the", "image", "is", "mainly", *words))
    cover = next(
        (spelling for first in tile.covers for spelling in tile.covers[first] if f" {' '.join(spelling.words)}" in text), None
    )
    if cover and {"share", "percentage", "percent", "proportion", "fraction"} & {*question}:
        return Statement(turn, (*words, "is", *cover.words))
    if question[0] == "what" and len(read.places) == 1 and not read.mentions and len(read_sentence(words, tile).mentions) == 1:
        place = read.places[0]
        return Statement(turn, ("there", "is", *words, *question[place.start : place.stop]))
    return None


def read_statements(conversation: Conversation) -> Iterator[tuple[Statement, ReadSentence]]:
    antecedent, turn = "", 0
    for statement in conversation.statements:
        antecedent = antecedent if statement.turn == turn else ""
        sentence = read_sentence(statement.words, conversation.tile, antecedent)
        nouns = {mention.noun for mention in sentence.mentions}
        antecedent, turn = next(iter(nouns)) if len(nouns) == 1 else "", statement.turn
        yield statement, sentence
