"""Claims about the picture as a whole: its main colour, colours where the sensor has none, and which sensor took it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.claims import Claim
from rsflow.instructions.reader.parsing.read_sentence import ReadSentence
from rsflow.instructions.reader.parsing.tile_words import TileWords
from rsflow.instructions.reader.parsing.words import NEGATIONS, word_set
from rsflow.instructions.reader.reading import Reading
from rsflow.instructions.wording.attributes import COLOURS
from rsflow.sensors import SENSORS

# Hues that one may be taken for.
_LIKE = {
    "red": "orange pink brown purple", "orange": "red yellow brown beige", "yellow": "orange green beige brown",
    "green": "yellow cyan brown", "cyan": "green blue grey", "blue": "cyan purple grey", "purple": "blue pink red",
    "pink": "red purple orange beige", "brown": "red orange yellow beige grey green",
    "beige": "yellow orange brown white grey pink",
    "grey": "beige brown white black cyan blue", "black": "grey", "white": "grey beige",
}  # fmt: skip
_SAME = {
    "gray": "grey", "turquoise": "cyan", "teal": "cyan", "violet": "purple", "magenta": "purple", "tan": "beige",
    "gold": "yellow",
    "reddish": "red", "yellowish": "yellow", "greenish": "green", "bluish": "blue", "brownish": "brown", "greyish": "grey",
}  # fmt: skip
_HUES = ({*COLOURS} | {*_SAME}) - {"grey", "gray", "greyish", "black", "white"}
_NO_HUE = word_set("space spaces belt belts house houses infrastructure zone zones roof roofs corridor")
_NAME = "|".join([*COLOURS, *_SAME])
_TONE = r"(?:tones?|hues?|shades?|colou?rs?|tints?|appearance|cast|palette|colou?ring)"
_PICTURE = r"(?:image|picture|scene|photo|tile|frame|view)"
_MAIN = [
    re.compile(pattern)
    for pattern in (
        rf"\b(?:dominant|main|overall|prevailing|predominant) {_TONE}(?: \w+){{0,4}} (?:is|are) (?:\w+ly )?({_NAME})\b",
        rf"\b{_PICTURE} is (?:mainly|mostly|predominantly|overall) ({_NAME})\b(?! [a-z]+)",
        rf"\b({_NAME}) (?:{_TONE} )?(?:dominates?|prevails?|is the (?:dominant|main|prevailing|predominant|overall)) ?",
        rf"\b{_PICTURE} has an? (?:\w+ly |overall )?({_NAME}) {_TONE}\b",
    )
]
_SENSOR_IMAGE = r"(?:image|imagery|picture|photo|photograph|scene|snapshot|frame|view)s?\b"
_BETWEEN = r"(?: remote sensing| satellite| aerial| overhead| aperture radar| \( (?:sar|rgb|ir) \))*"
_SENSORS = {
    name: re.compile(rf"\b(?:{sensor.names}){_BETWEEN} {_SENSOR_IMAGE}|\b(?:{sensor.physics})\b")
    for name, sensor in SENSORS.items()
}
_COMPARING = NEGATIONS | word_set(
    "unlike instead rather than compared comparison whereas other would could might if combined complement complementary"
    " additional versus vs difference differs both fused paired contrast may false pseudo cannot while although"
)


def read_picture(sentence: ReadSentence, tile: TileWords) -> Iterator[Reading]:
    text = " ".join(sentence.words)
    yield from _colours(sentence, text, tile)
    named = {name: found[0] for name, pattern in _SENSORS.items() if (found := pattern.search(text))}
    for name, words in named.items() if len(named) == 1 else ():
        # "no car is visible in this SAR image" denies no sensor.
        comparing = _COMPARING - NEGATIONS if f"this {words}" in text and "not this" not in text else _COMPARING
        if not comparing & {*sentence.words}:
            yield Reading((Claim("name", word=name, scope="sensor"),), text)


def _colours(sentence: ReadSentence, text: str, tile: TileWords) -> Iterator[Reading]:
    words = sentence.words
    if not SENSORS[tile.facts.sensor].has_colour:
        if _COMPARING & {*words}:
            return
        hues = [w for i, w in enumerate(words) if w in _HUES and words[i + 1 : i + 2] not in {(noun,) for noun in _NO_HUE}]
        yield from (Reading((Claim("colour", word=_SAME.get(hue, hue)),), text) for hue in hues[:1])
        return
    found = next((match for pattern in _MAIN if (match := pattern.search(text))), None)
    if found and not _COMPARING & {*text[: found.end()].split()}:
        hue = _SAME.get(found[1], found[1])
        alike = sorted({hue, *_LIKE[hue].split(), *(other for other in _LIKE if hue in _LIKE[other].split())})
        yield Reading(tuple(Claim("colour", word=each) for each in alike), text)
