"""What a check says: which claim of a text it compared with what is known, and whether the two can both be true."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`turn` is an index into the instruction's turns. `compared` quotes the claim, `expected` says what the labels allow,
    `found` what the text says instead or as well. `contradiction`: no reading of the claim is true."""

    check: str
    turn: int
    compared: str
    expected: str
    found: str
    contradiction: bool
