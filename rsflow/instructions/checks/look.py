"""Look: overall brightness and texture, and where the picture is brightest and darkest, against what was measured.

One idea: only the ends contradict each other. "Dark" is wrong of a bright picture, not of a medium one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.geometry import Box
from rsflow.instructions import places
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.regions import may_be, parts
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.talk import Talk

SHORT = 4  # words of an answer that names a place or a grade alone
_WHOLE = r"\b(?:image|picture|scene|it|frame|photo|tile|this)(?: itself| as a whole| overall)? (?:is|appears|looks|seems)"
_FILL = (
    r"(?: (?:overall|generally|rather|quite|very|fairly|relatively|predominantly|mostly|notably|and|,|of|medium|"
    r"brightness|\w+ly))*"
)
_TONES = re.compile(rf"{_WHOLE}{_FILL} (dark|bright)\b(?! (?:spot|in|at|on|part|area|patch|target|on|toward|near))")
_THIS = re.compile(
    r"\b(?:this|it) is an? (?:rather |fairly |very |overall |\w+ly )?(dark|bright) (?:image|picture|scene|photo)"
)
_NAMED = re.compile(
    r"\b(dark|bright)(?: ,)?(?: (?:smooth|strongly|moderately|textured|and))* (?:optical|sar|infrared|radar|thermal) image\b"
)
_SURFACE = re.compile(rf"{_WHOLE}(?: \w+| ,){{0,6}}? (smooth|strongly textured|heavily textured)\b")
_OPPOSITE = {"dark": "bright", "bright": "dark", "smooth": "strongly textured", "strongly textured": "smooth"}
_ENDS = {"brightest": "brightest_part", "darkest": "darkest_part"}
_PEAKS = frozenset(["highest", "peaks", "maximum", "peak"])
_WORDS = frozenset(["dark", "bright", "smooth", "textured", "brightest", "darkest", "brightness"])
_OVERALL = re.compile(r"\b(?:brightness|bright|dark)\b")
_TEXTURE = re.compile(r"\btextur")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for sentence in talk.sentences:
        if _WORDS.isdisjoint(sentence.words):
            continue
        text = sentence.said()
        if "not" not in sentence.words:
            for pattern, name in ((_TONES, "brightness"), (_NAMED, "brightness"), (_THIS, "brightness"), (_SURFACE, "texture")):
                found = pattern.search(text)
                if found:
                    yield from _compared(known, sentence, name, found[1].replace("heavily", "strongly"), text)
        yield from _ends(known, sentence, sentence)
    for question, answer in talk.pairs:
        reply = answer[0].said()
        for sentence in question if len(answer[0].words) <= SHORT else ():
            if reply in {"dark", "bright"} and _OVERALL.search(sentence.said()):
                yield from _compared(known, answer[0], "brightness", reply, f"{sentence.said()}? {reply}")
            if reply in {"smooth", "strongly textured"} and _TEXTURE.search(sentence.said()):
                yield from _compared(known, answer[0], "texture", reply, f"{sentence.said()}? {reply}")
            if not _WORDS.isdisjoint(sentence.words):
                yield from _ends(known, sentence, answer[0])


def _compared(known: Known, sentence: Sentence, name: str, said: str, text: str) -> Iterator[Finding]:
    measured = known.measured.get(name)
    if measured:
        yield Finding("look", sentence.turn, text, f"{name}: {measured}", said, measured == _OPPOSITE[said])


def _ends(known: Known, named: Sentence, told: Sentence) -> Iterator[Finding]:
    """`brightest in the upper left`, or the same as a question and its answer."""
    found = [(index, word) for index, word in enumerate(named.words) if word in _ENDS]
    peak = next((index for index, word in enumerate(named.words) if word in _PEAKS and "brightness" in named.words), None)
    if peak is not None and not found:
        yield from _there(known, told, named, "brightest", peak)
    for index, word in found if len(found) == 1 or named is told else []:
        after = named.words[index + 1] if index + 1 < len(named.words) else ""
        ends = not after and named.words[index - 1 : index] in {("the",), ("is",)}  # "the left of the image is the brightest"
        if named is not told or after in _PLACED or ends:
            yield from _there(known, told, named, word, index if named is told and not ends else -1)


def _there(known: Known, told: Sentence, named: Sentence, word: str, after: int) -> Iterator[Finding]:
    placed = [part for part in parts(told.words) if part.start > after]
    cell = places.known(known.measured.get(_ENDS[word], ""))
    if placed and cell:
        wrong = not may_be(_middle(cell), placed[0])
        yield Finding("look", told.turn, named.said(), f"{word}: {cell}", placed[0].said, wrong)


_PLACED = frozenset(
    [
        "in",
        "at",
        "on",
        "part",
        "area",
        "region",
        "portion",
        "toward",
        "towards",
        "near",
        "section",
        "zone",
        "tones",
        "spot",
        "lies",
        "sits",
        "occurs",
    ]
)


def _middle(cell: str) -> Box:
    """The inner part of one of the nine cells, in shares of the sides."""
    row, column = next((r, c) for r, names in enumerate(places.PLACES) for c, name in enumerate(names) if name == cell)
    return ((column + 0.4) / 3, (row + 0.4) / 3, (column + 0.6) / 3, (row + 0.6) / 3)
