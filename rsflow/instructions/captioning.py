"""Captioning: one sentence about the picture.

A caption that an annotator wrote is used word for word (identical ones of one picture once). Only without one is a sentence
composed, from the objects, the land cover and the measured attributes of the labels, and from nothing else; what is missing is
stated only with something that is present. One that would name nothing on the ground is not made, unless
`instructions.appearance` is "always".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.instructions.wording.content import tile_content
from rsflow.instructions.wording.hash_choice import choose
from rsflow.instructions.wording.summary import Summary, summary
from rsflow.records import Instruction, Reject, TileFacts
from rsflow.text.turns import escape

_OBJECT_TEMPLATES = (
    "{An_image} with {placed}.",
    "This {image} shows {placed}.",
    "In this {image}, there {be} {placed}.",
    "The {image} shows {placed}.",
    "{Things} in {an_image}.",
)
_GROUND_TEMPLATES = (
    "{An_image} of an area {ground}.",
    "This {image} shows an area {ground}.",
    "An area {ground}, seen in {an_image}.",
    "The {image} depicts an area {ground}.",
    "In this {image}, the ground is {ground}.",
)
_OBJECT_AND_GROUND_TEMPLATES = (
    "{An_image} with {placed}; the area is {ground}.",
    "This {image} shows {things} in an area {ground}.",
    "In this {image} of an area {ground}, there {be} {placed}.",
    "The {image} shows an area {ground}; there {be} {placed}.",
    "{Things} in an area {ground}, seen in {an_image}.",
)
_APPEARANCE_TEMPLATES = (
    "This {plain} is {look}.",
    "The {plain} is {look}.",
    "{A_plain} that is {look}.",
    "Here is {a_plain} that is {look}.",
    "The scene in this {plain} is {look}.",
)


def make_instructions(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    return instructions(question_answers(facts, settings, seed), facts, seed, settings)


def question_answers(facts: TileFacts, settings: config.Instructions, seed: int) -> Iterator[QuestionAnswer | Reject]:
    written: dict[str, tuple[int, ...]] = {}
    for position, label in tile_facts.labels_of_kind(facts, "caption"):
        text = escape(" ".join(label.text.split()))
        if text:
            written[text] = (*written.get(text, ()), position)
    for text, positions in written.items():
        yield _caption(text, text, positions)
    if not written:
        whole = summary(facts, settings.min_box_px)
        if whole.objects.startswith("no ") and not whole.ground:
            whole = replace(whole, objects="", objects_placed="")  # what is missing is no content of a picture
        only_appearance = not (whole.objects or whole.ground)
        text = "" if only_appearance and settings.appearance != "always" else compose(whole, facts, seed)
        if text:
            caption = _caption("composed", text, whole.appearance_labels if only_appearance else whole.labels)
            yield replace(caption, content=tile_content(facts, settings.min_box_px, seed))


def compose(whole: Summary, facts: TileFacts, seed: int) -> str:
    """One sentence from the summary; empty for an empty summary."""
    templates = (
        (_OBJECT_AND_GROUND_TEMPLATES if whole.ground else _OBJECT_TEMPLATES)
        if whole.objects
        else _GROUND_TEMPLATES
        if whole.ground
        else _APPEARANCE_TEMPLATES
        if whole.appearance
        else ()
    )
    if not templates:
        return ""
    fill = {
        "image": whole.image,
        "an_image": english.with_article(whole.image),
        "An_image": english.capitalise(english.with_article(whole.image)),
        "plain": whole.plain,
        "a_plain": english.with_article(whole.plain),
        "A_plain": english.capitalise(english.with_article(whole.plain)),
        "things": whole.objects,
        "placed": whole.objects_placed,
        "Things": english.capitalise(whole.objects),
        "be": "is" if whole.objects.startswith(("a ", "an ", "at least one ")) else "are",
        "ground": whole.ground,
        "look": whole.appearance,
    }
    return choose(templates, seed, facts.tile_id, "captioning", "template").format(**fill)


def _caption(subject: str, text: str, labels: tuple[int, ...]) -> QuestionAnswer:
    return QuestionAnswer("captioning", "captioning", subject, text, text, {"kind": "text"}, labels)
