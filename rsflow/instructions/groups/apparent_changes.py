"""What only seems to change between two pictures: cloud, season, shadow, and how far one is shifted against the other.

Each is stated only where it was measured or follows from time and place: a share of cloud, a month of the year, the height of
the sun, a shift. That two pictures differ in nothing of this is never stated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rsflow.instructions.groups.dates.sun_elevation import sun_elevation
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english

TASK = "change"
LEAST_CLOUD = 0.05  # share of a picture from which its cloud is stated
LEAST_SHIFT_PX = 1.0
LEAST_SUN, SUN_LEAD = 10.0, 15.0  # degrees of the sun above the horizon, and by which it must differ for other shadows
_TROPICS = 23.5  # degrees; between them months do not determine seasons
_SEASONS = ("winter", "spring", "summer", "autumn")
_TURN_DAYS = 15  # of the month before and after a meteorological season begins, in which it is not stated


def question_answers(group: GroupFacts) -> Iterator[QuestionAnswer]:
    reasons = [
        *_describe_clouds(group.members),
        *_describe_seasons(group.members),
        *_describe_shadows(group.members),
        *_describe_shifts(group.members),
    ]
    if reasons:
        reasons_text = " ".join(f"{english.capitalise(text)}." for _, text in reasons)
        answer = {"kind": "text", "reasons": [name for name, _ in reasons]}
        yield QuestionAnswer(TASK, "change_apparent", "all", reasons_text, reasons_text, answer, ())


def season(member: GroupMember) -> str | None:
    """The season of a picture, by date and hemisphere; None where either is not known, in the tropics, and near the turn of two
    seasons."""
    if member.acquired_at is None or member.latitude is None or abs(member.latitude) < _TROPICS:
        return None
    month, day = member.acquired_at.month, member.acquired_at.day
    if (month % 3 == 0 and day <= _TURN_DAYS) or (month % 3 == 2 and day > _TURN_DAYS):
        return None
    quarter = month % 12 // 3
    return _SEASONS[quarter if member.latitude > 0 else (quarter + 2) % 4]


def _describe_clouds(members: Sequence[GroupMember]) -> Iterator[tuple[str, str]]:
    for number, member in enumerate(members, 1):
        if member.cloud_share is not None and member.cloud_share >= LEAST_CLOUD:
            yield "cloud", f"cloud covers {english.percent_phrase(member.cloud_share)} of image {number}"


def _describe_seasons(members: Sequence[GroupMember]) -> Iterator[tuple[str, str]]:
    seasons = [season(member) for member in members]
    if all(seasons) and len({*seasons}) > 1:
        parts = [f"image {number} in {name}" for number, name in enumerate(seasons, 1)]
        yield "season", f"the images were taken in different seasons, {english.join_list(parts)}"


def _describe_shadows(members: Sequence[GroupMember]) -> Iterator[tuple[str, str]]:
    """Of the images with the lowest and the highest sun; of several the first."""
    heights = [sun_height(member) for member in members]
    known = [height for height in heights if height is not None]
    if len(known) == len(members) and max(known) - min(known) >= SUN_LEAD:
        low, high = known.index(min(known)), known.index(max(known))
        lower, higher = (f"image {place + 1}, at about {known[place]:.0f} degrees" for place in (low, high))
        yield "shadow", f"the sun stood lower in {lower}, than in {higher}, so shadows are longer in image {low + 1}"


def sun_height(member: GroupMember) -> float | None:
    """Degrees of the sun above the horizon in a photograph; None where time of day or place are not known, or it stood too low
    for clear shadows. Midnight in UTC stands for a date without a time."""
    time = member.acquired_at
    if member.facts.sensor != "optical" or time is None or member.latitude is None or member.longitude is None:
        return None
    if (time.hour, time.minute, time.second) == (0, 0, 0):
        return None
    height = sun_elevation(time, member.latitude, member.longitude)
    return height if height >= LEAST_SUN else None


def _describe_shifts(members: Sequence[GroupMember]) -> Iterator[tuple[str, str]]:
    for number, member in enumerate(members[1:], 2):
        shift = math.hypot(*member.shift_px) if member.shift_px else 0.0
        if shift >= LEAST_SHIFT_PX:
            yield "shift", f"image {number} is shifted by about {round(shift)} {'pixel' if round(shift) == 1 else 'pixels'}"
