"""A mention: one thing or kind of thing that a sentence speaks of, and what it says of it. Plain values, made in
rsflow.instructions.checks.mentions and compared by the checks."""

from __future__ import annotations

from dataclasses import dataclass

from rsflow.instructions.checks.amounts import Portion, Quantity
from rsflow.instructions.checks.lexicon import Sense
from rsflow.instructions.checks.regions import Part
from rsflow.instructions.checks.sentences import Sentence

SUPERLATIVES = {
    **dict.fromkeys(["largest", "biggest", "larger", "bigger"], "largest"),
    **dict.fromkeys(["smallest", "tiniest", "smaller"], "smallest"),
    **{word: word for word in ("longest", "shortest", "leftmost", "rightmost", "topmost", "bottommost")},
    "uppermost": "topmost",
    "lowermost": "bottommost",
    "lowest": "bottommost",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the picture that a mention is said to be in. `how`: "some" of them, "most", "all", or a superlative; `portion`
    where the words say how many of them."""

    part: Part
    how: str
    portion: Portion | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """Words `start` to `stop` of the sentence. `quantity` holds how many are meant, None where no number is said.

    `denied`: that there are any is denied. `hedged`: nothing is claimed. `narrowed`: the number is of some of them alone.
    `definite`: "the ships". `bare`: a singular without any determiner, which claims nothing. `picked`: a value of SUPERLATIVES,
    "" for none. `portion`: how many of them are spoken of. `arranged`: their number by rows and columns. `asked`: the noun is
    the question's, `reply` is what was answered.
    """

    sentence: Sentence
    start: int
    stop: int
    sense: Sense
    plural: bool
    quantity: Quantity | None = None
    definite: bool = False
    bare: bool = False
    denied: bool = False
    hedged: bool = False
    narrowed: bool = False
    picked: str = ""
    portion: Portion | None = None
    arranged: Quantity | None = None
    places: tuple[Place, ...] = ()
    asked: bool = False
    reply: str = ""

    @property
    def turn(self) -> int:
        return self.sentence.turn

    @property
    def said(self) -> str:
        """The words around the noun, and the answer where the noun is the question's."""
        around = self.sentence.said(max(0, self.start - 4), self.stop + 4)
        return f"{around}? {self.reply}" if self.reply else around
