"""Whether the parts of a record agree: the number in a text and the boxes it lists, the question and the kind of its answer.

Only claims that can mean one thing are compared. A number counts boxes where it stands before a noun and the boxes
follow with nothing but connecting words between; "three of them, one at [...]" is left alone. Across the exchanges on one
picture, three kinds of question speak of one category and must agree: how many there are, whether there is one, where all are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rsflow.audit.records.duplicate_texts import closed_answer
from rsflow.imports.box_formats import find_boxes
from rsflow.imports.conversation import Conversation, Exchange
from rsflow.imports.label_parsing import match_phrasing
from rsflow.instructions.phrasings import HINT
from rsflow.instructions.wording.english import NUMBER_WORDS, singular_form, singular_noun

_FOUR = r"\s*-?[\d.eE+-]+\s*(?:,\s*-?[\d.eE+-]+\s*)+"
_PLACES: dict[str, re.Pattern[str]] = {
    "geochat": re.compile(r"\{\s*(?:<[^<>]*>\s*)+(?:\|[^{}]*)?\}"),
    "internvl": re.compile(r"<box>.*?</box>", re.DOTALL),
    "qwen2": re.compile(r"<\|box_start\|>.*?<\|box_end\|>", re.DOTALL),
    **dict.fromkeys(("qwen", "qwen3"), re.compile(r'\{[^{}]*"bbox_2d"[^{}]*\}')),
    **dict.fromkeys(("llava", "mmrs", "pixels"), re.compile(rf"\[{_FOUR}(?:;{_FOUR})*\]")),
}
_TAGS = re.compile(r"</?(?:p|ref)>|<\|object_ref_(?:start|end)\|>|<delim>")
_NUMBER = rf"\d{{1,3}}|{'|'.join(NUMBER_WORDS)}"
_BEFORE = r"(?:^|[.!?:;,\n]\s*|\b(?:is|are|were|and|with|has|have|sees?|shows?|contains?|includes?|found|detect(?:ed)?)\s+)"
_BETWEEN = (
    r"(?:[\s.,:;()\[\]]|\b(?:in|on|at|the|this|here|of|image|picture|scene|remote|sensing|satellite|aerial|shown|visible|"
    r"present|found|detected|and|they|their|them|these|is|are|located|locations?|positions?|coordinates?|horizontal|oriented|"
    r"bounding|box|boxes|given|by|as|follows|following|below)\b)*"
)
_STATED_NUMBER = re.compile(
    rf"{_BEFORE}({_NUMBER})\s+((?:[^\W\d_][\w/-]*\s+){{0,3}}?[^\W\d_][\w/-]*)\s*{_BETWEEN}\s*"
    r"(\0(?:[\s,;\[\]]*(?:\band\b)?[\s,;\[\]]*\0)*)",
    re.IGNORECASE,
)
_PICTURE = (
    r"(?:\s+(?:in|on)\s+(?:this|the)\s+(?:(?:given|provided|remote sensing|satellite|aerial|sar|infrared)\s+)*"
    r"(?:image|picture|scene))?"
)
_HOW_MANY = re.compile(
    r"(?:how many|what is the number of)\s+([\w /-]+?)"
    rf"(?:\s+(?:are|is)(?:\s+(?:there|visible|present|shown))?)?{_PICTURE}\s*\??",
    re.I,
)
_IS_THERE = re.compile(rf"(?:is|are)\s+there\s+(?:an?|any)\s+([\w /-]+?)(?:\s+(?:visible|present))?{_PICTURE}\s*\??", re.I)
_AMOUNT = re.compile(
    rf"\d|\b(?:{'|'.join(NUMBER_WORDS)}|many|few|several|some|couple|dozens?|hundreds?|thousands?|hundred|zero|none|no|any|"
    r"lots?|numerous|multiple|more|less|about|around|between|eleven|twelve|\w+teen|twenty|thirty|\w+ty|unknown|unclear)\b",
    re.IGNORECASE,
)
_HINT = re.compile(rf"{re.escape(HINT)}\s*$", re.IGNORECASE)
_LINKED = re.compile(r"\b(?:of|at|in|on|near|with|and|or|to|from|by)\b", re.I)
_PART = re.compile(r"\b(?:left|right|top|bottom|upper|lower|larger?|smaller?)\b", re.I)  # of the picture, or of the objects


def find_miscounts(conversation: Conversation, form: str) -> Iterator[str]:
    """Answers that say another number than they give boxes: "There are 3 ships" before two."""
    for exchange in conversation.exchanges:
        for number, name, given in stated_and_given_counts(exchange.answer, form):
            if number != given:
                yield f"says {number} {name} and gives {given}: {exchange.answer[:80]!r}"


def stated_and_given_counts(text: str, form: str) -> Iterator[tuple[int, str, int]]:
    """(stated number, noun, boxes that follow) for every counted noun that is followed by boxes."""
    bare = _TAGS.sub(" ", _PLACES[form].sub(lambda found: "\0" * sum(1 for _ in find_boxes(found[0], form)), text))
    for found in _STATED_NUMBER.finditer(bare) if "\0" in bare else ():
        number = int(found[1]) if found[1].isdigit() else NUMBER_WORDS.index(found[1].lower())
        # "3 storey building" counts no buildings, and "2 lanes of cars" no cars.
        if (number == 1 or _is_plural(found[2])) and not _LINKED.search(found[2]):
            yield number, found[2], found[3].count("\0")


def find_wrong_answer_kinds(conversation: Conversation, form: str) -> Iterator[str]:
    """Questions for a number that are answered with something else, and questions for yes or no answered with a number."""
    for exchange in conversation.exchanges:
        question, answer = _question_text(exchange), closed_answer(exchange, form)
        if answer is None:
            continue
        is_number = re.fullmatch(r"-?\d+(?:\.\d+)?", answer) is not None
        if _HOW_MANY.fullmatch(question) and (not _AMOUNT.search(answer) if not is_number else not answer.isdigit()):
            yield f"{exchange.question[:60]!r} asks for a number, its answer is {exchange.answer[:20]!r}"
        elif _IS_THERE.fullmatch(question) and is_number:
            yield f"{exchange.question[:60]!r} asks for yes or no, its answer is {exchange.answer[:20]!r}"


@dataclass
class CategoryCounts:
    """How many objects of a category the exchanges on a picture speak of: (least, most, record, question) by both.

    One question with two answers is reported by rsflow.audit.records.duplicate_texts instead.
    """

    form: str
    _known: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)

    def add(self, number: int, conversation: Conversation) -> Iterator[tuple[int, str]]:
        """(earlier record, what differs) for what this record says otherwise than one before."""
        for exchange in conversation.exchanges:
            for name, least, most in parse_counts(exchange, self.form):
                key = hash((conversation.pictures, name.casefold()))
                before = self._known.setdefault(key, (least, most, number, hash(exchange.question)))
                if max(least, before[0]) > min(most, before[1]) and before[3] != hash(exchange.question):
                    yield before[2], f"{name}: {_range(*before[:2])} and {_range(least, most)} on {conversation.pictures[0]}"
                elif most - least < before[1] - before[0]:
                    self._known[key] = (least, most, number, hash(exchange.question))


UNBOUNDED = 1 << 30


def parse_counts(exchange: Exchange, form: str) -> Iterator[tuple[str, int, int]]:
    """(category, least, most) of what an exchange says of a whole category of its picture."""
    question, answer = _question_text(exchange), closed_answer(exchange, form)
    if (many := _HOW_MANY.fullmatch(question)) and answer and answer.isdigit():
        yield from _named(many[1], int(answer), int(answer))
    elif (one := _IS_THERE.fullmatch(question)) and answer in {"yes", "no"}:
        yield from _named(one[1], *((1, UNBOUNDED) if answer == "yes" else (0, 0)))
    elif match_phrasing(question)[0] == "detection_one":
        count = sum(1 for _ in find_boxes(exchange.answer, form))
        yield from _named(match_phrasing(question)[1].get("many", ""), count, count)


def _named(words: str, least: int, most: int) -> Iterator[tuple[str, int, int]]:
    name = singular_noun(words)
    if name and not _LINKED.search(words) and not _PART.search(words):
        yield name, least, most


def _question_text(exchange: Exchange) -> str:
    return _HINT.sub("", exchange.question).strip()


def _is_plural(words: str) -> bool:
    last = words.split()[-1].lower()
    return singular_form(last) != last


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"at least {least}"
