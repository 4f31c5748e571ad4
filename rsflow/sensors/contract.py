"""What rsflow must know of a kind of sensor: how its pixels become a picture, and which words are true of that picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PixelUnit = Literal["dn", "reflectance", "amplitude", "power", "db", "kelvin"]

# Whether a cloud shows as bright and white pixels, never (the sensor sees through it), or in no known way.
CloudAppearance = Literal["bright_white", "never", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """`picture`: the noun phrase for one of its pictures. `bright`: what a bright pixel means. `default_unit`: of pixels whose
    unit nobody states. `dn_is_amplitude`: numbers without a unit are shown in decibels. `zero_is_fill`: 0 stands for no value
    where nothing else is stated.

    `names` and `physics` are regular expressions of English: what its pictures are called, and what only they can show; one of
    the words in `keywords` stands in whatever they match.
    """

    picture: str
    adjective: str
    bright: str
    has_colour: bool
    default_unit: PixelUnit
    clouds: CloudAppearance
    names: str
    physics: str
    keywords: str
    dn_is_amplitude: bool = False
    zero_is_fill: bool = False
