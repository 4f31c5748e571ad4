"""Which sensor a picture of someone's set was taken by, from its path: a guess, and stated as one.

MMRS-1M and its kin keep the names of their sources in their paths, and those sources are of one sensor each
(https://arxiv.org/abs/2401.16822 lists them). A path that names a radar or an infrared source, or says sar, ir, infrared or
thermal as a word of its own, is of that sensor; one that names an optical source, or says optical or rgb, is optical. For every
other path, and for one that names two sensors, the user has to state the sensor.
"""

from __future__ import annotations

import re
from typing import Any

from rsflow.errors import DataError
from rsflow.files import storage
from rsflow.imports.json_records import read_records
from rsflow.sensors import SENSOR_NAMES, SensorName

PICTURES_FILE = "pictures.jsonl"  # of rsflow's own exports

_SOURCES: dict[SensorName, str] = {
    "sar": r"ssdd|hrsid|hrisd|air[-_ ]?sarship|sar[-_ ]?ship|opensarship|sentinel[-_ ]?1|terrasar",
    "infrared": r"hit[-_ ]?uav|sea[-_ ]?shipping|infrared[-_ ]?security|aerial[-_ ]?mancar|double[-_ ]?light[-_ ]?vehicle|"
    r"oceanic[-_ ]?ship",
    "optical": r"dota(?![a-z])|dior(?![a-z])|fair1m|nwpu|uc[-_ ]?merced|ucm(?![a-z])|rsicd|rsitmd|sydney|hrsc|rsod|visdrone|"
    r"whu[-_ ]?rs19|eurosat|rsvqa|rsivqa|floodnet|levir|ucas[-_ ]?aod|patternnet|optimal[-_ ]?31|sentinel[-_ ]?2|landsat|naip",
}
_WORDS: dict[SensorName, str] = {"sar": r"sar|radar", "infrared": r"ir|infrared|thermal|tir|lwir", "optical": r"optical|rgb"}

_PATTERNS = {
    sensor: re.compile(rf"(?<![a-z])(?:{_SOURCES[sensor]})|(?<![a-z])(?:{_WORDS[sensor]})(?![a-z])", re.IGNORECASE)
    for sensor in _SOURCES
}


def guess_sensor(path: str) -> SensorName | None:
    """The sensor that a picture's path names; None where it names none, or several."""
    found = [sensor for sensor, pattern in _PATTERNS.items() if pattern.search(path)]
    return found[0] if len(found) == 1 else None


def resolve_sensor(name: str, stated: Any = None) -> SensorName:
    """The sensor that the set states for a picture, else that of its path. DataError `sensor_unknown` where neither states
    one.
    """
    name_stated = str(stated).strip().lower()
    matching = next((sensor for sensor in SENSOR_NAMES if sensor == name_stated), None)
    found = matching if stated is not None else guess_sensor(name)
    if found is None:
        found_text = (
            f"its record says {stated!r}" if stated is not None else "neither its record nor its path states the sensor"
        )
        raise DataError("sensor_unknown", f"{name}: {found_text}, expected {', '.join(SENSOR_NAMES)}: give --sensor")
    return found


def read_stated_sensors(folder: str) -> dict[str, str]:
    """The sensors of the pictures of one of rsflow's own exports, which lists them in a file of its folder; else none."""
    place = storage.join(folder, PICTURES_FILE)
    rows = read_records(place) if storage.exists(place) else ()
    return {row["image"]: row["sensor"] for row in rows if isinstance(row, dict) and {"image", "sensor"} <= row.keys()}
