"""Checks: a text against the labels of its tile.

The reader turns what it reads reliably into claims (rsflow.instructions.reader), and the one comparison of claims
(rsflow.instructions.claims) decides them. A text is contradicted only where no reading of its words can hold: silence of the
labels is no contradiction. Checks of form see how a text is written, one module each. Pure functions of facts and text: no
pixel, no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from rsflow.instructions.checks import answer_form, boxes, control_text, language, leakage, refusal, repetition
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.claims import Claim, ClaimKind, check_claim
from rsflow.instructions.reader import Conversation, Reading, TileWords, read_conversation
from rsflow.instructions.reader.parsing.sentences import split_sentences
from rsflow.records import Instruction, TileFacts

__all__ = ["CHECKS", "FORM_CHECKS", "Finding", "applied", "check", "count_unread"]

# The check that a claim of a kind belongs to; those of numbers and presence at a place belong to `positions`.
CONTENT_CHECKS: dict[ClaimKind, str] = {
    "count": "counts",
    "presence": "categories",
    "name": "categories",
    "absence": "presence",
    "place": "positions",
    "relation": "relations",
    "comparison": "comparisons",
    "size": "sizes",
    "area": "sizes",
    "share": "shares",
    "colour": "colours",
}
SENSOR_CHECK = "sensor_words"
# How a text is written, not what it says: also asked of texts whose claims were compared.
FORM_CHECKS: dict[str, Callable[[Conversation], Iterator[Finding]]] = {
    "boxes": boxes.check,
    "language": language.check,
    "refusal": refusal.check,
    "control_text": control_text.check,
    "repetition": repetition.check,
    "leakage": leakage.check,
    "answer_form": answer_form.check,
}
CHECKS: tuple[str, ...] = (*dict.fromkeys(CONTENT_CHECKS.values()), SENSOR_CHECK, *FORM_CHECKS)


def check(facts: TileFacts, instruction: Instruction) -> tuple[Finding, ...]:
    """All comparisons that could be made, in the order of CHECKS; any with `contradiction` makes its turn untrue.

    `facts` are those that the text was written from: give it what `tile_facts.trusted_labels` keeps.
    """
    conversation = Conversation(instruction, _tile_words(_SameFacts(facts)))
    compared = (_compare(turn, reading, conversation.tile) for turn, reading in read_conversation(conversation))
    found = [one for one in compared if one] + [one for run in FORM_CHECKS.values() for one in run(conversation)]
    return tuple(sorted(found, key=lambda finding: CHECKS.index(finding.check)))


def applied(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The names of the checks that had something to compare, in the order of the findings."""
    return tuple(dict.fromkeys(finding.check for finding in findings))


def count_unread(instruction: Instruction, findings: Iterable[Finding]) -> tuple[int, int]:
    """(sentences of the answers, those of which no claim was compared): unread is not right.

    A finding reads the sentence that holds most of the words it quotes.
    """
    total = unread = 0
    content = [finding for finding in findings if finding.check not in FORM_CHECKS]
    for turn in range(1, len(instruction.turns), 2):
        words = [{*sentence.words} for sentence in split_sentences(instruction.turns[turn].text, turn)]
        read_here = set()
        for finding in content:
            if finding.turn == turn and words:
                quoted = {*finding.compared.lower().replace("-", " ").split()}
                shared = [len(own & quoted) for own in words]
                read_here.add(shared.index(max(shared)))
        total, unread = total + len(words), unread + len(words) - len(read_here)
    return total, unread


def _compare(turn: int, reading: Reading, tile: TileWords) -> Finding | None:
    """Whether the facts support a reading; None where they do not decide."""
    verdicts = [check_claim(claim, tile.claims) for claim in reading.alternatives]
    holding = [verdict for verdict in verdicts if verdict.holds]
    if not verdicts or (not holding and any(verdict.holds is None for verdict in verdicts)):
        return None
    verdict = (holding or verdicts)[0]
    name = _check_of(reading.alternatives[0])
    return Finding(name, turn, reading.words, verdict.expected, verdict.found, not holding)


def _check_of(claim: Claim) -> str:
    if claim.scope == "sensor":
        return SENSOR_CHECK
    if claim.kind in {"count", "presence"} and claim.word:
        return "positions" if claim.value != 0 else "presence"
    return CONTENT_CHECKS[claim.kind]


class _SameFacts:
    """Facts by identity: hashing all labels of a tile would cost more than checking a short text."""

    def __init__(self, facts: TileFacts) -> None:
        self.facts = facts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameFacts) and self.facts is other.facts

    def __hash__(self) -> int:
        return id(self.facts)


@lru_cache(maxsize=8)  # the texts of a tile come one after the other
def _tile_words(facts: _SameFacts) -> TileWords:
    return TileWords(facts.facts)
