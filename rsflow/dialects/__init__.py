"""Dialects: one file per model family, how boxes are spelled in its text.

One idea: a literal table of modules with `spell` and `parse` (rsflow.dialects.contract). A new family is a new file and a
new row.
"""

from __future__ import annotations

import difflib

from rsflow.dialects import internvl, llava, mmrs, pixels, qwen
from rsflow.dialects.contract import Dialect, collapsed
from rsflow.errors import ConfigError

__all__ = ["DIALECTS", "Dialect", "collapsed", "get"]

DIALECTS: dict[str, Dialect] = {
    "internvl": internvl,
    "llava": llava,
    "mmrs": mmrs,
    "pixels": pixels,
    "qwen": qwen,
}


def get(name: str) -> Dialect:
    """The dialect of that name, or a ConfigError that lists the known ones."""
    if name not in DIALECTS:
        close = difflib.get_close_matches(name, DIALECTS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"dialect {name!r} is not known; {hint}known dialects: {', '.join(DIALECTS)}")
    return DIALECTS[name]
