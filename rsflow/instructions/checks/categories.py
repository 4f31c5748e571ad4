"""Categories: things that a text names and the labels do not hold, although every instance of their kind is annotated.

One idea: the vocabulary decides. A swimming pool that nobody looked for may well be there; a ship may not, where all ships are
annotated and there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.checks.known import Known
from rsflow.instructions.checks.talk import Talk


def check(known: Known, talk: Talk) -> Iterator[Finding]:
    for mention in talk.mentions:
        if mention.denied or mention.hedged or mention.bare or mention.asked:
            continue
        amount = known.amount(mention.sense)
        if amount.least or not amount.most:
            yield Finding("categories", mention.turn, mention.said, f"{mention.sense.word}: {amount}", "named", not amount.most)
