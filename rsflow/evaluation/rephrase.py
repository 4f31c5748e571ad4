"""The same question in other words: the further phrasings of the kind of question that a text is one of.

One idea: questions that rules write are filled templates (rsflow.instructions.phrasings), so a question's text gives its
template and what fills it, and every other template of the kind asks the same. A text that fits no template, or two kinds
equally well, has no other wording that is known to mean the same.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import cache, partial

from rsflow.instructions.phrasings import HINT, PHRASINGS


def other_wordings(text: str, count: int) -> tuple[str, ...]:
    """At most `count` other phrasings of a question, in the table's order; none where its kind is not known for sure. Of a
    question of several lines, such as one with options, the first is phrased anew."""
    question, line_break, rest = text.partition("\n")
    fits = sorted(_fits(question), key=lambda fit: -fit[0])
    if not fits or any(fit[0] == fits[0][0] and fit != fits[0] for fit in fits):
        return ()
    _, kind, placeholders = fits[0]
    values = dict(placeholders)
    # The hint at a short answer contradicts what options ask for.
    usable = [phrasing for phrasing in PHRASINGS[kind] if _names(phrasing) <= values.keys() and not (rest and HINT in phrasing)]
    wordings = dict.fromkeys(phrasing.format(**values) for phrasing in usable)
    return tuple(f"{wording}{line_break}{rest}" for wording in wordings if wording != question)[:count]


def annotators_question(text: str) -> str:
    """The words of a question that annotators asked, without what rules put around them."""
    found = [(literals, match) for literals, match in map(partial(_match, text), PHRASINGS["question"]) if match]
    return str(max(found, key=lambda one: one[0])[1]["question"]) if found else text


def _names(phrasing: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrasing) if name}


def _fits(text: str) -> Iterator[tuple[int, str, tuple[tuple[str, str], ...]]]:
    """(literal characters, kind, placeholders) of every template that the text is filled from."""
    for kind, phrasings in PHRASINGS.items():
        for literals, match in map(partial(_match, text), phrasings):
            if match:
                yield literals, kind, tuple(sorted(match.groupdict().items()))


def _match(text: str, phrasing: str) -> tuple[int, re.Match[str] | None]:
    """(the template's literal characters, its match with the whole text)."""
    pattern, literals = _pattern(phrasing)
    return literals, pattern.fullmatch(text)


@cache
def _pattern(phrasing: str) -> tuple[re.Pattern[str], int]:
    """The template as a regular expression with a group for each placeholder, and its number of literal characters."""
    parts, literals = [], 0
    seen: set[str] = set()
    for literal, name, _, _ in string.Formatter().parse(phrasing):
        parts.append(re.escape(literal))
        literals += len(literal)
        if name:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
            seen.add(name)
    return re.compile("".join(parts)), literals
