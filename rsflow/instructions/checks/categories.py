"""Categories: things that a text names and the labels do not hold, although every instance of their kind is annotated.

Two conditions. The vocabulary decides what can be missing: a swimming pool that nobody looked for may well be
there. And the sentence must say that the thing is in the picture: after a number, "there is", "shows" or "with", before "are
visible" or a place. A noun in any other sentence may be an example, a comparison or a memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.checks.english import SHOWING, THERE, word_set
from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.mention import Mention
from rsflow.instructions.checks.parsed_conversation import Talk
from rsflow.instructions.checks.tile_knowledge import Known

_AHEAD = SHOWING | word_set(
    "consists comprising consist is are with including by presence also contains exists exist exists appear appears lies lie"
)
_BEHIND = THERE - word_set("the this any at of can") | word_set(
    "are is occupy occupies dot dots fill fills dominate dominates stand stands lie lies sit sits form forms make makes"
    " share shares"
    " line lines populate populates rest rests parked docked moored anchored scattered located positioned situated distributed"
    " arranged spread clustered ( near next cross crosses span spans catch catches stretch stretches extend extends connect"
    " connects emerge emerges wind winds float floats sail sails flank flanks border borders"
)
_LIST = frozenset([(",",), ("and",), (",", "and"), ("as", "well", "as"), ("&",), ("or",), ("along", "with")])
_OF = re.compile(r"(?:presence|group|row|rows|cluster|view|image|picture|photo|kind|number|set|collection) of(?: \w+)?$")


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    last, last_said = None, False
    for mention in talk.mentions:
        listed = last is not None and last.sentence is mention.sentence and _between(last, mention) in _LIST
        said = (listed and last_said) or _asserted(mention)
        last, last_said = mention, said
        if said and not (mention.denied or mention.hedged or mention.bare or mention.asked):
            amount = known.amount(mention.sense)
            if amount.least or not amount.most:
                expected = f"{mention.sense.word}: {amount}"
                yield Finding("categories", mention.turn, mention.said, expected, "named", not amount.most)


def _between(one: Mention, other: Mention) -> tuple[str, ...]:
    """The words between two nouns of a list, without the number and the article of the second."""
    words = one.sentence.words[one.stop : other.start]
    return words[:-1] if words[-1:] in {("a",), ("an",), ("the",), ("some",), ("several",)} else words


def _asserted(mention: Mention) -> bool:
    """Whether the sentence says that it is there."""
    words = mention.sentence.words
    if mention.places or (mention.quantity and mention.quantity.least >= 1):
        return True
    front = words[: mention.start]
    while front and front[-1] in _SKIPPED:
        front = front[:-1]
    behind = words[mention.stop : mention.stop + 2]
    ahead = bool(front) and (front[-1] in _AHEAD or front[-1] == ":" or bool(_OF.search(" ".join(front[-3:]))))
    return ahead or not behind or not _BEHIND.isdisjoint(behind)


_SKIPPED = word_set("a an the some several many various its large small white big visible parked more single lone open clear")
