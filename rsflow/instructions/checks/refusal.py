"""Refusal: a text about the writer's own limits instead of the picture.

Only the first person, or the missing picture, makes a refusal. "It cannot be told from one image" is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.reader.conversation import Conversation
from rsflow.instructions.reader.parsing.words import word_set

_REFUSAL = re.compile(
    r"\b(?:as|being) an? (?:large |visual |vision )?(?:ai\b|artificial|language model|(?:ai )?assistant\b|text[- ]based)"
    r"|\bi(?:'m| am)? (?:(?:really |very |so |truly )?sorry|(?:am |'m )?(?:unable|not able|not allowed|not permitted)|"
    r"apologi[sz]e|afraid)\b"
    r"|\bi (?:can ?not|can't|could not|couldn't|am not able to|won't|will not|do not have|don't have|lack|must decline)\b"
    r"(?! (?:help but|but|find|spot|locate|detect|discern|(?:see|identify|recogni[sz]e|observe) (?:one|an?|any|no)\b"
    r"(?! (?:image|picture|photo|attachment))|make out|tell|say|rule out|count))"
    r"|\b(?:my apologies|sorry, (?:but|i)|we (?:can ?not|can't|are unable to)|(?:unable|not able) to (?:view|see|assist|"
    r"comply) (?:the|this|that|any|you|with|image|picture)"
    r"|i(?: am|'m) not able to|(?:image|picture|photo) (?:could not|cannot|can't|couldn't|failed to) (?:be )?(?:load|open|"
    r"display|process)\w*"
    r"|\blanguage model\b|\bcannot view (?:the |this |any )?(?:image|picture|photo)s?\b|\bmy guidelines\b|"
    r"\bbeyond what i can\b|\bi must (?:apologi[sz]e|decline)\b"
    r"|unable to (?:analy[sz]e|process)|beyond my (?:capabilities|abilities)|my (?:training|capabilit(?:y|ies)|abilit(?:y|"
    r"ies)|knowledge cut-?off|programming))\b"
    r"|\b(?:no image (?:was|has been|is) (?:provided|attached|given|uploaded|supplied)|(?:please|kindly|could you) "
    r"(?:upload|provide|share|attach)(?: (?:me|us))?(?: with)? (?:the|an|a|your) (?:image|picture|photo|file))\b",
)
# One of them stands in whatever the pattern finds.
_WORDS = word_set(
    "i i'm ai artificial assistant model text sorry apologies apologise apologize we unable able my language view"
    " guidelines provided attached given"
    " uploaded supplied provide upload share attach load loaded open display process"
)


def check(conversation: Conversation) -> Iterator[Finding]:
    for turn in conversation.answers:
        text = conversation.texts[turn].lower()
        if text.strip():
            words = {word for sentence in conversation.sentences[turn] for word in sentence.words}
            found = None if _WORDS.isdisjoint(words) else _REFUSAL.search(text)
            said = found[0] if found else ""
            yield Finding("refusal", turn, said or "the whole answer", "an answer about the picture", said, bool(found))
