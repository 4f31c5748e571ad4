"""Which of a configuration's sources are there, and which are not: files are looked for, nothing is opened.

One idea: a recipe names more sources than anybody has. One that is `optional` and has no files is left out of a build, by name
and aloud; one that is not optional stays, and its absence is the error that it always was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rsflow.config.select_settings import UNKNOWN
from rsflow.config.settings import BuildConfig, Source
from rsflow.errors import ConfigError
from rsflow.files import storage


def missing_pattern(source: Source) -> str:
    """What is not there of a source: the first of its patterns without files; empty where all is there."""
    for pattern in _file_patterns(source):
        # One band or another is enough here: a scene that lacks one is reported when it is opened.
        if not storage.glob(pattern.replace("{band}", "*")):
            return pattern
    return ""


def _file_patterns(source: Source) -> Iterator[str]:
    yield from _as_tuple(source.scenes.files)
    if source.scenes.stac and not storage.is_remote(source.scenes.stac.href):  # whether an address answers, its search shows
        yield source.scenes.stac.href
    for entry in source.annotation_entries:
        yield from _as_tuple(entry.files)
        for patterns in entry.splits.values():
            yield from _as_tuple(patterns)


def _as_tuple(patterns: str | tuple[str, ...]) -> tuple[str, ...]:
    return (patterns,) if isinstance(patterns, str) else patterns


def drop_missing_sources(built: BuildConfig) -> tuple[BuildConfig, dict[str, str]]:
    """The configuration without the optional sources that are not there, and what each of these lacks.

    ConfigError where none is left, or where none of those that are there has a licence that is allowed.
    """
    missing = {source.name: pattern for source in built.sources if source.optional and (pattern := missing_pattern(source))}
    left = tuple(source for source in built.sources if source.name not in missing)
    if not left:
        raise ConfigError(
            f"none of the {len(missing)} sources is there (such as {next(iter(missing.values()))}): "
            "`rsflow sources CONFIG` tells where each is looked for and how to get it"
        )
    if not any(not source.licence or built.select.allows(source.licence) for source in left):
        raise ConfigError(f"no source may be used: {_describe(built, left)}")
    return (replace(built, sources=left) if missing else built), missing


def describe_disallowed(built: BuildConfig) -> str:
    """Which sources a selection will leave out for their licence, in words; empty where none."""
    out = tuple(source for source in built.sources if source.licence and not built.select.allows(source.licence))
    return _describe(built, out) if out else ""


def _describe(built: BuildConfig, sources: tuple[Source, ...]) -> str:
    names = ", ".join(f"{source.name} ({source.licence})" for source in sources)
    hint = f"; who may use data of unknown licence says so by name: 'select.allow_licences=[{UNKNOWN}, ...]'"
    unknown = any(source.licence == UNKNOWN for source in sources)
    return f"select.allow_licences does not allow {names}{hint if unknown else ''}"
