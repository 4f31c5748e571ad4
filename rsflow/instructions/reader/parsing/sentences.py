"""Text as sentences of lower-case words.

Hyphens part words ("upper-left" is two), full stops inside numbers and abbreviations end no sentence, and the marks of Markdown
say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ABBREVIATED = re.compile(r"\b(e\.g|i\.e|approx|ca|etc|vs|sq|no|fig|dr|st)\.(?=\s+[a-z\d])", re.IGNORECASE)
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|\S")
# What is put in between two commas, and changes nothing.
_ASIDE = re.compile(
    r", (?:of course|however|indeed|in fact|though|as expected|notably|interestingly|in turn|in particular),", re.I
)
_ENDS = frozenset(".!?;\n")
_MARKUP = re.compile(r"^[ \t]*(?:[-*•–+>]+|#+|\d{1,2}[.)])[ \t]+|[*`#]+|__+", re.MULTILINE)  # of Markdown


@dataclass(frozen=True, slots=True)
class Sentence:
    """`words` are lower-case words, numbers and single punctuation marks; the mark that ended it is left out."""

    turn: int
    words: tuple[str, ...]


@lru_cache(maxsize=4096)  # questions and short answers repeat from tile to tile
def split_sentences(text: str, turn: int) -> tuple[Sentence, ...]:
    """The sentences of a text; semicolons and line ends part them, too."""
    prepared = _ABBREVIATED.sub(lambda found: found[1].replace(".", ""), text) if "." in text[:-1] else text
    prepared = _ASIDE.sub("", prepared) if ", " in prepared else prepared
    prepared = _MARKUP.sub(" ", prepared) if "\n" in prepared or "*" in prepared else prepared
    found: list[Sentence] = []
    words: list[str] = []
    for line in prepared.lower().replace("-", " ").replace("’", "'").split("\n"):
        for word in [*_WORD.findall(line), "\n"]:
            if word in _ENDS:
                found += [Sentence(turn, tuple(words))] if words else []
                words = []
            else:
                words.append(word)
    return tuple(found)
