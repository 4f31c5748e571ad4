"""Refusal: a text that speaks of the writer's own limits instead of the picture.

One idea: only the first person, or the missing picture, makes a refusal. "It cannot be told from one image" is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.talk import Talk

_REFUSAL = re.compile(
    r"\bas an? (?:large |visual |vision )?(?:ai\b|artificial|language model|(?:ai )?assistant\b|text[- ]based)"
    r"|\bi(?:'m| am)? (?:(?:really |very |so |truly )?sorry|(?:am |'m )?(?:unable|not able|not allowed|not permitted)|"
    r"apologi[sz]e|afraid)\b"
    r"|\bi (?:can ?not|can't|could not|couldn't|am not able to|won't|will not|do not have|don't have|lack|must decline)\b"
    r"(?! help but| but)"
    r"|\b(?:my apologies|sorry, (?:but|i)|we (?:can ?not|can't|are unable to)|unable to (?:view|see|assist|comply)"
    r"|unable to (?:analy[sz]e|process)|beyond my (?:capabilities|abilities)|my (?:training|knowledge cut-?off|programming))\b"
    r"|\b(?:no image (?:was|has been|is) (?:provided|attached|given|uploaded|supplied)|(?:please|kindly|could you) "
    r"(?:upload|provide|share|attach)(?: (?:me|us))?(?: with)? (?:the|an|a|your) (?:image|picture|photo|file))\b",
)


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for turn in talk.answers:
        text = talk.lowered[turn]
        if text.strip():
            found = _REFUSAL.search(text)
            said = found[0] if found else ""
            yield Finding("refusal", turn, said or "the whole answer", "an answer about the picture", said, bool(found))
