"""The seeds' hint at the form of an answer."""

from __future__ import annotations

HINT = " Answer the question using a single word or phrase."
