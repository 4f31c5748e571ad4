"""Which numbers count all that the picture shows, and not some of it.

Whatever picks some of the things ("two large ships", "ships at the pier", "the top row has two ships") leaves a number a lower
bound. It is a count of all only in the few frames that say so: "there are two ships", "the image shows two ships and a bridge",
"two ships are visible".
"""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.instructions.reader.parsing.mentions import Mention
from rsflow.instructions.reader.parsing.places import Place
from rsflow.instructions.reader.parsing.words import (
    BE,
    CLAUSE_ENDS,
    IMAGE,
    PLAIN_ENDINGS,
    SHOWING,
    is_negation,
    parse_number,
    word_set,
)

JOINERS = word_set(", and or nor plus also any a an as well")
_NOT_OF_ALL = word_set(
    "left right above below third second ones them row rows column each every group cluster side half part pair corner other"
    " another others remaining rest"
)


def find_complete(words: Sequence[str], found: Sequence[Mention], places: Sequence[Place]) -> set[int]:
    """The starts of the mentions whose number is of all of them."""
    complete: set[int] = set()
    listed: Mention | None = None
    for number, each in enumerate(found):
        is_first = number == 0
        gap = _without_places(words, found[number - 1].stop if number else 0, each.start, places)
        is_listed = (listed is not None and {*gap} <= JOINERS) or (is_first and _opens_list(gap))
        subject = is_first and not gap and _says_visible(words[each.stop : each.stop + 6])
        listed = each if is_listed or subject else None
        following = found[number + 1].start if number + 1 < len(found) else len(words)
        if (
            (
                (is_listed or subject)
                and each.quantity
                and not each.is_narrowed
                and ends_plainly(words, each.stop, following, places)
            )
            or (
                each.is_definite
                and each.quantity
                and {*words[each.stop : each.stop + 2]} == {"in", "the"}
                and _is_image(words, each.stop + 2)
            )
            or (each.is_all and each.quantity and {*words[each.stop : each.stop + 1]} <= BE)
        ):
            complete.add(each.start)
    return complete


def _is_image(words: Sequence[str], position: int) -> bool:
    return position < len(words) and words[position] in IMAGE


def _without_places(words: Sequence[str], start: int, stop: int, places: Sequence[Place]) -> list[str]:
    inside = {position for place in places for position in range(place.start, place.stop)}
    return [words[i] for i in range(start, stop) if i not in inside]


def _opens_list(before: Sequence[str]) -> bool:
    """`there are`, `the image shows`, `we can see`: what opens a list of all that there is."""
    while before and before[0] == ",":
        before = before[1:]
    if not before or {*before} & _NOT_OF_ALL:
        return False
    if before[-1] in BE:
        return "there" in before[-2:]
    if before[-2:] == ["with", "only"]:
        return True
    is_of_picture = bool({*before} & (IMAGE | {"i", "we", "you", "it"}))
    return before[-1] in SHOWING and is_of_picture


def is_unqualified(words: Sequence[str], mention: Mention) -> bool:
    """Whether nothing in the sentence picks some of the things or mentions others: `three ships float on the water`."""
    numbers = sum(parse_number(word) is not None for word in (*words[: mention.start], *words[mention.stop :]))
    is_several = mention.quantity is not None and mention.quantity.value > 1
    return is_several and not (mention.is_definite or mention.is_narrowed or numbers or _NOT_OF_ALL & {*words})


def _says_visible(after: Sequence[str]) -> bool:
    return (
        after[:1] != ()
        and after[0] in BE | {"can"}
        and bool({*after[:3]} & word_set("visible seen present spotted identified"))
    )


def ends_plainly(words: Sequence[str], start: int, stop: int, places: Sequence[Place], is_denial: bool = False) -> bool:
    """Whether nothing behind a mention picks some of the things; `is_denial`: the words may deny them."""
    for word in _without_places(words, start, stop, places):
        if word in CLAUSE_ENDS or word in {",", "and", "or", "plus"}:
            return True
        if word not in PLAIN_ENDINGS and not (is_denial and (is_negation(word) or word in {"be", "to"})):
            return False
    return True
