"""Look: overall brightness and texture, and where the picture is brightest and darkest, against what was measured.

One idea: only the ends contradict each other. "Dark" is wrong of a bright picture, not of a medium one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.geometry import Box
from rsflow.instructions import places, reading
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.regions import may_be, parts
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.talk import Talk

_WHOLE = r"\b(?:image|picture|scene|it|frame|photo|tile|this)(?: itself)? (?:is|appears|looks|seems)"
_FILL = r"(?: (?:overall|generally|rather|quite|very|fairly|relatively|predominantly|mostly|notably|and|,|of|medium|brightness|\w+ly))*"
_TONES = re.compile(rf"{_WHOLE}{_FILL} (dark|bright)\b(?! (?:spot|in|at|on|part|area|patch|target|on|toward|near))")
_NAMED = re.compile(
    r"\b(dark|bright)(?: ,)?(?: (?:smooth|strongly|moderately|textured|and))* (?:optical|sar|infrared|radar|thermal) image\b"
)
_SURFACE = re.compile(rf"{_WHOLE}(?: \w+| ,){{0,6}}? (smooth|strongly textured|heavily textured)\b")
_OPPOSITE = {"dark": "bright", "bright": "dark", "smooth": "strongly textured", "strongly textured": "smooth"}
_ENDS = {"brightest": "brightest_part", "darkest": "darkest_part"}
_OVERALL = re.compile(r"\b(?:brightness|bright|dark)\b")
_TEXTURE = re.compile(r"\btextur")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for sentence in talk.sentences:
        text = sentence.said()
        if "not" not in sentence.words:
            for pattern, name in ((_TONES, "brightness"), (_NAMED, "brightness"), (_SURFACE, "texture")):
                found = pattern.search(text)
                if found:
                    yield from _compared(known, sentence, name, found[1].replace("heavily", "strongly"), text)
        yield from _ends(known, sentence, sentence)
    for question, answer in talk.pairs:
        reply = answer[0].said()
        for sentence in question:
            if reply in {"dark", "bright"} and _OVERALL.search(sentence.said()):
                yield from _compared(known, answer[0], "brightness", reply, f"{sentence.said()}? {reply}")
            if reply in {"smooth", "strongly textured"} and _TEXTURE.search(sentence.said()):
                yield from _compared(known, answer[0], "texture", reply, f"{sentence.said()}? {reply}")
            if len(answer[0].words) <= 4:
                yield from _ends(known, sentence, answer[0])


def _compared(known: Known, sentence: Sentence, name: str, said: str, text: str) -> Iterator[Finding]:
    measured = reading.fact(known.facts, name)
    if measured and measured[1].text:
        yield Finding("look", sentence.turn, text, f"{name}: {measured[1].text}", said, measured[1].text == _OPPOSITE[said])


def _ends(known: Known, named: Sentence, told: Sentence) -> Iterator[Finding]:
    """`brightest in the upper left`, or the same as a question and its answer."""
    found = [(index, word) for index, word in enumerate(named.words) if word in _ENDS]
    for index, word in found if len(found) == 1 or named is told else []:
        after = named.words[index + 1] if index + 1 < len(named.words) else ""
        if named is told and after not in _PLACED:
            continue
        placed = [part for part in parts(told.words) if named is not told or part.start > index]
        measured = reading.fact(known.facts, _ENDS[word])
        cell = places.known(measured[1].text) if measured else None
        if placed and cell:
            wrong = not may_be(_middle(cell), placed[0])
            yield Finding("look", told.turn, named.said(), f"{word}: {cell}", placed[0].said, wrong)


_PLACED = frozenset(
    ["in", "at", "on", "part", "area", "region", "portion", "toward", "towards", "near", "section", "zone", "tones"]
)


def _middle(cell: str) -> Box:
    """The inner part of one of the nine cells, in shares of the sides."""
    row, column = next((r, c) for r, names in enumerate(places.PLACES) for c, name in enumerate(names) if name == cell)
    return ((column + 0.4) / 3, (row + 0.4) / 3, (column + 0.6) / 3, (row + 0.6) / 3)
