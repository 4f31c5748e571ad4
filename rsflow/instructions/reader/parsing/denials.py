"""Which mentions a sentence denies ("no ships", "without cars", "bridges are not visible").

A mention behind any other negation is dropped: its statement is not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rsflow.instructions.reader.parsing.completeness import JOINERS, ends_plainly
from rsflow.instructions.reader.parsing.mentions import Mention
from rsflow.instructions.reader.parsing.places import Place
from rsflow.instructions.reader.parsing.words import BE, CLAUSE_ENDS, clause_start, is_negation

_DENIED_BY_TAIL = (
    ("not", "visible"), ("not", "present"), ("not", "seen"), ("absent",), ("nowhere",), ("be", "seen", "nowhere"), ("missing",)
)  # fmt: skip


def mark_denials(words: Sequence[str], found: Sequence[Mention], places: Sequence[Place]) -> list[Mention]:
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
