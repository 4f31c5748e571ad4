"""Checks: a text against the labels of its tile. One small file per check.

A check reads a claim, compares it with what the labels say, and tells both; it rejects only what no reading of the
claim can make true. What is hedged, ambiguous, or beyond what the labels know is left alone: silence of the labels is no
contradiction, and only a category of the tile's vocabulary can be missing. Pure functions of facts and text: no pixel, no
model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from rsflow.instructions.checks import (
    answer_form,
    appearance,
    boxes,
    categories,
    colours,
    control_text,
    counts,
    language,
    leakage,
    positions,
    presence,
    refusal,
    relations,
    repetition,
    sensor_words,
    shares,
    sizes,
)
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.parsed_conversation import Talk, read
from rsflow.instructions.checks.sentences import sentences
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.records import Instruction, TileFacts

__all__ = ["CHECKS", "FORM_CHECKS", "Check", "Finding", "applied", "check", "count_unread"]

Check = Callable[[Known, Talk], Iterator[Finding]]

CHECKS: dict[str, Check] = {
    "counts": counts.check,
    "categories": categories.check,
    "presence": presence.check,
    "positions": positions.check,
    "relations": relations.check,
    "sizes": sizes.check,
    "shares": shares.check,
    "colours": colours.check,
    "look": appearance.check,
    "sensor_words": sensor_words.check,
    "boxes": boxes.check,
    "language": language.check,
    "refusal": refusal.check,
    "control_text": control_text.check,
    "repetition": repetition.check,
    "leakage": leakage.check,
    "answer_form": answer_form.check,
}


# What judges how a text is written and not what it says: also asked of texts whose claims were compared.
FORM_CHECKS = frozenset(["boxes", "language", "refusal", "control_text", "repetition", "leakage", "answer_form"])


def check(facts: TileFacts, instruction: Instruction) -> tuple[Finding, ...]:
    """All comparisons that could be made, in the order of CHECKS; any with `contradiction` makes its turn untrue.

    `facts` are those that the text was written from: give it what `tile_facts.trusted_labels` keeps.
    """
    known = _known(_Facts(facts))
    talk = read(instruction, known)
    return tuple(finding for compare in CHECKS.values() for finding in compare(known, talk))


def applied(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The names of the checks that had something to compare, in the order of CHECKS."""
    return tuple(dict.fromkeys(finding.check for finding in findings))


def count_unread(instruction: Instruction, findings: Iterable[Finding]) -> tuple[int, int]:
    """(sentences of the answers, those of which no check on content compared anything): unread is not right.

    A finding reads the sentence that holds most of the words it quotes.
    """
    total = unread = 0
    content = [finding for finding in findings if finding.check not in FORM_CHECKS]
    for turn in range(1, len(instruction.turns), 2):
        words = [set(sentence.words) for sentence in sentences(instruction.turns[turn].text, turn)]
        read_here = set()
        for finding in content:
            if finding.turn == turn and words:
                quoted = set(finding.compared.lower().replace("-", " ").split())
                shared = [len(own & quoted) for own in words]
                read_here.add(shared.index(max(shared)))
        total, unread = total + len(words), unread + len(words) - len(read_here)
    return total, unread


class _Facts:
    """Facts by identity: hashing all labels of a tile would cost more than checking a short text."""

    def __init__(self, facts: TileFacts) -> None:
        self.facts = facts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Facts) and self.facts is other.facts

    def __hash__(self) -> int:
        return id(self.facts)


@lru_cache(maxsize=8)  # the texts of a tile come one after the other
def _known(facts: _Facts) -> Known:
    return Known(facts.facts)
