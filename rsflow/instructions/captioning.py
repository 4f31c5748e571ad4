"""Captioning: one sentence about the picture.

One idea: a sentence that a person wrote is used word for word (identical ones of one picture once); only where there is none
is one composed, from the objects, the land cover and the measured attributes that the labels hold, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions import english as words
from rsflow.instructions import tile_facts as reading
from rsflow.instructions.claims import Claim, instructions
from rsflow.instructions.hash_choice import choose
from rsflow.instructions.summary import Summary, summary
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.text.turns import escape

_THINGS = (
    "{An_image} with {placed}.",
    "This {image} shows {placed}.",
    "In this {image}, there {be} {placed}.",
    "The {image} shows {placed}.",
    "{Things} in {an_image}.",
)
_GROUND = (
    "{An_image} of an area {ground}.",
    "This {image} shows an area {ground}.",
    "An area {ground}, seen in {an_image}.",
    "The {image} depicts an area {ground}.",
    "In this {image}, the ground is {ground}.",
)
_BOTH = (
    "{An_image} with {placed}; the area is {ground}.",
    "This {image} shows {things} in an area {ground}.",
    "In this {image} of an area {ground}, there {be} {placed}.",
    "The {image} shows an area {ground}; there {be} {placed}.",
    "{Things} in an area {ground}, seen in {an_image}.",
)
_LOOK = (
    "This {plain} is {look}.",
    "The {plain} is {look}.",
    "{A_plain} that is {look}.",
    "Here is {a_plain} that is {look}.",
    "The scene in this {plain} is {look}.",
)


def make(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(claims(facts, settings, seed), facts, seed)


def claims(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Claim | Reject]:
    written: dict[str, tuple[int, ...]] = {}
    for position, label in reading.of_kind(facts, "caption"):
        text = escape(" ".join(label.text.split()))
        if text:
            written[text] = (*written.get(text, ()), position)
    for text, positions in written.items():
        yield _claim(text, text, positions)
    if not written:
        whole = summary(facts, settings.min_box_px)
        text = compose(whole, facts, seed)
        if text:
            said_of_all = not (whole.things or whole.ground)
            yield _claim("composed", text, whole.look_labels if said_of_all else whole.labels)


def compose(whole: Summary, facts: TileFacts, seed: int) -> str:
    """One sentence from the summary; empty where it says nothing."""
    templates = (
        (_BOTH if whole.ground else _THINGS) if whole.things else _GROUND if whole.ground else _LOOK if whole.look else ()
    )
    if not templates:
        return ""
    fill = {
        "image": whole.image,
        "an_image": words.article(whole.image),
        "An_image": words.sentence(words.article(whole.image)),
        "plain": whole.plain,
        "a_plain": words.article(whole.plain),
        "A_plain": words.sentence(words.article(whole.plain)),
        "things": whole.things,
        "placed": whole.placed,
        "Things": words.sentence(whole.things),
        "be": "is" if whole.things.startswith(("a ", "an ")) else "are",
        "ground": whole.ground,
        "look": whole.look,
    }
    return choose(templates, seed, facts.tile_id, "captioning", "template").format(**fill)


def _claim(subject: str, text: str, labels: tuple[int, ...]) -> Claim:
    return Claim("captioning", "captioning", subject, text, text, {"kind": "text"}, labels)
