"""Whether a number, or a denial, is of some of the things alone.

Everything in a sentence that picks some out counts, adjectives in front ("two large ships") as well as what stands
behind ("the two ships near the pier", "only one ship is longer") or around ("the top row holds two ships"). Such a number
must only not be too large.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.instructions.checks import english
from rsflow.instructions.checks.amounts import Quantity
from rsflow.instructions.checks.english import IDLE, word_set
from rsflow.instructions.checks.negation import denial_ends
from rsflow.instructions.checks.quantities import Before

ROW = 8  # words behind a noun in which the row that it is in may be told
_SUBSETS = word_set("other others another remaining rest additional further second also these those them")
_ROW = word_set("row column line cluster group block")
_THAT = word_set("the this that each every first second third last")
_ONLY = word_set("only just merely sole")
_EACH = word_set("each per apiece")
_ANYWHERE = english.IMAGE | {"total", "view", "all", "sight", "this"}


def narrowed(words: Sequence[str], clause: int, statement: int, before: Before, number: Quantity | None, stop: int) -> bool:
    """For the noun that ends before word `stop`; `clause` and `statement` are where what is said of it may begin at the latest
    and at the earliest."""
    start = before.start
    return (
        not IDLE.issuperset(before.adjectives)
        or before.determiner in _SUBSETS
        or before.subset
        or words[stop : stop + 2] == ("on", "either")  # "one ship on either side" is two
        or not _EACH.isdisjoint((*words[clause:start], *words[stop : stop + 4]))
        or _of_a_row(words[statement:start])
        or _of_a_row(words[stop : stop + ROW])
        or (number is not None and (_lie(words[stop:]) or _picks_some(words, before, number, stop)))
    )


def _of_a_row(words: Sequence[str]) -> bool:
    """`the lower row contains six planes`, `six planes in the row`."""
    for at, word in enumerate(words):
        if word in _ROW and not (english.SHOWING.isdisjoint(words[at + 1 : at + 2]) and _THAT.isdisjoint(words[:at][-3:])):
            return True
    return False


def _picks_some(words: Sequence[str], before: Before, number: Quantity, stop: int) -> bool:
    """`only one ship is longer`, `the two ships in the middle of the row`."""
    if number.total and not _ONLY.isdisjoint(words[before.start : stop]) and not denial_ends(words, stop):
        return True
    after = words[stop : stop + 4]
    picks = bool(after) and after[0] in english.PREPOSITIONS and english.IMAGE.isdisjoint(after) and "total" not in after
    return picks and before.determiner == "the"


def _lie(words: Sequence[str]) -> bool:
    """`two people are at the kerb`, but not `two people are in the image`."""
    return bool(words[1:] and words[0] in english.BE and words[1] in english.PREPOSITIONS and _ANYWHERE.isdisjoint(words[:5]))
