"""A judge model as a reader of texts that came without claims: what it is asked, and what its answer finds.

The judge says what each sentence claims, and claims are compared by number, as those of a writer are. Its bare verdict on a
sentence without such claims counts for less: together with the rules it decides nothing alone. What it does not know stays
unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rsflow.instructions.checks import Finding
from rsflow.instructions.claims import Claim, ClaimFacts, check_claim
from rsflow.instructions.claims.schema import ReadSentence, ReadText
from rsflow.instructions.prompts.kinds import NONE_TEXT, PromptContext, PromptText, fill_prompt, object_list
from rsflow.records import Instruction

NAME = "judge"  # as the column `checks` and rejects call it
_WORD = re.compile(r"\w+")
_ENDS = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class NumberedSentence:
    turn: int
    text: str


def split_answers(instruction: Instruction) -> list[NumberedSentence]:
    """The sentences of all answers, in the order in which a judge sees them from number 1."""
    return [
        NumberedSentence(turn, sentence)
        for turn in range(1, len(instruction.turns), 2)
        for sentence in _ENDS.split(instruction.turns[turn].text)
        if sentence.strip()
    ]


def reader_prompt(context: PromptContext, sentences: Sequence[NumberedSentence]) -> PromptText:
    listed = "\n".join(f"{number}. {each.text}" for number, each in enumerate(sentences, 1))
    return fill_prompt("reader", ReadText, context, objects=object_list(context), sentences=listed or NONE_TEXT)


def judge_findings(
    read: ReadText,
    sentences: Sequence[NumberedSentence],
    facts: ClaimFacts,
    rules: Sequence[Finding],
    mode: Literal["judge", "both"],
) -> Iterator[Finding]:
    """What the judge found. `rules`: what the rules found, which in the mode `both` have to agree with a bare verdict."""
    by_number = {each.number: each for each in reversed(read.sentences)}
    for number, sentence in enumerate(sentences, 1):
        each = by_number.get(number)
        if each is None:
            continue
        compared = list(_compare_claims(each.claims, sentence, facts))
        yield from compared
        agreeing = mode == "judge" or _agrees(each, [one for one in rules if _sentence_of(one, sentences) == number - 1])
        if not compared and each.verdict != "unknown" and agreeing:
            found = "the facts or the picture" if each.verdict == "contradicted" else sentence.text
            yield Finding(NAME, sentence.turn, sentence.text, each.verdict, found, each.verdict == "contradicted")


def _compare_claims(claims: Sequence[Claim], sentence: NumberedSentence, facts: ClaimFacts) -> Iterator[Finding]:
    """The claims that the labels decide."""
    for claim in claims:
        verdict = check_claim(claim, facts)
        if verdict.holds is not None:
            yield Finding(NAME, sentence.turn, sentence.text, verdict.expected, verdict.found, verdict.holds is False)


def _agrees(each: ReadSentence, rules: Sequence[Finding]) -> bool:
    """Whether the rules compared something in the same sentence and reached the same verdict."""
    return bool(rules) and any(finding.contradiction for finding in rules) == (each.verdict == "contradicted")


def _sentence_of(finding: Finding, sentences: Sequence[NumberedSentence]) -> int:
    """The position of the sentence of the finding's turn that holds most of the words that it quotes."""
    quoted = set(_WORD.findall(finding.compared.lower()))
    shared = [len(quoted & set(_WORD.findall(each.text.lower()))) if each.turn == finding.turn else -1 for each in sentences]
    return shared.index(max(shared))
