"""Records of one picture with nearly the same text: another case, other punctuation, blanks or articles.

Each record is stored as two hashes, of its normalised words and of its exact text (as in
rsflow.audit.records.duplicate_texts); records with equal words and different text are near duplicates. Numbers and signs count
as words, so that places and amounts differ.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from dataclasses import dataclass, field

import numpy as np

from rsflow.audit.report import MAX_EXAMPLES, Report
from rsflow.imports.conversation import Conversation
from rsflow.instructions.wording.english import NUMBER_WORDS

_WORDS = re.compile(r"-?\d+(?:\.\d+)?|[^\W\d_]+|[<>=+%]")
MIN_WORDS = 4  # of a whole record
_SPELLINGS = {"color": "colour", "gray": "grey", "center": "centre", "meters": "metres"}
_ARTICLES = frozenset(["a", "an", "the"])


@dataclass
class NearDuplicates:
    """Collects records by `add`; `report_to` reports those that nearly repeat an earlier one."""

    _words: array[int] = field(default_factory=lambda: array("q"))
    _texts: array[int] = field(default_factory=lambda: array("q"))
    _record: array[int] = field(default_factory=lambda: array("q"))

    def add(self, number: int, conversation: Conversation) -> None:
        texts = [text for exchange in conversation.exchanges for text in (exchange.question, exchange.answer)]
        if sum(len(normalise_words(text).split()) for text in texts) < MIN_WORDS:
            return
        self._words.append(hash_texts(*conversation.pictures, *map(normalise_words, texts)))
        self._texts.append(hash_texts(*texts))
        self._record.append(number)

    def report_to(self, report: Report) -> None:
        words, texts = np.array(self._words, np.int64), np.array(self._texts, np.int64)
        order = np.argsort(words, kind="stable")
        same = words[order][1:] == words[order][:-1]
        near = np.flatnonzero(same & (texts[order][1:] != texts[order][:-1]))
        pairs = sorted((self._record[order[i + 1]], self._record[order[i]]) for i in near)
        for later, first in pairs[:MAX_EXAMPLES]:
            report.add("near_repeated_text", f"records {first} and {later}", "the same words on the same picture")
        if pairs:
            report.counts["near_repeated_text"] = len(pairs)


def normalise_words(text: str) -> str:
    """The words of a text in lower case and one spelling, numbers as figures, without articles and punctuation."""
    found = _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_normalise_word(word) for word in found if word not in _ARTICLES)


def _normalise_word(word: str) -> str:
    if word[-1].isdigit():
        return f"{float(word):g}" if "." in word else word
    return str(NUMBER_WORDS.index(word)) if word in NUMBER_WORDS[1:] else _SPELLINGS.get(word, word)


def hash_texts(*parts: str) -> int:
    """A signed number of 64 bits, as array("q") holds it."""
    return int.from_bytes(
        hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True
    )
