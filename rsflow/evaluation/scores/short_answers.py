"""Short answers as values: yes or no, numbers, shares, names; compared as the benchmarks of the field compare them.

Numbers follow RSVQA (https://arxiv.org/abs/2003.07333): a count is right when it is the same; the error is reported beside.
Texts are compared without case, articles and punctuation, as VQA does (https://visualqa.org/evaluation.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ARTICLES = {"a", "an", "the"}
_SMALL_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_WORDS = {word: number for number, word in enumerate(_SMALL_NUMBERS)}
_NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")


def normalise(text: str) -> str:
    """Lower case, no punctuation or articles, single spaces."""
    words = re.sub(r"[^\w%.\-]+", " ", text.lower()).split()
    return " ".join(word.strip(".-") for word in words if word.strip(".-") and word not in _ARTICLES)


def parse_yes_no(text: str) -> bool | None:
    """What an answer says, by its first word that says it; None where none does."""
    for word in normalise(text).split():
        if word in {"yes", "true"}:
            return True
        if word in {"no", "false", "not", "none"}:
            return False
    return None


def parse_number(text: str) -> float | None:
    """The only number in an answer, in digits or words up to twenty; None where there is none, or several different ones."""
    found = {float(match.replace(",", "")) for match in _NUMBER.findall(text)}
    found |= {float(_WORDS[word]) for word in normalise(text).split() if word in _WORDS and (word != "one" or not found)}
    if not found and parse_yes_no(text) is False:
        return 0.0
    return found.pop() if len(found) == 1 else None


def parse_share(text: str) -> float | None:
    """A share of 1: "about 35 %" is 0.35; a number from 0 to 1 without a percent sign is itself."""
    number = parse_number(text)
    if number is None:
        return None
    percent = "%" in text or "percent" in text.lower() or number > 1
    share = number / 100 if percent else number
    return share if 0 <= share <= 1 else None


def named_values(text: str, values: Iterable[str]) -> set[str]:
    """Which of the values an answer names, normalised; a value within a longer one that is named ("left" in "upper left") is
    not.
    """
    rest, found = normalise(text), set()
    for value in sorted({normalise(value) for value in values}, key=lambda value: (-len(value), value)):
        pattern = rf"(?<!\w){re.escape(value)}(?!\w)"
        if value and re.search(pattern, rest):
            found.add(value)
            rest = re.sub(pattern, "|", rest)
    return found


def mentions(text: str, value: str) -> bool:
    """Whether an answer is the value, or a sentence that holds it as whole words."""
    return re.search(rf"(?<!\w){re.escape(normalise(value))}(?!\w)", normalise(text)) is not None
