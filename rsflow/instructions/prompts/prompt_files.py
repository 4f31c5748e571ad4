"""Prompts: text files beside this module, one per kind of text.

A file begins with `version: N`; lines of three dashes separate the system message and the question. `$name` is a placeholder.
Name, version and digest of the content are part of the provenance of every text written from it and of the recipe, so a
changed file rewrites its texts.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

_HEAD = re.compile(r"version: (\d+)\n---\n")


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    version: int
    parts: tuple[str, ...]
    digest: str

    @property
    def identity(self) -> str:
        """`description:1-0a1b2c3d`, for provenance."""
        return f"{self.name}:{self.version}-{self.digest[:8]}"

    def fill(self, **words: str) -> tuple[str, ...]:
        """The parts with every `$name` filled in; a name without words is a KeyError: a bug."""
        return tuple(Template(part).substitute(words).strip() for part in self.parts)


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt in `name.txt`."""
    return parse_prompt(name, (files(__package__) / f"{name}.txt").read_text(encoding="utf-8"))


def parse_prompt(name: str, text: str) -> Prompt:
    """The prompt in a file's text. ValueError where it does not begin as a prompt does."""
    head = _HEAD.match(text)
    if not head:
        raise ValueError("expected `version: N` in the first line and three dashes in the second")
    parts = tuple(text[head.end() :].split("\n---\n"))
    return Prompt(name, int(head[1]), parts, hashlib.blake2b(text.encode(), digest_size=16).hexdigest())
