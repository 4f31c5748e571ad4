"""Texts of a model on their way into the lake: a tile's draft, and what of an instruction stands after the checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rsflow.instructions import checks
from rsflow.instructions.checks import Finding
from rsflow.instructions.prompts import PromptContext, PromptText, ReviewedAnswer, TextKind
from rsflow.instructions.prompts.review_answer import LEAST_PAIRS
from rsflow.records import Instruction, Reject

CONTRADICTED, CHECK_PREFIX = "claim", "check:"  # reasons of rejects: a claim that fails, a check that finds a contradiction
SENT_BACK = 8  # faults of a text that are named in the next prompt


@dataclass(slots=True)
class Draft:
    """A tile on its way: what is known of it, and what was written so far, by kind. `is_answered`: nothing was left unsent."""

    tile: dict[str, Any]
    source: str
    kinds: Mapping[str, TextKind]
    context: PromptContext
    kept: tuple[int, ...]
    label_ids: list[str]
    picture: bytes
    other: bytes = b""
    made: dict[str, list[Instruction]] = field(default_factory=dict)
    perplexity: dict[str, float | None] = field(default_factory=dict)  # of the answers that they were made of
    rejects: dict[str, list[Reject]] = field(default_factory=lambda: defaultdict(list))
    usage: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    is_answered: bool = True
    asked: frozenset[str] | None = None  # the kinds of text; None: all

    def is_asked(self, kind: str) -> bool:
        return self.asked is None or kind in self.asked

    def add_usage(self, amounts: Mapping[str, float]) -> None:
        for name, value in amounts.items():
            self.usage[name] += value

    def count_review(self, kind: str, reviewed: ReviewedAnswer) -> None:
        """Count the sentences of a reviewed answer, and refuse those whose claims failed."""
        for fault in reviewed.faults:
            self.refuse(kind, CONTRADICTED, fault)
        if reviewed.has_claims:
            self.add_usage({f"claimed_{name}": getattr(reviewed, name) for name in ("sentences", "replaced", "dropped")})
        if reviewed.unread:
            self.add_usage({"free_sentences": reviewed.unread, "unread_sentences": reviewed.unread})

    def fail(self, kind: str, reason: str, detail: str) -> None:
        """Refuse a text for which no answer came that can be read."""
        self.usage["failed_texts"] += 1
        self.refuse(kind, reason, detail)

    def refuse(self, kind: str, reason: str, detail: str) -> None:
        subject = f"{self.tile['tile_id']}#{self.kinds[kind].task}"
        self.rejects[kind].append(Reject("instruction", subject, reason, f"{kind}: {detail}"))


@dataclass(frozen=True, slots=True)
class Question:
    draft: Draft
    kind: str
    prompt: PromptText


def keep_consistent(
    draft: Draft, kind: str, found: Instruction, has_claims: bool, read: tuple[Finding, ...] | None = None
) -> Instruction | None:
    """The instruction without the pairs that contradict the labels; None where too little remains. Each is a reject.

    A text whose claims were compared is judged by its form alone; of another one the sentences that no rule could read are
    counted. `read`: the findings of another reader, None where the rules read.
    """
    findings = checks.check(draft.context.facts, found) if read is None else read
    if has_claims:
        findings = tuple(finding for finding in findings if finding.check in checks.FORM_CHECKS)
    else:
        total, unread = checks.count_unread(found, findings)
        draft.usage["free_sentences"] += total
        draft.usage["unread_sentences"] += unread
    wrong = [finding for finding in findings if finding.contradiction]
    for finding in wrong:
        detail = f"{finding.compared!r} in turn {finding.turn}: expected {finding.expected}, found {finding.found}"
        draft.refuse(kind, f"{CHECK_PREFIX}{finding.check}", detail)
    bad = {finding.turn // 2 for finding in wrong}
    pairs = [found.turns[start : start + 2] for start in range(0, len(found.turns), 2)]
    good = [pair for number, pair in enumerate(pairs) if number not in bad]
    if bad and (found.task != "conversation" or len(good) < LEAST_PAIRS):
        return None
    answer = {**found.answer, "pairs": len(good)} if found.task == "conversation" else found.answer
    kept = replace(found, turns=tuple(turn for pair in good for turn in pair), answer=answer)
    names = checks.applied(one for one in findings if one.turn // 2 not in bad)
    return replace(kept, checks=("claims", *names) if has_claims else names)


def is_failed_text(reason: str) -> bool:
    """Whether this reason of a reject says that no usable answer came; others say that an answer contradicts the labels."""
    return reason != CONTRADICTED and not reason.startswith(CHECK_PREFIX)


def list_faults(faults: Sequence[str]) -> str:
    """What contradicts a text, for the model to write it again: the first few faults."""
    more = f"; and {len(faults) - SENT_BACK} more" if len(faults) > SENT_BACK else ""
    return "; ".join(faults[:SENT_BACK]) + more


def group_units(units: list[dict[str, Any]], tiles: int) -> Iterator[list[dict[str, Any]]]:
    """The units in groups of at least so many tiles, the last one smaller."""
    group: list[dict[str, Any]] = []
    for unit in units:
        group.append(unit)
        if sum(len(one["tiles"]) for one in group) >= tiles:
            yield group
            group = []
    if group:
        yield group
