"""Language: English, in Latin script.

Two plain rules instead of a model. Letters of another script are counted; and in a sentence of some length the small
words of English ("the", "of", "is") must not be fewer than those of its neighbours. Short answers and names pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.reader.conversation import Conversation
from rsflow.instructions.reader.parsing.words import word_set

LETTERS = 2  # of another script, in a word of a name or a symbol
LEAST = 5  # words
_OTHER_SCRIPT = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u1e00-\u1eff]")
_ENGLISH = word_set("the of is in are and to with on at there this it no a an that which from by for image two three as be has")
_FOREIGN = word_set(
    "der die das und ist ein eine einem einer einen mit auf im den sind es von zu le la les l un des une est dans et du sur il"
    " y avec au aux el los las"
    " una con del que en hay se por muy di che gli della nel sono si een het van de op met zijn uma os com da do no na em são"
    " och av som på jest nie oraz są"
) - word_set("no do die")


def check(conversation: Conversation) -> Iterator[Finding]:
    for turn in conversation.answers:
        text = conversation.texts[turn]
        if text.strip():
            found = _script(text) or next((fault for one in conversation.sentences[turn] if (fault := _words(one.words))), "")
            yield Finding("language", turn, text[:40], "English", found, bool(found))


def describe_foreign_text(text: str) -> str:
    """What shows that a text is not English: letters of another script, or words of another language; else empty."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower())
    return _script(text) or _words(words)


def _script(text: str) -> str:
    letters = [] if text.isascii() else _OTHER_SCRIPT.findall(text)
    return f"{len(letters)} letters of another script: {''.join(letters[:10])}" if len(letters) > LETTERS else ""


def _words(words: Sequence[str]) -> str:
    """The foreign words of a sentence that has more of them than English ones; empty for any other."""
    if _FOREIGN.isdisjoint(words) and "'" not in "".join(words) and all(word.isascii() for word in words):
        return ""
    said = [part for word in words for part in word.split("'")]
    foreign = [word for word in said if word in _FOREIGN]
    english = sum(word in _ENGLISH for word in said)
    if not english and len(said) >= LEAST:
        foreign += [word for word in said if not word.isascii()]
    if len(said) >= LEAST and len(foreign) > 1 and len(foreign) > english:
        return f"words of another language: {', '.join(dict.fromkeys(foreign))}"
    return ""
