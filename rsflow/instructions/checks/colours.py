"""Colours: none where the sensor has none, and for optical pictures the measured main one.

One idea: radar and infrared pictures are grey; who names a hue there, speaks of what nobody can see. Of an optical picture only
its overall colour is known, and only a hue that is plainly another contradicts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.attributes import COLOURS
from rsflow.instructions.checks.english import HEDGES, NEGATIONS
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.talk import Talk
from rsflow.sensors import SENSORS

# Hues that one may be taken for.
_LIKE = {
    "red": "orange pink brown purple",
    "orange": "red yellow brown beige",
    "yellow": "orange green beige brown",
    "green": "yellow cyan brown",
    "cyan": "green blue grey",
    "blue": "cyan purple grey",
    "purple": "blue pink red",
    "pink": "red purple orange beige",
    "brown": "red orange yellow beige grey green",
    "beige": "yellow orange brown white grey pink",
    "grey": "beige brown white black cyan blue",
    "black": "grey",
    "white": "grey beige",
}
_SAME = {
    "gray": "grey",
    "turquoise": "cyan",
    "teal": "cyan",
    "violet": "purple",
    "magenta": "purple",
    "tan": "beige",
    "gold": "yellow",
}
_HUES = (set(COLOURS) - {"grey", "black", "white"}) | (set(_SAME) - {"gray"})
_TINTED = {f"{hue.removesuffix('e')}ish" for hue in _HUES} | {
    "reddish",
    "golden",
    "colourful",
    "colorful",
    "multicoloured",
    "crimson",
}
_TINTED |= {"olive", "azure", "emerald", "scarlet", "maroon", "rust", "ochre"}
_NO_COLOUR = frozenset(
    ["space", "spaces", "belt", "belts", "house", "houses", "infrastructure", "zones", "zone", "roof", "corridor"]
)
_NOT_SEEN = NEGATIONS | HEDGES | {"false", "pseudo", "optical", "rgb", "unlike", "cannot", "can't", "instead"}
_NAME = "|".join([*COLOURS, *_SAME])
_SHADE = r"(?:light |dark |deep |pale |bright |vivid )?"
_MAIN = re.compile(
    rf"\b(?:mainly|mostly|predominantly|primarily|largely|overall|dominantly) {_SHADE}({_NAME})\b"
    r"(?= (?:and|overall|in|with|,|tones?|hues?|colou?rs?|tint|shades?|appearance)|,|$)"
    rf"|\b(?:dominant|main|overall|prevailing|predominant|primary) (?:colou?r|hue|tone)s?(?: \w+){{0,5}} (?:is|are|"
    rf"appears) {_SHADE}({_NAME})\b"
    rf"|\b(?:dominated by|dominance of) (?:the colou?r |shades of |hues of |tones of )?{_SHADE}({_NAME})\b"
    rf"|\b{_SHADE}({_NAME}) (?:tones?|hues?|shades?|colou?rs?)? ?(?:dominates?|prevails?|prevails|is the (?:dominant|main|"
    rf"prevailing|predominant|overall) (?:colou?r|hue|tone))"
)
_ASKED = re.compile(r"\bcolou?r\b")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    if not SENSORS[known.facts.sensor].has_colour:
        for sentence in talk.sentences:
            yield from _none(known, sentence)
        return
    measured = known.measured.get("colour", "")
    if measured in COLOURS:
        for sentence in talk.sentences:
            yield from _main(sentence, measured)
        for question, answer in talk.pairs:
            words = [word for word in answer[0].words if _SAME.get(word, word) in COLOURS]
            if len(words) == 1 and len(answer[0].words) <= 3 and any(_ASKED.search(one.said()) for one in question):
                yield _compared(answer[0], words[0], measured)


def _none(known: Known, sentence: Sentence) -> Iterator[Finding]:
    words = sentence.words
    for index, word in enumerate(words):
        if (word in _HUES or word in _TINTED) and words[index + 1 : index + 2] not in {(noun,) for noun in _NO_COLOUR}:
            wrong = _NOT_SEEN.isdisjoint(words)
            yield Finding("colours", sentence.turn, sentence.said(), f"no colours in {known.facts.sensor}", word, wrong)


def _main(sentence: Sentence, measured: str) -> Iterator[Finding]:
    found = _MAIN.search(sentence.said())
    if found and _NOT_SEEN.isdisjoint(sentence.words):
        yield _compared(sentence, next(word for word in found.groups() if word), measured)


def _compared(sentence: Sentence, said: str, measured: str) -> Finding:
    said = _SAME.get(said, said)
    wrong = said != measured and said not in _LIKE[measured].split() and measured not in _LIKE[said].split()
    return Finding("colours", sentence.turn, sentence.said(), f"mainly {measured}", said, wrong)
