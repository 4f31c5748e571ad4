"""Answer form: where a question asks for a form (a word, a number, yes or no, one sentence, a list), the answer has it.

One idea: only what a question asks for in so many words is demanded. A question that allows a choice ("rural or urban?") wants no
yes, and what annotators answered is right in any form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.english import number
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.replies import OPENINGS
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.talk import Talk

PHRASE = 7  # words of a phrase, at most
FEW = 20
_SHORT = re.compile(r"\b(?:single|one) word\b|\bword or (?:a )?(?:short )?phrase\b|\bshort phrase\b")
_FEW = re.compile(r"\bfew words\b")
_STOP = re.compile(r"[a-z\d)][.!?](?=\s)", re.IGNORECASE)
_SENTENCE = re.compile(r"\b(?:one|single) sentence\b")
_YES_NO = re.compile(r"\byes or no\b|\byes / no\b")
_NUMBER = re.compile(r"\b(?:with|as|using) (?:a |an |one )?(?:single )?(?:number|integer|digit|numeral)\b")
_WORDS = re.compile(r"\b(?:in|within|using|with) (?:at most |no more than |fewer than |under |up to )?(\d+) words\b")
_LIST = re.compile(r"\b(?:comma separated|as a list|list of (?:the )?(?:objects|categories|classes)|bullet(?:ed)? list)\b")
_CHOICE = re.compile(r"\bor\b(?! (?:a )?(?:short )?phrase)")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for question, answer in talk.pairs:
        text = " . ".join(sentence.said() for sentence in question)
        turn = answer[0].turn
        for wanted, found, right in _demands(text, question, answer, len(_STOP.findall(f"{talk.texts[turn].strip()} "))):
            yield Finding("answer_form", turn, talk.texts[turn][:80], wanted, found, not right)


def _demands(
    text: str, question: Sequence[Sentence], answer: Sequence[Sentence], stops: int
) -> Iterator[tuple[str, str, bool]]:
    """What is asked for, what is there, and whether they agree."""
    words = [word for sentence in answer for word in sentence.words if word[0].isalnum()]
    short = bool(_SHORT.search(text))
    if short and not _SENTENCE.search(text):
        yield f"a phrase of at most {PHRASE} words", f"{len(words)} words", len(words) <= PHRASE and len(answer) == 1
    if _FEW.search(text):
        yield f"at most {FEW} words", f"{len(words)} words", len(words) <= FEW
    if _SENTENCE.search(text):
        yield "one sentence", f"{stops} sentences", stops <= 1
    first = words[0] if words else ""
    if _YES_NO.search(text) or (short and question[0].words[0] in OPENINGS and not _CHOICE.search(question[0].said())):
        yield "yes or no", first, first in {"yes", "no"}
    if _NUMBER.search(text) or (short and re.search(r"^how many\b", text)):
        counted = [word for word in words if number(word) is not None or word in {"none", "no", "zero", "dozens", "many"}]
        yield "a number", " ".join(words[:4]), bool(counted)
    limit = _WORDS.search(text)
    if limit:
        yield f"at most {limit[1]} words", f"{len(words)} words", len(words) <= int(limit[1])
    if _LIST.search(text) and len(answer) == 1:
        listed = {",", "and"} & set(answer[0].words) or len(words) <= PHRASE
        yield "a list", " ".join(words[:6]), bool(listed)
