"""Texts that no file can hold: file names whose bytes are not UTF-8, and halves of surrogate pairs from JSON.

Python reads both, as surrogates, and every table and file refuses them. They are spelled out where they are only shown.
"""

from __future__ import annotations


def escape_undecodable(path: str) -> str:
    """The text with bytes that are no UTF-8 spelled as `\\xe9`, other surrogates as `\\ud83d`; equal where it has none."""
    return path.encode("utf-8", "surrogateescape" if _is_from_bytes(path) else "backslashreplace").decode(
        "utf-8", "backslashreplace"
    )


def _is_from_bytes(path: str) -> bool:
    """Whether all surrogates stand for bytes of a file's name, as Python spells those that it cannot decode."""
    return all("\udc80" <= char <= "\udcff" for char in path if "\ud800" <= char <= "\udfff")
