"""Look: overall brightness and texture, and where the picture is brightest and darkest, against what was measured.

Only the ends contradict each other. "Dark" is wrong of a bright picture, not of a medium one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rsflow.instructions.checks.english import word_set
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.regions import may_be, must_be, parts
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.instructions.wording import positions as places
from rsflow.spatial.geometry import Box

SHORT = 4  # words of an answer that names a place or a grade alone
REACH = 9  # words after "the image is" in which its adjectives stand
_BE = r"(?:is|are|appears?|looks?|seems?|remains?)"
_WHOLE = re.compile(
    rf"\b(?:image|picture|scene|it|frame|photo|tile|this|landscape|terrain|view)(?: itself| as a whole| overall)? {_BE}(?= )"
)
_SURFACE = re.compile(rf"\b(?:surface|texture) {_BE}(?= )")  # its brightness may be that of the ground alone
_THIS = re.compile(
    r"(?:\b(?:this|it) is|^) an? (?:rather |fairly |very |overall |\w+ly )?(dark|bright) (?:image|picture|scene|photo)\b"
    r"|\b(dark|bright)(?: ,)?(?: (?:smooth|strongly|moderately|textured|and))* (?:optical|sar|infrared|radar|thermal) image\b"
)
_LEVEL = re.compile(
    r"\b(low|high) (?:overall |average |mean |general )?brightness\b(?! (?:spot|target|area|part|point|in|at|on))"
    r"|\bbrightness : (low|high)\b"
    rf"|\bbrightness (?:level )?(?:of the (?:image|picture|scene) )?{_BE} (?:\w+ )?(low|high)\b"
)
_WITH = re.compile(
    r"\b(?:with|shows?|has|having) (?:a )?(hardly any|little|no|barely any|pronounced|strong|rough|smooth)"
    r" (?:texture|surface)\b|\btexture : (rough|smooth)\b"
)
_GRADES = {
    "dark": ("brightness", "dark"),
    "dim": ("brightness", "dark"),
    "bright": ("brightness", "bright"),
    "smooth": ("texture", "smooth"),
    "featureless": ("texture", "smooth"),
    "rough": ("texture", "strongly textured"),
    "coarse": ("texture", "strongly textured"),
}
_STRONG = word_set("strongly heavily highly richly coarsely")
_LEVELS = {"low": "dark", "high": "bright"}
_FLAT = word_set("hardly little no barely smooth")
_FILL = word_set("and , but with overall quite rather very fairly of medium brightness in general a bit somewhat as whole tone")
# "Bright in the upper left", "dark spots": of a part alone.
_PART_ALONE = word_set(
    "spot spots in at on part area patch target targets toward towards near against where only along around enough to than for"
)
_OPPOSITE = {"dark": "bright", "bright": "dark", "smooth": "strongly textured", "strongly textured": "smooth"}
_ENDS = {"brightest": "brightest_part", "darkest": "darkest_part"}
_OTHER_END = {"brightest": "darkest_part", "darkest": "brightest_part"}
_PEAKS = frozenset(["highest", "peaks", "maximum", "peak"])
_WORDS = frozenset(["textured", "brightest", "darkest", "brightness", "texture", *_GRADES])
_OVERALL = re.compile(r"\b(?:brightness|bright|dark)\b")
_TEXTURE = re.compile(r"\btextur")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for sentence in talk.sentences:
        if _WORDS.isdisjoint(sentence.words):
            continue
        if "not" not in sentence.words:
            for name, said in _graded(sentence):
                yield from _compared(known, sentence, name, said, sentence.said())
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


def _graded(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """(attribute, grade) for all that is said of the whole picture."""
    text = sentence.said()
    for found in _WHOLE.finditer(text):
        yield from _predicates(text[found.end() :].split()[:REACH])
    for found in _SURFACE.finditer(text):
        told = _predicates(text[found.end() :].split()[:REACH])
        yield from ((name, said) for name, said in told if name == "texture")
    for found in _THIS.finditer(text):
        yield "brightness", found[1] or found[2]
    for found in _LEVEL.finditer(text):
        yield "brightness", _LEVELS[found[1] or found[2] or found[3]]
    for found in _WITH.finditer(text):
        yield "texture", "smooth" if (found[1] or found[2]).split()[0] in _FLAT else "strongly textured"


def _predicates(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The adjectives that follow "the image is", until a word that is neither an adjective of these nor an adverb."""
    for at, word in enumerate(words):
        after = words[at + 1] if at + 1 < len(words) else ""
        if word in _GRADES and after not in _PART_ALONE:
            yield _GRADES[word]
        elif word == "textured" and at and words[at - 1] in _STRONG:
            yield "texture", "strongly textured"
        elif word not in _FILL and word != "textured" and not word.endswith(("ly", "y")):
            return


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
        named_before = named is told and named.words[max(0, index - 2) : index] in {("is", "the"), ("be", "the")}
        if named is not told or after in _PLACED or ends:
            yield from _there(known, told, named, word, index if named is told and not ends and not named_before else -1)


def _there(known: Known, told: Sentence, named: Sentence, word: str, after: int) -> Iterator[Finding]:
    placed = [part for part in parts(told.words) if part.start > after]
    cell, other = (places.parse_place(known.measured.get(ends[word], "")) for ends in (_ENDS, _OTHER_END))
    if placed and (cell or other):
        part = placed[0]
        wrong = not may_be(_middle(cell), part) if cell else False
        if other and part.down is not None and part.across is not None:
            wrong = wrong or must_be(_middle(other), part)
        expected = f"{word}: {cell}" if cell else f"the other end: {other}"
        yield Finding("look", told.turn, named.said(), expected, part.said, wrong)


_PLACED = word_set(
    "in at on part area region portion toward towards near section zone tones spot lies sits occurs corner quadrant"
)


def _middle(cell: str) -> Box:
    """The inner part of one of the nine cells, in shares of the sides."""
    row, column = next((r, c) for r, names in enumerate(places.PLACES) for c, name in enumerate(names) if name == cell)
    return ((column + 0.4) / 3, (row + 0.4) / 3, (column + 0.6) / 3, (row + 0.6) / 3)
