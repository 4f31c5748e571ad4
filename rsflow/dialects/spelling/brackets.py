"""Regions in one pair of square brackets, `[a, b, c, d; …]`: what the dialects without special tokens share.

One idea: reading and writing of number groups, four to a box and eight to an oriented one, regions parted by semicolons. What
the numbers mean is for the dialect to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.dialects.contract import NUMBER, make_region
from rsflow.spatial.geometry import Region

_COORDINATES = rf"\s*{NUMBER}(?:\s*,\s*{NUMBER}){{3}}(?:(?:\s*,\s*{NUMBER}){{4}})?\s*"
GROUP = rf"\[({_COORDINATES}(?:;{_COORDINATES})*)\]"


def write(regions: Sequence[Sequence[str]], comma: str, semicolon: str) -> str:
    """`regions`: four or eight spelled numbers each."""
    return f"[{semicolon.join(comma.join(numbers) for numbers in regions)}]"


def read(inside: str) -> list[Region]:
    """The regions of what GROUP's one group caught."""
    return [make_region([float(number) for number in re.findall(NUMBER, part)]) for part in inside.split(";")]
