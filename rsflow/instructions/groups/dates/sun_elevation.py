"""The elevation of the sun when a picture was taken, from its time and place.

Spencer's series of the declination and the equation of time (https://gml.noaa.gov/grad/solcalc/solareqns.PDF), without
refraction: within half a degree.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime


def sun_elevation(time: datetime, latitude: float, longitude: float) -> float:
    """Degrees above the horizon at a time and a place in degrees; negative below it."""
    utc = time.astimezone(UTC)
    hours = utc.hour + utc.minute / 60 + utc.second / 3600
    year = 2 * math.pi / 365 * (utc.timetuple().tm_yday - 1 + (hours - 12) / 24)
    declination = (
        0.006918
        - 0.399912 * math.cos(year)
        + 0.070257 * math.sin(year)
        - 0.006758 * math.cos(2 * year)
        + 0.000907 * math.sin(2 * year)
        - 0.002697 * math.cos(3 * year)
        + 0.00148 * math.sin(3 * year)
    )
    equation_minutes = 229.18 * (
        0.000075
        + 0.001868 * math.cos(year)
        - 0.032077 * math.sin(year)
        - 0.014615 * math.cos(2 * year)
        - 0.040849 * math.sin(2 * year)
    )
    hour_angle = math.radians((60 * hours + equation_minutes + 4 * longitude) / 4 - 180)
    place = math.radians(latitude)
    sine = math.sin(place) * math.sin(declination) + math.cos(place) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))
