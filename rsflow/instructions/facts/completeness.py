"""The categories of which a tile's labels show every instance.

What a tile shows without a label (an object cut off at its edge, a category that the settings drop, a region that annotators
ignored) makes its own category unknown there, and every category whose noun may name the same thing. A region without a
specific category may hold anything, so no category is complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rsflow.instructions.wording import english

# First words of catch-all categories.
_ANYTHING = frozenset(
    ["other", "unknown", "ignore", "ignored", "dont", "don't", "misc", "miscellaneous", "unlabeled", "unlabelled"]
)


def complete_categories(vocabulary: Iterable[str], unknown: Collection[str]) -> list[str]:
    """The categories of `vocabulary`, in their order, that cannot be among the `unknown` ones."""
    if any(is_unspecific(category) for category in unknown):
        return []
    nouns = {english.singular_noun(category) for category in unknown}
    return [category for category in vocabulary if not _may_name_any(english.singular_noun(category), nouns)]


def is_unspecific(category: str) -> bool:
    """Whether a category does not say what its objects are: `ignored regions`, `others`, a bare number."""
    words = english.category_words(category).lower().split()
    return not english.singular_noun(category) or words[0].rstrip("s") in _ANYTHING or not any(c.isalpha() for c in category)


def _may_name_any(noun: str, nouns: set[str]) -> bool:
    return noun in nouns or any(english.may_name_same_object(noun, other) for other in nouns)
