"""Which sensor a picture of someone's set was taken by, from its path: a guess, and stated as one.

One idea: MMRS-1M and its kin keep the names of their sources in their paths, and those sources are of one sensor each
(https://arxiv.org/abs/2401.16822 lists them). A path that names a radar or an infrared source, or says sar, ir, infrared or
thermal as a word of its own, is of that sensor; every other one is optical. Who knows better says so.
"""

from __future__ import annotations

import re

from rsflow.sensors import SensorName

_SOURCES: dict[SensorName, str] = {
    "sar": r"ssdd|hrsid|hrisd|air[-_ ]?sarship|sar[-_ ]?ship|opensarship|sentinel[-_ ]?1|terrasar",
    "infrared": r"hit[-_ ]?uav|sea[-_ ]?shipping|infrared[-_ ]?security|aerial[-_ ]?mancar|double[-_ ]?light[-_ ]?vehicle|"
    r"oceanic[-_ ]?ship",
}
_WORDS: dict[SensorName, str] = {"sar": r"sar|radar", "infrared": r"ir|infrared|thermal|tir|lwir"}

_PATTERNS = {
    sensor: re.compile(rf"{_SOURCES[sensor]}|(?<![a-z])(?:{_WORDS[sensor]})(?![a-z])", re.IGNORECASE) for sensor in _SOURCES
}


def guess(path: str) -> SensorName:
    """The sensor that a picture's path speaks of; optical where it speaks of none."""
    return next((sensor for sensor, pattern in _PATTERNS.items() if pattern.search(path)), "optical")
