"""The kinds of sensor that rsflow knows, and what is fixed for each.

One idea: a literal table. How pixels of a sensor become a picture by default, what its pictures are called in text, and which
words would be untrue of it (no colours in radar) all hang on these rows; settings of a source may change the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SensorName = Literal["optical", "sar", "infrared"]
PixelUnit = Literal["dn", "reflectance", "amplitude", "power", "db", "kelvin"]

SENSOR_NAMES: tuple[SensorName, ...] = get_args(SensorName)


@dataclass(frozen=True, slots=True)
class Sensor:
    """`picture` is the noun phrase for one of its pictures; `bright` says what a bright pixel means."""

    name: SensorName
    picture: str
    adjective: str
    bright: str
    has_colour: bool
    default_unit: PixelUnit


SENSORS: dict[SensorName, Sensor] = {
    "optical": Sensor("optical", "optical remote sensing image", "optical", "strong reflected sunlight", True, "dn"),
    "sar": Sensor("sar", "synthetic aperture radar (SAR) image", "SAR", "strong radar backscatter", False, "amplitude"),
    "infrared": Sensor("infrared", "infrared remote sensing image", "infrared", "strong thermal emission", False, "dn"),
}
