"""Numbers that stand for things just named: `two planes: one in the upper left, another on the right`.

A number without a noun of its own, after a list went on, counts some of the last plural; any other number in between
may be what it stands for, and then it stands for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.instructions.checks import english
from rsflow.instructions.checks.amounts import Quantity
from rsflow.instructions.checks.english import word_set
from rsflow.instructions.checks.mention import Mention

_ONES = english.NUMBERS.keys() | {"another", "other", "remaining"}
_JOINS = word_set(", and with while : ( – —")
_WHAT_FOLLOWS = word_set(
    "is are at in on near along toward towards lies lie sits sit stands stand located positioned situated further"
)


def pronouns(found: list[Mention]) -> list[Mention]:
    """With numbers that stand for things just named: `two planes: one in the upper left, another on the right`. What they count
    is some of them alone."""
    result: list[Mention] = []
    for mention, upto in zip(found, [*(other.start for other in found[1:]), None], strict=True):
        result.append(mention)
        words = mention.sentence.words
        behind = words[mention.stop : upto]
        if mention.hedged or mention.denied or not mention.plural or _ONES.isdisjoint(behind):
            continue
        for at in range(mention.stop, len(words) if upto is None else upto):
            if words[at] in _ONES and _stands_for_one(words, at):
                number = words[at + 1] if words[at] == "remaining" else words[at]
                value = english.number(number) or (1 if number in {"another", "other"} else 0)
                if not value:
                    break
                count = Quantity(value, value, number)
                result.append(
                    Mention(mention.sentence, at, at + 1, mention.sense, value > 1, count, narrowed=True, picked=mention.picked)
                )
            elif english.number(words[at]) is not None:
                break  # "the ships pass two islands, one on the left"
    return result


def _stands_for_one(words: Sequence[str], at: int) -> bool:
    """Whether a number has no noun of its own: a list goes on before it, and a verb or a place follows."""
    before = words[at - 2 : at] if words[at - 1] == "the" else words[at - 1 : at]
    rest = words[at + 1 : at + 4]
    if words[at] == "remaining":
        rest = rest[1:]
    if rest[:1] in {("more",), ("others",), ("other",)}:
        rest = rest[1:]
    return before[0] in _JOINS and rest[:1] != () and rest[0] in _WHAT_FOLLOWS
