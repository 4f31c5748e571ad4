"""Colours: none where the sensor has none, and for optical pictures the measured main one.

Radar and infrared pictures are grey; who names a hue there, speaks of what nobody can see. Of an optical picture only
its overall colour is known, and only a hue that is plainly another contradicts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.checks.english import NEGATIONS, word_set
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.instructions.wording.attributes import COLOURS
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
_TINTS = {"reddish": "red", "orangish": "orange", "yellowish": "yellow", "greenish": "green", "bluish": "blue"}
_TINTS |= {
    "purplish": "purple",
    "pinkish": "pink",
    "brownish": "brown",
    "greyish": "grey",
    "grayish": "grey",
    "whitish": "white",
}
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
# Words that take a hue back; a conclusion drawn from it ("the blue area is likely water") does not.
_NOT_SEEN = NEGATIONS | word_set(
    "would could might may if unlike like resemble resembles false pseudo optical rgb cannot can't instead typically usually"
    " normally"
)
_NAME = "|".join([*COLOURS, *_SAME])
_TINT = "|".join(_TINTS)
_SHADE = r"(?:light |dark |deep |pale |bright |vivid |muted |soft )?"
_ONE = rf"(?:{_SHADE}(?:{_NAME}|{_TINT}))"
_HUE = rf"(?P<hue>{_ONE}(?:(?: and| to|,)? {_ONE})?)"
_TONE = r"(?:tones?|hues?|shades?|colou?rs?|tints?|look|appearance|cast|palette|colou?ring|colou?ration)"
_PICTURE = r"(?:image|picture|scene|photo|tile|frame|view|landscape|terrain|area)"
_MAIN = [
    re.compile(pattern)
    for pattern in (
        rf"\b(?:mainly|mostly|predominantly|primarily|largely|overall|dominantly) {_HUE}"
        rf"\b(?= (?:and|overall|in|with|,|{_TONE})|,|$)",
        rf"\b(?:dominant|dominating|main|overall|prevailing|predominant|primary) {_TONE}(?: \w+){{0,5}} (?:is|are|"
        rf"appears) {_HUE}\b",
        rf"\b(?:dominated by|dominance of) (?:the colou?r |shades of |hues of |tones of )?{_HUE}\b",
        rf"\b{_HUE} {_TONE}? ?(?:dominates?|prevails?|prevails|is the (?:dominant|main|prevailing|predominant|overall) "
        rf"{_TONE})",
        rf"\b{_PICTURE}(?: (?:has|have|shows|exhibits|presents|displays|takes on|with)| is given|) (?:an? )(?:\w+ly |"
        "overall |generally )?"
        rf"{_HUE} {_TONE}\b",
        rf"\bgives? the {_PICTURE} an? (?:\w+ly |overall )?{_HUE} {_TONE}\b",
        rf"\b(?:overall|general) {_HUE} {_TONE}\b",
        rf"\b{_HUE} (?:landscape|terrain|scenery)\b",
        rf"\b{_HUE} {_TONE} (?:throughout|everywhere|overall)\b",
        rf"\b(?:image|picture|scene|photo) (?:is|appears|looks) (?:\w+ly |overall )?{_HUE}(?= overall|,|$)",
    )
]
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
    text = sentence.said()
    if _NOT_SEEN.isdisjoint(sentence.words):
        for pattern in _MAIN:
            found = pattern.search(text)
            if found:
                yield _compared(sentence, found["hue"], measured)
                return


def _compared(sentence: Sentence, said: str, measured: str) -> Finding:
    """Where two hues are named ("greenish blue"), one of them may be the main one."""
    named = [_TINTS.get(word, _SAME.get(word, word)) for word in said.replace(",", " ").split()]
    hues = [hue for hue in named if hue in COLOURS]
    right = any(hue == measured or hue in _LIKE[measured].split() or measured in _LIKE[hue].split() for hue in hues)
    return Finding("colours", sentence.turn, sentence.said(), f"mainly {measured}", said, not right)
