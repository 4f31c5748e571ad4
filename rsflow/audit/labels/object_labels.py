"""Labels of boxes against the category whose objects are asked for.

"Find all vehicles" may be answered with "car": a label that differs is a fault only where the set itself uses both names as
labels, the given one in answer to its own question, so that they are two of its categories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rsflow.audit.records.answer_kinds import asked_category
from rsflow.audit.records.stated_counts import find_stated_counts
from rsflow.audit.records.template_texts import JSON_FORMS
from rsflow.audit.report import Report
from rsflow.imports.conversation import Conversation, Exchange
from rsflow.instructions.wording.english import singular_noun

_REFERENCE = re.compile(r"<ref>(.*?)</ref>|<\|object_ref_start\|>(.*?)<\|object_ref_end\|>", re.DOTALL)
_ANY_OBJECT = re.compile(r".*\b(?:object|instance|target)s?\s*", re.IGNORECASE | re.DOTALL)

_Words = frozenset[str]


@dataclass
class ObjectLabels:
    """Gathers labels by `add`; `report_to` reports those of another category than is asked for."""

    form: str
    _used: set[_Words] = field(default_factory=set)
    _own: set[_Words] = field(default_factory=set)  # given where they are asked for
    _others: list[tuple[int, str, str]] = field(default_factory=list)  # (record, asked, given)

    def add(self, number: int, conversation: Conversation) -> None:
        for exchange in conversation.exchanges:
            asked = asked_category(exchange)
            for label in _labels(exchange, self.form):
                self._used.add(_words(label))
                if asked and _words(label) & _words(asked):
                    self._own.add(_words(label))
                elif asked and not _ANY_OBJECT.fullmatch(asked) and not _ANY_OBJECT.fullmatch(label):
                    self._others.append((number, asked, label))

    def report_to(self, report: Report) -> None:
        for number, asked, label in self._others:
            if _words(asked) in self._used and _words(label) in self._own:
                report.add("label_differs", f"record {number}", f"asks for {asked[:40]!r}, is answered with {label[:40]!r}")


def _labels(exchange: Exchange, form: str) -> Iterator[str]:
    answer = exchange.answer
    if form in JSON_FORMS:
        names = re.findall(r'"label"\s*:\s*"([^"\\]+)"', answer)
    else:
        names = [one or other for one, other in _REFERENCE.findall(answer)]
        names = names or [name for _, name, _ in find_stated_counts(answer, form)]
    yield from (name for name in names if _words(name))


def _words(name: str) -> _Words:
    words = re.findall(r"[a-z]+", name.casefold())
    return frozenset(singular_noun(word) or word for word in words if word not in {"all", "no", "one", "the"})
