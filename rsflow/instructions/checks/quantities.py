"""What stands around a noun: its number, determiner and adjectives before it, a number behind it (`ships: 3`).

Read from the noun outwards, and stop at the first word that cannot belong to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.instructions.checks.amounts import AS_MANY, Portion, Quantity, portion, quantity
from rsflow.instructions.checks.english import AUXILIARY, CONJUNCTIONS, IDLE, IMAGE, PREPOSITIONS, PRONOUNS, SHOWING, word_set


@dataclass(frozen=True, slots=True)
class Before:
    """What stands before a noun: from word `start` on, its number, its determiner and its adjectives. `subset`: "of the",
    `portion`: how many of them, where that is said."""

    start: int
    quantity: Quantity | None
    determiner: str
    adjectives: tuple[str, ...]
    subset: bool = False
    portion: Portion | None = None


_DETERMINERS = word_set(
    "a an the this these those its all both each every any some another other additional further remaining most half"
)
_THINGS = word_set("objects items targets features instances things elements")
_REST = word_set("other additional further remaining more")
_STOPS = AUXILIARY | CONJUNCTIONS | PREPOSITIONS | SHOWING | (PRONOUNS - _DETERMINERS) | IMAGE | {"no", "not", "any", "neither"}
ADJECTIVES = 4  # words between a number and its noun, at most
_UNITS = word_set("m km metres meters metre meter cm ft feet % percent per pixel pixels px square hectares ha")


def before(words: Sequence[str], noun: int) -> Before:
    """What belongs to the noun at `noun`, read from right to left."""
    adjectives: list[str] = []
    at = noun
    while at > 0 and len(adjectives) <= ADJECTIVES:
        found = quantity(words, at)
        if found and adjectives[-1:] and adjectives[-1] in _UNITS:  # "a 110 m long field"
            at = found[1]
            continue
        if found:
            counted, start = found
            start, determiner = _the(words, start)
            determiner = determiner or ("no" if counted.most == 0 else "")
            subset = bool(_REST & {*adjectives, *words[max(0, start - 1) : start]})
            said = portion(words, start) if determiner == "the" and words[start : start + 1] == ("of",) else None
            return Before(start, counted, determiner, tuple(adjectives), subset, said)
        word = words[at - 1]
        if word == "many" and words[max(0, at - 2) : at - 1] in AS_MANY:
            return Before(at - 1, None, "", tuple(adjectives))
        if word == "no":
            return Before(at - 1, None, "no", tuple(adjectives))
        if word in _DETERMINERS:
            if word in {"other", "additional", "further", "remaining"}:
                adjectives.append(word)
                at -= 1
                continue
            said = portion(words, at - 2) if words[at - 2 : at - 1] == ("of",) else None
            subset = word not in {"a", "an"} and _subset(words, at - 1)
            return Before(at - 1, None, word, tuple(adjectives), subset, said)
        if word in {"are", "is"} and words[max(0, at - 4) : at - 2] == ("of", "the") and words[at - 2] in _THINGS:
            total = quantity(words, at - 4)
            if total:  # "four of the objects are ships"
                return Before(total[1], total[0], "", tuple(adjectives))
        if word in {"are", "is"} and (part := quantity(words, at - 1)) and words[: part[1]][-1:] in {(), (",",)}:
            return Before(part[1], part[0], "", tuple(adjectives))  # "of the objects, three are ships"
        if word == "of" and words[at - 2 : at - 1] in {("majority",), ("most",), ("bulk",)}:
            return Before(at - 1, None, "", tuple(adjectives), True, portion(words, at - 1))
        if word in _STOPS or not word[0].isalpha() or _verb(word):
            if word == "," and adjectives and at > 1 and words[at - 2] not in _STOPS and words[at - 2][0].isalpha():
                at -= 1
                continue
            break
        adjectives.append(word)
        at -= 1
    return Before(at, None, "", tuple(adjectives))


def after(words: Sequence[str], start: int, stop: int) -> Quantity | None:
    """A number said behind the noun: `ships: 3`, `ships (3)`, `number of ships is 3`, `ships, three in total`."""
    rest = tuple(words[stop : stop + 8])
    while rest and rest[0] in {
        "in",
        "within",
        "the",
        "this",
        "image",
        "scene",
        "picture",
        "visible",
        "present",
        "here",
        "count",
    }:
        rest = rest[1:]
    asked = any(word in {"number", "count", "total", "tally"} for word in words[max(0, start - 4) : start])
    if rest[:4] == (",", "of", "which", "there"):
        told = rest[6:7] if rest[5:6] in {("only",), ("just",), ("exactly",)} else rest[5:6]
        return _said(told, rest[7:8] if told == rest[6:7] else rest[6:7])
    if rest[:2] == (",", "there") and len(rest) > 4 and words[max(0, start - 2) : start] == ("as", "for"):
        return _said(rest[3:4], rest[4:])  # "as for ships, there are five"
    if len(rest) > 2 and rest[0] == "with" and rest[2] in {"instances", "examples", "specimens"}:
        return _said(rest[1:2], ())
    if len(rest) > 2 and rest[0] == "," and rest[2] in {"altogether", "overall"}:
        return _said(rest[1:2], ())
    if len(rest) > 3 and rest[0] in {"is", "are"} and rest[2:4] == ("in", "number"):
        return _said(rest[1:2], ())
    if len(rest) > 4 and rest[0] in {",", "(", "–", "—"} and rest[2:4] == ("to", "be"):
        return _said(rest[1:2], ())  # "several ships, four to be exact"
    if len(rest) > 1 and rest[0] in {":", "(", "=", "–", "—", "totalling", "totaling", "numbering", "number", "×", "x"}:
        if rest[0] == "(" and not {")", "in", "total", "visible"} & set(rest[2:4]):
            return None
        return _said(rest[1:3] if rest[1] == "about" else rest[1:2], rest[2:])
    counted = asked or "count" in words[stop : stop + 1]
    if counted and rest and rest[0] in {"is", "are", "equals", "totals", "amounts", "comes", "stands", "reaches"}:
        at = 2 if rest[1:2] in {("to",), ("at",), ("exactly",)} else 1
        return _said(rest[at : at + 1], rest[at + 1 :])
    if len(rest) > 3 and rest[0] == "," and rest[2:4] in {("in", "total"), ("in", "all"), ("of", "them"), ("in", "number")}:
        return _said(rest[1:2], ())
    return None


def _said(words: Sequence[str], behind: Sequence[str]) -> Quantity | None:
    found = quantity(words, len(words)) if words and not set(behind[:1]) & _UNITS else None
    return found[0] if found else None


def _the(words: Sequence[str], start: int) -> tuple[int, str]:
    """The determiner in front of a number, and where it starts: `the three`, `a total of seven`, `all four`."""
    if start > 2 and tuple(words[start - 3 : start]) in {("a", "total", "of"), ("the", "total", "of")}:
        return start - 3, ""
    if start > 1 and tuple(words[start - 2 : start]) == ("of", "the"):
        return start - 2, "the"
    if start and words[start - 1] in {"the", "these", "those", "all", "another"}:
        return start - 1, words[start - 1]
    return start, ""


def _subset(words: Sequence[str], start: int) -> bool:
    """Whether only some of them are meant: `two of the ships`, `most of the cars`."""
    return start > 1 and words[start - 1] == "of" and words[start - 2] not in IDLE | {"number", "presence", "total"}


def _verb(word: str) -> bool:
    return (word.endswith("s") and not word.endswith(("ous", "ss"))) or word in {"lie", "sit", "stand"}
