"""The closed word classes of English that the reader needs, and numbers in words.

No tagger and no grammar: the words that carry no content are few and fixed, and a sentence that needs more than these to be
understood is left unread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


IMAGE = word_set(
    "image picture scene frame photo photograph tile view imagery snapshot shot chip patch capture footage area map"
)
BE = word_set("is are was were be been being")
PREPOSITIONS = word_set(
    "for of in on at by to from with within near along across around over under through between among amid into onto towards"
    " toward beside behind beyond past against throughout inside outside above below beneath underneath about per as than via"
    " without next close adjacent alongside"
)
CONJUNCTIONS = word_set("and or but nor while whereas although though because so yet that which who where when if plus")
AUXILIARIES = BE | word_set("has have had do does did can")
DETERMINERS = word_set("a an the this that these those its their another each every both all some any no one single")
# Verbs after which the content of a picture is listed.
SHOWING = word_set(
    "show shows showing shown depict depicts depicting feature features featuring contain contains containing include includes"
    " including capture captures capturing display displays displaying reveal reveals revealing present presents presenting"
    " showcase showcases showcasing see observe spot identify detect count portray portrays comprises has have hold holds with"
)
# What may follow a noun that stands for all of its kind: "no ships are visible", "three ships in the image".
PLAIN_ENDINGS = IMAGE | word_set(
    "visible present seen observed detected found shown identified discernible apparent evident here anywhere appear appears"
    " exist exists total altogether overall depicted captured identifiable can be made out in within throughout across the this"
    " whole entire of at all is are spotted noted clearly there counted"
)
# Adjectives that pick nothing out of a kind.
PLAIN_ADJECTIVES = word_set("visible distinct individual separate identifiable detected clear more total cylindrical such")
# Words that take a claim back, or say that it is general, supposed or compared.
HEDGES = word_set(
    "may might could would should possibly perhaps probably likely unlike potentially presumably maybe like suggest suggests"
    " suggesting indicate indicates indicating imply implies implying if unless whether suppose imagine typical typically"
    " usually often generally commonly seem seems suitable intended designed example unclear uncertain possible expected"
    " capable resemble resembles resembling reminiscent mistaken assumed inferred when planned proposed future formerly allow"
    " allows allowing such than compared comparison except exception apart space besides instead rather barely hardly almost"
    " used enough room capacity similar as elsewhere unknown looks"
)
NEGATIONS = word_set(
    "no not without lacks lack lacking absence absent devoid neither nor never none nothing cannot zero free nowhere nobody"
    " isn't aren't wasn't weren't doesn't don't can't n't missing few little hardly"
)
CLAUSE_ENDS = word_set("but while whereas although though where : ( )")

_ONES: tuple[str, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ONES += ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBERS = {word: float(value) for value, word in enumerate(_ONES)} | {word: 10.0 * tens for tens, word in enumerate(_TENS, 2)}
NUMBERS |= {"single": 1.0, "sole": 1.0}
_NUMERAL = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_SCALES = {"dozen": 12.0, "hundred": 100.0}
# Vague amounts with the least number that each can mean.
_VAGUE = {"several": 2.0, "many": 3.0, "numerous": 3.0, "multiple": 2.0, "dozens": 20.0, "hundreds": 100.0, "plenty": 3.0}
_GROUPS = word_set("pair couple group total cluster set row line trio")
_ABOUT = word_set("about around approximately roughly nearly some circa approx")
_AT_LEAST = {("at", "least"), ("more", "than"), ("no", "fewer", "than"), ("no", "less", "than"), ("over",)}
_AT_MOST = {("at", "most"), ("fewer", "than"), ("less", "than"), ("up", "to"), ("no", "more", "than"), ("under",)}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of things as words state it, beginning at word `start`. `tolerance`: share of the number that "about" leaves
    open. `is_upper_bound`: "at most five", which no claim can hold."""

    start: int
    value: float
    at_least: bool = False
    tolerance: float = 0.0
    is_upper_bound: bool = False


def is_negation(word: str) -> bool:
    return word in NEGATIONS or word.endswith("n't")


def clause_start(words: Sequence[str], position: int) -> int:
    """Where the clause begins that a word stands in."""
    return next((i + 1 for i in range(position - 1, -1, -1) if words[i] in CLAUSE_ENDS), 0)


def parse_number(word: str) -> float | None:
    """A single word or numeral as a number: `twelve`, `1,200`, `3.5`; None for what is neither."""
    if word in NUMBERS:
        return NUMBERS[word]
    return float(word.replace(",", "")) if _NUMERAL.fullmatch(word) else None


def quantity_before(words: Sequence[str], stop: int) -> Quantity | None:
    """The number of things that the words before `stop` end with: `three`, `about a dozen`, `a pair of`, `at least 2`."""
    number = _number_before(words, stop)
    if number is None:
        return None
    value, start, at_least = number
    while start and words[start - 1] in {"the", "only", "just", "exactly", "these", "those", "all", "a"}:
        start -= 1
    about = start > 0 and words[start - 1] in _ABOUT and not _is_preposition(words, start - 1)
    bound = {tuple(words[max(0, start - length) : start]) for length in (1, 2, 3)}
    if _is_range_end(words, start):
        return Quantity(start, value, is_upper_bound=True)
    if bound & _AT_MOST and not bound & {("no", "less", "than"), ("no", "fewer", "than")}:
        return Quantity(start, value, is_upper_bound=True)
    return Quantity(start - about, value, at_least or bool(bound & _AT_LEAST), 0.2 if about else 0.0)


def _is_preposition(words: Sequence[str], position: int) -> bool:
    """ "trees are around two courts", where "there are around two courts" gives a number."""
    return position > 1 and words[position] == "around" and words[position - 1] in BE and words[position - 2] != "there"


def _is_range_end(words: Sequence[str], start: int) -> bool:
    """Whether a number at `start` ends `20 to 30`, `two or three`, `between 20 and 30`."""
    if start < 2 or parse_number(words[start - 2]) is None:
        return False
    return words[start - 1] in {"to", "or"} or (words[start - 1] == "and" and "between" in words[max(0, start - 4) : start])


def _number_before(words: Sequence[str], stop: int) -> tuple[float, int, bool] | None:
    """(number, where its words start, whether it is a lower bound)"""
    if stop < 1:
        return None
    last = words[stop - 1]
    if last == "of" and stop > 1:
        if words[stop - 2] in {"pair", "couple", "trio"}:
            return (3.0 if words[stop - 2] == "trio" else 2.0), stop - 2, False
        inner = _number_before(words, stop - 1)
        return inner if inner and words[stop - 2] in {*_VAGUE, *_SCALES} else None
    if last in _VAGUE and words[stop - 2 : stop - 1] not in (("as",), ("how",), ("so",), ("too",)):
        return _VAGUE[last], stop - 1, True
    if last in _SCALES:
        if tuple(words[max(0, stop - 3) : stop - 1]) == ("half", "a"):
            return _SCALES[last] / 2, stop - 3, False
        times = parse_number(words[stop - 2]) if stop > 1 else None
        return (_SCALES[last] * times, stop - 2, False) if times else (_SCALES[last], stop - 1, False)
    value = parse_number(last)
    if value is None:
        return None
    tens = stop > 1 and last in _ONES[1:10] and words[stop - 2] in _TENS
    start = stop - 2 if tens else stop - 1
    value += NUMBERS[words[stop - 2]] if tens else 0
    if start > 1 and words[start - 1] == "of" and words[start - 2] in _GROUPS:
        start -= 2  # "a group of six"
    return value, start, False
