"""What was read in a text: claims in the form in which all claims are compared."""

from __future__ import annotations

from dataclasses import dataclass

from rsflow.instructions.claims import Claim


@dataclass(frozen=True, slots=True)
class Reading:
    """`words` of a sentence claim one of `alternatives`: they are wrong only where none of these can hold."""

    alternatives: tuple[Claim, ...]
    words: str
