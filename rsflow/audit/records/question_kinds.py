"""What a question of one sentence asks for: yes or no, or something that is neither a number nor yes or no.

Only questions whose first word says it are judged: "Is the ship white?" asks for yes or no, "Where is the ship?" for a place.
A question of several clauses ("What is shown, and is it urban?") or with a choice ("Is it 3 or 4?") may ask for both and is not
judged, nor is one that speaks of amounts.
"""

from __future__ import annotations

import re

_SEVERAL = re.compile(r"[,:;\n]|[?.!]\s+\S|\b(?:and|or|whether|if)\b", re.IGNORECASE)
_CLOSED = re.compile(
    r"(?:is|are|was|were|do|does|did|has|have|had|can (?:you|we|one) (?:see|find|identify|observe|spot|detect)|"
    r"could (?:this|it|that)|will|would|should)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:(?:in |on |at |to |from |for )?(?:what|which|whose)\b(?! if\b| about\b)|who\b|why\b|when\b|"
    r"where (?:exactly )?(?:is|are|was|were|do|does|did|can|could|in|on|within|has|have)\b|how\b|"
    r"(?:please )?(?:briefly )?(?:describe|caption|summari[sz]e|explain)\b|"
    r"(?:please )?(?:provide|give|write) (?:me )?(?:an? |the )?(?:\w+ ){0,3}(?:caption|description|summary)\b)",
    re.IGNORECASE,
)
# Open questions that no number answers.
_NUMBERLESS = re.compile(
    r"(?:who|why|where|please|briefly|describe|caption|summari[sz]e|explain|provide|give|write)\b|"
    r"(?:what|which)(?: (?:is|are) the)? (?:main |dominant |primary |most common )?"
    r"(?:types?|kinds?|sorts?|colou?rs?|shapes?|materials?|land ?(?:cover|use)s?|objects?|sides?|directions?|weather|seasons?|"
    r"textures?|patterns?|scenes?|themes?)\b(?! (?:id|ids|code|codes|number|numbers|index)\b)",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\b(?:many|much|numbers?|counts?|totals?|amounts?|percent\w*|shares?|fractions?|ratios?|years?|times?|dates?|heights?|"
    r"widths?|lengths?|areas?|distances?|sizes?|levels?|scores?|ids?|codes?|index|degrees?|angles?|coordinates?)\b",
    re.IGNORECASE,
)
_INNER_QUESTION = re.compile(r"\b(?:how|what|which|where|tell|numbers?|counts?|totals?|amounts?|percent\w*)\b", re.IGNORECASE)


def asks_yes_or_no(question: str) -> bool:
    """Whether only yes, no or the like answers it."""
    bare = question.rstrip("?. ")
    return bool(_CLOSED.match(bare)) and not _SEVERAL.search(bare) and not _INNER_QUESTION.search(bare)


def asks_openly(question: str) -> bool:
    """Whether neither yes nor no answers it."""
    return bool(_OPEN.match(question)) and not _SEVERAL.search(question.rstrip("?. "))


def asks_for_words(question: str) -> bool:
    """Whether neither yes, no nor a number answers it."""
    return asks_openly(question) and bool(_NUMBERLESS.match(question)) and not _QUANTITY.search(question)
