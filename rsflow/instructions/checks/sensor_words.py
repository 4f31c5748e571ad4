"""Sensor words: a picture is called what it is, and nothing is said of it that only another sensor could show.

A table from words to the sensor that they are true of. Sentences that compare sensors, deny or suppose are left
alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.checks.english import word_set
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.tile_knowledge import Known
from rsflow.sensors import SENSORS

_PICTURE = (
    r"(?:image|imagery|picture|photo|photograph|scene|snapshot|acquisition|capture|frame|scan|view|data|sensor|"
    r"instrument|scanner|camera|satellite)s?\b"
)
_BETWEEN = r"(?: remote sensing| satellite| aerial| overhead| \( sar \)| \( rgb \)| \( ir \))*"
_TYPES = {
    name: re.compile(
        rf"\b(?:{sensor.names}){_BETWEEN} {_PICTURE}|\b(?:{sensor.physics})\b|"
        rf"(?:captured|acquired|taken|recorded|imaged|collected|seen|shown) (?:by|with|using|in|through)(?: an?| the)? "
        rf"(?:{sensor.names})\b|(?:image|picture|scene|frame|tile) is (?:in|from)(?: the| a)? (?:{sensor.names})\b"
    )
    for name, sensor in SENSORS.items()
}
_OTHERS = "|".join(dict.fromkeys(["sar", "radar", "optical", "infrared", "thermal", "rgb", "visible", "colou?r", *SENSORS]))
_THAN = re.compile(rf"\b(?:in|by) contrast\b|\bthan (?:in |an? |the |by |with |from )*(?:{_OTHERS}|other)\b")
# One of them stands in whatever the patterns find.
_WORDS = word_set(" ".join(sensor.keywords for sensor in SENSORS.values()))
_ELSEWHERE = word_set(
    "unlike instead rather compared comparison whereas other not without would could might if combined"
    " complement"
    " complementary additional alongside versus vs difference differs both cannot isn't fused paired along"
)


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    sensor = known.facts.sensor
    for sentence in talk.sentences:
        if _WORDS.isdisjoint(sentence.words):
            continue
        text = sentence.said()
        if _THAN.search(text):
            continue
        said = {name: found[0] for name, pattern in _TYPES.items() if (found := pattern.search(text))}
        others = [name for name in said if name != sensor]
        if others:
            denied = re.search(rf"\bno(?: \w+)? {re.escape(said[others[0]])}", text)
            here = f"this {said[others[0]]}" in text and "not this" not in text  # "no ship is visible in this SAR image"
            wrong = (
                sensor not in said and not denied and (_ELSEWHERE - {"not"} if here else _ELSEWHERE).isdisjoint(sentence.words)
            )
            yield Finding("sensor_words", sentence.turn, text, f"a text about {sensor}", said[others[0]], wrong)
        elif said:
            yield Finding("sensor_words", sentence.turn, text, f"a text about {sensor}", said[sensor], False)
