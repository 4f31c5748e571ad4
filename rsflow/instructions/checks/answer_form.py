"""Answer form: where a question asks for a form (a word, a number, yes or no, one sentence, a list), the answer has it.

An answer that stops within a sentence has no form. Only what a question asks for in so many words is demanded. A question that
allows a choice ("rural or urban?") wants no yes, and what annotators answered is right in any form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.reader.conversation import YES_NO_OPENINGS, Conversation
from rsflow.instructions.reader.parsing.sentences import Sentence
from rsflow.instructions.reader.parsing.words import parse_number

PHRASE = 7  # words of a phrase, at most
FEW = 30
_SHORT = re.compile(r"\b(?:single|one) word\b|\bword or (?:a )?(?:short )?phrase\b|\bshort phrase\b")
_FEW = re.compile(r"\bfew words\b")
_STOP = re.compile(r"[a-z\d)][.!?](?=\s)", re.IGNORECASE)
_SENTENCE = re.compile(r"\b(?:one|single)[ -]sentence\b")
_YES_NO = re.compile(r"\byes or no\b|\byes / no\b")
_NUMBER = re.compile(r"\b(?:with|as|using) (?:a |an |one )?(?:single )?(?:number|integer|digit|numeral)\b")
_WORDS = re.compile(r"\b(?:in|within|using|with) (?:at most |no more than |fewer than |under |up to )?(\d+) words\b")
_LIST = re.compile(r"\b(?:comma separated|as a list|list of (?:the )?(?:objects|categories|classes)|bullet(?:ed)? list)\b")
# An answer that ends in one of these, without a full stop, was cut.
_CUT = frozenset(["the", "a", "an", "of", "and", "or", "while", "whereas", "with", "which", "that", "is", "are", "its", "near"])
_CHOICE = re.compile(r"\bor\b(?! (?:a )?(?:short )?phrase)")
_UNCOUNTED = frozenset(["none", "no", "zero", "dozens", "many"])


@lru_cache(maxsize=4096)  # questions repeat from tile to tile
def forms(text: str) -> tuple[str, ...]:
    """The forms that a question in lower case asks for, names ; of "at most N words" the number behind it."""
    short, sentence = bool(_SHORT.search(text)), bool(_SENTENCE.search(text))
    opening = text.split(" ", 1)[0]
    limit = _WORDS.search(text)
    asked = {
        "phrase": short and not sentence,
        "few": bool(_FEW.search(text)),
        "sentence": sentence,
        "yes_no": bool(_YES_NO.search(text)) or (short and opening in YES_NO_OPENINGS and not _CHOICE.search(text)),
        "number": bool(_NUMBER.search(text)) or (short and text.startswith("how many")),
        f"words {limit[1]}" if limit else "words": bool(limit),
        "list": bool(_LIST.search(text)),
    }
    return tuple(name for name, wanted in asked.items() if wanted)


def check(conversation: Conversation) -> Iterator[Finding]:
    for turn in conversation.answers:
        text, answer = conversation.texts[turn], conversation.sentences[turn]
        if answer and len(answer[-1].words) > 3 and answer[-1].words[-1] in _CUT and text.rstrip()[-1:].isalpha():
            yield Finding("answer_form", turn, text[-80:], "a whole sentence", f"ends in {answer[-1].words[-1]!r}", True)
        for form in forms(conversation.question_of(turn).lower()) if answer else ():
            expected, found, is_right = _compare(form, text, answer)
            yield Finding("answer_form", turn, text[:80], expected, found, not is_right)


def _compare(form: str, text: str, answer: Sequence[Sentence]) -> tuple[str, str, bool]:
    """What is asked for, what is there, and whether they agree."""
    words = [word for sentence in answer for word in sentence.words if word[0].isalnum()]
    if form == "phrase":
        return f"a phrase of at most {PHRASE} words", f"{len(words)} words", len(words) <= PHRASE and len(answer) == 1
    if form == "sentence":
        stops = len(_STOP.findall(f"{text.strip()} "))
        return "one sentence", f"{stops} sentences", stops <= 1
    if form == "yes_no":
        return "yes or no", " ".join(words[:1]), words[:1] in (["yes"], ["no"])
    if form == "number":
        counted = any(parse_number(word) is not None or word in _UNCOUNTED for word in words)
        return "a number", " ".join(words[:4]), counted
    if form == "list":
        return "a list", " ".join(words[:6]), len(words) <= PHRASE or len(answer) > 1 or bool({",", "and"} & {*answer[0].words})
    most = FEW if form == "few" else int(form.removeprefix("words "))
    return f"at most {most} words", f"{len(words)} words", len(words) <= most
