"""Repetition: loops that a model falls into.

Three signs that no careful text has: the same sentence three times (twice, if it is long), a run of words straight
after itself three times, and a long text in which most runs of four words have been there before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.reader.conversation import Conversation

LONG = 40  # words
FRESH = 0.55  # the least share of runs of four words that are new in a long text
TIMES = 3
LINE = 7  # words: nobody says a longer sentence twice
PERIOD = 12  # words of the longest loop that is looked for


def check(conversation: Conversation) -> Iterator[Finding]:
    for turn in conversation.answers:
        said = [sentence.words for sentence in conversation.sentences[turn]]
        words = [word for one in said for word in one]
        if len(words) > 1:
            found = _fault(said, words)
            yield Finding("repetition", turn, " ".join(words[:8]), "no loop of words", found, bool(found))


def _fault(said: Sequence[tuple[str, ...]], words: Sequence[str]) -> str:
    for sentence, often in Counter(one for one in said if len(one) > 2).most_common(1):
        if often >= TIMES or (often == 2 and len(sentence) > LINE):
            return f"{often} times: {' '.join(sentence)}"
    loop = _loop(words) if len(set(words)) < len(words) else ""
    if loop:
        return f"in a row: {loop}"
    runs = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    if len(words) >= LONG and len(set(runs)) < FRESH * len(runs):
        return f"{len(set(runs))} of {len(runs)} runs of four words are new"
    return ""


def _loop(words: Sequence[str]) -> str:
    """Words that stand three times in a row, four times where it is a single word; digits and marks make no loop."""
    for period in range(1, PERIOD + 1):
        times = TIMES + (period == 1)
        same = 0
        for index in range(period, len(words)):
            same = same + 1 if words[index] == words[index - period] else 0
            if same == period * (times - 1) - (period > 2):
                run = words[index - period + 1 : index + 1]
                if any(word.isalpha() for word in run):
                    return " ".join(run)
    return ""
