"""Names of categories that differ in their spelling only: "SHIP", "ship" and "ships" are three classes in training.

Names that become one once case, blanks, hyphens, underscores, invisible characters and the plural are taken off are one
category, and every spelling but the most frequent is a fault; so is a rare name that is a letter away from a frequent one.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from rsflow.audit.report import Report
from rsflow.instructions.wording.english import singular_noun
from rsflow.text.control_tokens import strip_invisible

FREQUENT = 10  # times as often as its misprint
LONG = 6  # letters

_Part = tuple[int, str, str]  # length of a name, which part of it, its letters


@dataclass
class CategorySpellings:
    """Collects names by `add`, each with where it occurs first; `report_to` reports the variants."""

    _counts: Counter[str] = field(default_factory=Counter)
    _first: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, where: str) -> None:
        self._counts[name] += 1
        self._first.setdefault(name, where)

    def name(self, name: str, where: str) -> None:
        """A name that need not be used."""
        self._first.setdefault(name, where)

    def report_to(self, report: Report) -> None:
        self._report_misprints(report)
        by_key: dict[str, list[str]] = {}
        for name in self._first:
            by_key.setdefault(_key(name), []).append(name)
        for names in by_key.values():
            usual, *variants = sorted(names, key=lambda name: (-self._counts[name], name))
            for name in variants:
                counted = f"{self._counts[name]:,} {name!r} and {self._counts[usual]:,} {usual!r}"
                report.add("category_spelling", self._first[name], counted)

    def _report_misprints(self, report: Report) -> None:
        """Long names that occur once or twice and are a letter away from a frequent one: "airpot" beside "airport"."""
        frequent = [name for name, count in self._counts.items() if count >= FREQUENT and len(name) >= LONG]
        most = max((self._counts[usual] for usual in frequent), default=0)
        by_part = _index_parts(frequent)
        for name, count in self._counts.items():
            if count * FREQUENT > most or len(name) < LONG:
                continue
            for usual in _similar_names(name, by_part):
                if self._counts[usual] >= count * FREQUENT and _key(usual) != _key(name) and is_misprint(name, usual):
                    detail = f"{count:,} {name!r} and {self._counts[usual]:,} {usual!r}"
                    report.add("category_spelling", self._first[name], detail)


def _index_parts(names: list[str]) -> dict[_Part, list[str]]:
    """The names by length and by what stands before and after their middle, one of which a single misprint leaves as it is."""
    by_part: dict[_Part, list[str]] = {}
    for name in names:
        for part in _parts(name, len(name)):
            by_part.setdefault(part, []).append(name)
    return by_part


def _similar_names(name: str, by_part: dict[_Part, list[str]]) -> list[str]:
    lengths = range(len(name) - 1, len(name) + 2)
    return sorted({usual for length in lengths for part in _parts(name, length) for usual in by_part.get(part, ())})


def _parts(name: str, length: int) -> tuple[_Part, _Part]:
    half = (length - 1) // 2
    return (length, "first", name[:half]), (length, "last", name[-half:])


def is_misprint(one: str, other: str) -> bool:
    """Whether a letter that is left out, added, changed or exchanged with the next makes one name the other."""
    if abs(len(one) - len(other)) > 1 or any(c.isdigit() for c in one + other) or _is_series(one, other):
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])


def _is_series(one: str, other: str) -> bool:
    """Whether two names differ in a last word of one or two letters: "Type A" and "Type B", "Class I" and "Class II"."""
    (stem, _, last), (other_stem, _, other_last) = (re.sub(r"[\s_/-]+", " ", name).rpartition(" ") for name in (one, other))
    return bool(stem) and stem == other_stem and max(len(last), len(other_last)) <= 2


def _key(name: str) -> str:
    lower = re.sub(r"[\s_/-]+", " ", strip_invisible(name)).strip().casefold()
    return (singular_noun(lower) or lower).replace(" ", "")
