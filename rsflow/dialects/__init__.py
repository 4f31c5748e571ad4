"""Dialects: one file per model family, how boxes are spelled in its text.

One idea: a literal table of modules with `spell`, `parse` and `max_rounding_px` (rsflow.dialects.contract). A new family is a
new file and a new row. `qwen` is Qwen2.5-VL's.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from rsflow.dialects import geochat, internvl, lisa, llava, mmrs, pixels, qwen, qwen2, qwen3
from rsflow.dialects.contract import Dialect, collapsed_boxes, displacement_px
from rsflow.dialects.spelling.outlines import spell_outlines
from rsflow.dialects.spelling.paths import spell_paths
from rsflow.errors import ConfigError
from rsflow.plugins import PluginTable
from rsflow.spatial.geometry import Region

__all__ = ["DIALECTS", "Dialect", "collapsed_boxes", "displacement_px", "get_dialect", "spell_outlines_and_paths", "spell_text"]

DIALECTS: PluginTable[Dialect] = PluginTable(
    "rsflow.dialects",
    {
        "geochat": geochat,
        "internvl": internvl,
        "lisa": lisa,
        "llava": llava,
        "mmrs": mmrs,
        "pixels": pixels,
        "qwen": qwen,
        "qwen2": qwen2,
        "qwen3": qwen3,
    },
)

SETTINGS = {"qwen": qwen.Qwen}  # dialects that depend on how a model's processor is set, as dataclasses of its settings


def get_dialect(name: str) -> Dialect:
    """The dialect of that name, or a ConfigError that lists the known ones.

    One with settings takes them after a colon: `qwen:min_pixels=3136,max_pixels=1003520`.
    """
    family, _, written = name.partition(":")
    if family not in DIALECTS:
        close = difflib.get_close_matches(family, DIALECTS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"dialect {name!r} is not known; {hint}known dialects: {', '.join(DIALECTS)}")
    return _with_settings(name, family, written) if written else DIALECTS[family]


def spell_text(
    dialect: Dialect, text: str, boxes: Sequence[Region], answer: Mapping[str, Any], height_px: int, width_px: int
) -> str:
    """A turn's text with all its marks spelled: of `boxes`, and of the `outlines` and `paths` of the structured answer.

    ConfigError where it holds outlines or paths and the dialect spells none.
    """
    return spell_outlines_and_paths(dialect, dialect.spell(text, boxes, height_px, width_px), answer, height_px, width_px)


def spell_outlines_and_paths(dialect: Dialect, text: str, answer: Mapping[str, Any], height_px: int, width_px: int) -> str:
    """A text whose boxes are spelled, with its other marks spelled too."""
    if "|#" in text:
        text = spell_outlines(dialect, text, answer["outlines"], height_px, width_px)
    return spell_paths(dialect, text, answer["form"], answer["paths"], height_px, width_px) if "|@" in text else text


@lru_cache  # a stream asks for every sample
def _with_settings(name: str, family: str, written: str) -> Dialect:
    settings = dict(one.partition("=")[::2] for one in written.split(","))
    known = SETTINGS.get(family)
    names = [field.name for field in fields(known)] if known else []
    for setting, value in settings.items():
        if setting not in names or not (value.isascii() and value.isdigit()):
            takes = ", ".join(f"{one}=<whole number>" for one in names) or "no settings"
            raise ConfigError(f"dialect {name!r}: found {setting}={value}; {family} takes {takes}")
    return known(**{setting: int(value) for setting, value in settings.items()}) if known else DIALECTS[family]
