"""One spelling of every category, over all sources of a build.

"SHIP" of one set and "ship" of another are one category, or a picture with a ship would have no SHIP. Of
spellings that differ only in case and blanks the one with the fewest capitals is kept, the first in the order of the alphabet
where several have as few. Names that differ otherwise ("ship", "ships") are the user's to rename (`annotations.categories`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rsflow.annotations.annotated_set import AnnotatedSet, rename_categories


def unify_spelling(sets: dict[str, AnnotatedSet]) -> dict[str, AnnotatedSet]:
    """The sets (by source) with categories that differ only in case and blanks unified over all of them."""
    names = {name for annotated in sets.values() for name in _names(annotated)}
    by_fold: dict[str, list[str]] = {}
    for name in sorted(names):
        by_fold.setdefault(_folded(name), []).append(name)
    kept = {name: min(alike, key=_capitals) for alike in by_fold.values() if len(alike) > 1 for name in alike}
    changed = {name: to for name, to in kept.items() if name != to}
    return {source: rename_categories(annotated, changed, spelling_only=True) for source, annotated in sets.items()}


def _names(annotated: AnnotatedSet) -> Iterable[str]:
    yield from annotated.categories
    for picture in annotated.pictures.values():
        yield from (label.category for label in picture.labels if label.kind not in {"caption", "question", "fact"})


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _capitals(name: str) -> int:
    return sum(letter.isupper() for letter in name)
