"""Dialects: one file per model family, how boxes are spelled in its text.

One idea: a literal table of modules with `spell`, `parse` and `loss_px` (rsflow.dialects.contract). A new family is a new file
and a new row. `qwen` is Qwen2.5-VL's.
"""

from __future__ import annotations

import difflib

from rsflow.dialects import geochat, internvl, llava, mmrs, pixels, qwen, qwen2, qwen3
from rsflow.dialects.contract import Dialect, collapsed, moved_px
from rsflow.errors import ConfigError

__all__ = ["DIALECTS", "Dialect", "collapsed", "get", "moved_px"]

DIALECTS: dict[str, Dialect] = {
    "geochat": geochat,
    "internvl": internvl,
    "llava": llava,
    "mmrs": mmrs,
    "pixels": pixels,
    "qwen": qwen,
    "qwen2": qwen2,
    "qwen3": qwen3,
}


def get(name: str) -> Dialect:
    """The dialect of that name, or a ConfigError that lists the known ones."""
    if name not in DIALECTS:
        close = difflib.get_close_matches(name, DIALECTS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"dialect {name!r} is not known; {hint}known dialects: {', '.join(DIALECTS)}")
    return DIALECTS[name]
