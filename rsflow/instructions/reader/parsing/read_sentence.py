"""A sentence with its mentions: what it names of the tile, how many, where, and what it denies.

What it only supposes, compares or states in general is cut off first. A mention behind a negation that is no denial is dropped:
its statement is not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rsflow.instructions.reader.parsing.completeness import JOINERS, ends_plainly, find_complete, is_unqualified
from rsflow.instructions.reader.parsing.mentions import Mention, find_mentions
from rsflow.instructions.reader.parsing.places import Place, find_places
from rsflow.instructions.reader.parsing.tile_words import TileWords
from rsflow.instructions.reader.parsing.words import (
    AUXILIARIES,
    BE,
    CLAUSE_ENDS,
    HEDGES,
    SHOWING,
    clause_start,
    is_negation,
    parse_number,
    word_set,
)

_SEPARATORS = word_set(", and with which near from towards toward to facing but while whereas where : ( )")

_DENIED_BY_TAIL = (
    ("not", "visible"), ("not", "present"), ("not", "seen"), ("absent",), ("nowhere",), ("be", "seen", "nowhere"), ("missing",)
)  # fmt: skip

# Hedges before which the clause stands as it is; of others the whole clause is supposed.
_CUTTING = word_set(
    "room space capacity enough when suggesting indicating implying allowing like unlike such compared exception except"
)
_HEDGES_WITH = {"apart": "from", "space": "for", "room": "for", "capacity": "for"}  # with what they are hedges


@dataclass(frozen=True)
class ReadSentence:
    """A sentence without what it supposes, with its mentions and the places that it names."""

    words: tuple[str, ...]
    mentions: tuple[Mention, ...]
    places: tuple[Place, ...]


def read_sentence(words: Sequence[str], tile: TileWords, antecedent: str = "") -> ReadSentence:
    """`antecedent`: the noun that "of them" stands for, where the sentence names none before it."""
    words = _drop_supposed(words)
    places = tuple(find_places(words))
    found = _mark_denials(words, find_mentions(words, places, tile, antecedent), places)
    placed = _add_places(words, found, places)
    complete = find_complete(words, placed, places)
    mentions = tuple(
        replace(each, is_complete=each.is_complete or each.start in complete, is_unqualified=is_unqualified(words, each))
        for each in placed
    )
    return ReadSentence(tuple(words), mentions, places)


def _drop_supposed(words: Sequence[str]) -> tuple[str, ...]:
    """The words before the clause with the first hedge; all of them where there is none."""
    position = next((i for i, word in enumerate(words) if word in HEDGES and not _is_no_hedge(words, i)), None)
    if position is None:
        return tuple(words)
    ends = [i for i in range(position) if words[i] in CLAUSE_ENDS or words[i] in {",", "which", "that", "and"}]
    kept = tuple(words[:position] if words[position] in _CUTTING else words[: ends[-1]] if ends else ())
    return kept if {*kept} & (AUXILIARIES | SHOWING) else ()


def _is_no_hedge(words: Sequence[str], position: int) -> bool:
    """ "more than three", "at most": bounds of numbers; "as well as", "almost 40 %"."""
    word, after = words[position], words[position + 1 : position + 2]
    if word in _HEDGES_WITH:
        return not after or after[0] != _HEDGES_WITH[word]
    before = words[max(0, position - 6) : position]
    if word == "than":
        return bool({"more", "fewer", "less"} & {*before}) and not {"larger", "longer", "smaller"} & {*before}
    if word == "as":
        is_number = "many" in after or ("many" in before and "as" in before)
        return is_number or "well" in {*after, *before[-1:]} or bool({*before[-1:]} & word_set("appear appears seen visible"))
    return word == "almost" and bool(after) and (parse_number(after[0]) is not None or after[0] in {"half", "all"})


def _mark_denials(words: Sequence[str], found: Sequence[Mention], places: Sequence[Place]) -> list[Mention]:
    """The mentions that are denied, and those that no negation stands before in their clause."""
    kept: list[Mention] = []
    for each in found:
        clause = clause_start(words, each.start)
        following = min((other.start for other in found if other.start >= each.stop), default=len(words))
        if each.is_denied:
            kept.append(each)
        elif _is_denied(words, each, kept[-1] if kept else None):
            is_plain = not each.quantity and ends_plainly(words, each.stop, following, places, is_denial=True)
            kept.append(replace(each, is_denied=True, quantity=None, is_narrowed=each.is_narrowed or not is_plain))
        elif not any(map(is_negation, (*words[clause : each.start], *_until_break(words[each.stop : each.stop + 4])))):
            kept.append(each)
    return kept


def _until_break(words: Sequence[str]) -> Sequence[str]:
    return words[: next((i for i, word in enumerate(words) if word in CLAUSE_ENDS or word in {",", "and", "or"}), len(words))]


def _is_denied(words: Sequence[str], mention: Mention, before: Mention | None) -> bool:
    front = tuple(words[max(0, mention.start - 2) : mention.start])
    if front[-1:] in (("no",), ("without",), ("lacks",), ("neither",), ("nor",), ("zero",)):
        return True
    clause = words[clause_start(words, mention.start) : mention.start]
    if front[-1:] == ("any",) and (is_negation(front[0]) or "nor" in clause):
        return True
    if front in {("free", "of"), ("devoid", "of"), ("void", "of"), ("empty", "of"), ("absence", "of"), ("no", "visible")}:
        return True
    if before and before.is_denied and {*words[before.stop : mention.start]} <= JOINERS | {"no"}:
        return True
    tail = [word for word in words[mention.stop : mention.stop + 5] if word not in BE and word not in {"be", "can"}]
    return any(tuple(tail[: len(sign)]) == sign for sign in _DENIED_BY_TAIL) or tail[:2] == ["cannot", "seen"]


def _add_places(words: Sequence[str], found: Sequence[Mention], places: Sequence[Place]) -> list[Mention]:
    """Each mention with the place that is named behind it, or in front of the list that it is in."""
    placed: list[Mention] = []
    front: Place | None = None
    for number, each in enumerate(found):
        following = found[number + 1].start if number + 1 < len(found) else len(words)
        behind = next(
            (p for p in places if each.stop <= p.start < following and not _separates(words[each.stop : p.start])), None
        )
        is_joined = number > 0 and {*words[found[number - 1].stop : each.start]} <= JOINERS | {"no"}
        front = front if is_joined else _place_in_front(words, each.start, found[number - 1].stop if number else 0, places)
        placed.append(replace(each, place=behind or front))
    return placed


def _place_in_front(words: Sequence[str], start: int, earlier: int, places: Sequence[Place]) -> Place | None:
    """`in the upper left there are`, `the left half contains`: a place at the start of the clause."""
    for place in places:
        first = place.start - 1 if words[place.start - 1 : place.start] == ("the",) else place.start
        opens = first == 0 or words[first - 1] in CLAUSE_ENDS or words[first - 1] in {",", "and"}
        between = words[place.stop : start]
        if opens and earlier <= place.start and place.stop <= start and len(between) <= 8:
            is_listed = not between or between[0] == "," or {*between} & (BE | {"there"} | SHOWING)
            return place if is_listed and not {*between} & (CLAUSE_ENDS | {"and"}) else None
    return None


def _separates(between: Sequence[str]) -> bool:
    if tuple(between[-2:]) == ("close", "to"):
        between = between[:-2]
    joint = max((i for i, word in enumerate(between[:-1]) if word in {",", "and"} and _goes_on(between[i + 1])), default=-1)
    before, rest = between[: max(0, joint)], between[joint + 1 :]
    rest = [word for at, word in enumerate(rest) if tuple(rest[at : at + 2]) != ("to", "be")]  # "to be found" is no "next to"
    has_number = any(parse_number(word) is not None for word in rest)
    return len(between) > 12 or has_number or bool({*rest} & _SEPARATORS or {*before} & (CLAUSE_ENDS | {"which", ","}))


def _goes_on(word: str) -> bool:
    """Whether a word behind a comma or "and" still refers to the thing before it: `, located`, `and lies`."""
    return word in BE | word_set("lies lie sits sit stands stand located situated positioned placed mainly mostly all found")
