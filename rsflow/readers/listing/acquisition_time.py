"""When a scene was taken, from what its source says, from its path or from its tags.

One idea: a date is read strictly or not at all. Times without a zone are UTC, as products are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from rsflow.errors import ConfigError, DataError
from rsflow.records import Reject, SceneFiles

_ORDINAL = re.compile(r"(\d{4})-?(\d{3})(?:T(\d{2}):?(\d{2}):?(\d{2}))?Z?")  # 1988227, as in Landsat scene names
_TIFF = re.compile(r"(\d{4}):(\d{2}):(\d{2}) (\d{2}:\d{2}:\d{2})")  # TIFF 6.0, tag DateTime


def parse_time(text: str) -> datetime | None:
    """ISO 8601 (also YYYYMMDD, with THHMMSS), YYYYDDD, or the form of TIFF tags, as UTC; None for anything else."""
    text = text.strip()
    if ordinal := _ORDINAL.fullmatch(text):
        year, day, hours, minutes, seconds = (int(part or 0) for part in ordinal.groups())
        if not (year and 1 <= day <= 366 and hours < 24 and minutes < 60 and seconds < 60):
            return None
        return datetime(year, 1, 1, hours, minutes, seconds, tzinfo=UTC) + timedelta(days=day - 1)
    try:
        time = datetime.fromisoformat(_TIFF.sub(r"\1-\2-\3T\4", text))
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def check_rule(rule: str, where: str) -> None:
    """Raise ConfigError unless `rule` is a time or a regular expression with one group."""
    if parse_time(rule) is not None:
        return
    try:
        groups = re.compile(rule).groups
    except re.error as error:
        raise ConfigError(f"{where}: found {rule!r}; it is neither a time nor a regular expression ({error})") from error
    if groups != 1:
        raise ConfigError(
            f"{where}: found {rule!r}; give a time such as 2020-01-31T10:20:30, or a regular expression with exactly one "
            rf"group that holds the date in the path, such as _(\d{{8}})_ (this has {groups} groups)"
        )


def check_rule_matches(rule: str, places: Sequence[str], source: str) -> None:
    """ConfigError where `rule` is a regular expression that finds nothing in any of the paths: no scene would have a time."""
    if parse_time(rule) is None and places and not any(re.search(rule, place) for place in places):
        raise ConfigError(
            f"source {source}: acquired_at: {rule!r} matches none of its {len(places)} files (such as {places[0]}): "
            "correct the expression, or leave it out to read times from the files"
        )


def missing_time(scene: SceneFiles) -> Reject | None:
    """A reject `no_time` where the source's rule is a regular expression that no path of the scene matches; the scene stays."""
    rule = scene.options.get("acquired_at")
    if rule is None or parse_time(rule) is not None or any(re.search(rule, place) for place in scene.files.values()):
        return None
    place = next(iter(scene.every_file), scene.scene_id)
    detail = f"acquired_at: {rule!r} is not found in {place}: the scene has no time; correct the expression or the name"
    return Reject("annotation", scene.scene_id, "no_time", detail, place)


def find_acquisition_time(rule: str | None, place: str, tags: Iterable[str | None] = ()) -> datetime | None:
    """By the source's rule where there is one (None where it is not found in the path), else the first tag that is a time.

    Raises DataError("bad_time", ...) where the rule finds something in the path that is no date.
    """
    if rule is None:
        return next((time for tag in tags if tag and (time := parse_time(tag))), None)
    if time := parse_time(rule):
        return time
    match = re.search(rule, place)
    if match is None:
        return None
    time = parse_time(match[1] or "")
    if time is None:
        raise DataError(
            "bad_time", f"{place}: acquired_at finds {match[1]!r}, which is no date (YYYYMMDD, YYYY-MM-DD, YYYYDDD)"
        )
    return time
