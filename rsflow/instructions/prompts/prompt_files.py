"""Prompts: text files beside this module, one per kind of text that a model is asked for.

A prompt is data. A file begins with `version: N`; lines of three dashes part it, first what the model is told as a
system message, then the question. `$name` stands for what is filled in. Name, version and digest of the content go into the
provenance of every text that was written from it, and into the recipe, so a changed file writes its texts anew.
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
    text = (files(__package__) / f"{name}.txt").read_text(encoding="utf-8")
    head = _HEAD.match(text)
    if not head:
        raise ValueError(f"prompt {name}: the file must begin with `version: N` and a line of three dashes")
    parts = tuple(text[head.end() :].split("\n---\n"))
    return Prompt(name, int(head[1]), parts, hashlib.blake2b(text.encode(), digest_size=16).hexdigest())
