"""Names of categories that differ in their spelling only: "SHIP", "ship" and "ships" are three classes to whoever trains.

Names that become one once case, blanks, hyphens, underscores and the plural are taken off are one category, and every
spelling but the most frequent is a fault.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from rsflow.audit.report import Report
from rsflow.instructions.wording.english import singular_noun


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
        by_key: dict[str, list[str]] = {}
        for name in self._first:
            by_key.setdefault(_key(name), []).append(name)
        for names in by_key.values():
            usual, *variants = sorted(names, key=lambda name: (-self._counts[name], name))
            for name in variants:
                counted = f"{self._counts[name]:,} {name!r} and {self._counts[usual]:,} {usual!r}"
                report.add("category_spelling", self._first[name], counted)


def _key(name: str) -> str:
    lower = re.sub(r"[\s_/-]+", " ", name).strip().casefold()
    return (singular_noun(lower) or lower).replace(" ", "")
