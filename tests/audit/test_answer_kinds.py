"""Answers that are not of the kind that their question asks for, and ordinary ones that come near."""

from __future__ import annotations

import pytest

from rsflow.audit.records.answer_kinds import find_wrong_answer_kinds
from rsflow.audit.records.template_texts import find_placeholders
from rsflow.audit.records.text_rules import find_faults
from rsflow.imports.conversation import Exchange, parse_conversation
from tests.audit.test_planted import record

WRONG = [
    *(("Where is the ship?", "Yes"), ("Where is the bridge located?", "3"), ("Where is the ship?", "No, it is not.")),
    *(("What is in the image?", "No"), ("What is the land cover?", "2"), ("What color is the roof?", "Yes.")),
    *(("What type of vehicle is shown?", "No"), ("Which category does the image belong to?", "no"), ("Who is it?", "7")),
    *(("Why is the river brown?", "No"), ("When was the image taken?", "Yes"), ("On which side is the harbour?", "Yes")),
    *(("Describe the image in detail.", "12"), ("Please write a short caption.", "No."), ("Caption this image.", "Yes")),
    *(("Is the ship white?", "3"), ("Are the planes parked?", "two"), ("Can you see a harbour in the image?", "7")),
    *(("Does the image show water?", "4"), ("Do the buildings have flat roofs?", "17"), ("Has the area been flooded?", "8")),
]
ORDINARY = [
    *(("Is there a ship in the image? If so, how many?", "3"), ("Are there ships, and how many?", "3")),
    *(("Is the number of ships 3 or 4?", "3"), ("Can you tell how many ships there are?", "3"), ("Is it 2 or 3 storeys?", "2")),
    *(
        ("What is the count?", "3"),
        ("Which is larger, 5 or 6?", "6"),
        ("What is the type code?", "4"),
        ("What year is it?", "2019"),
    ),
    *(("What is shown, and is it urban?", "Yes"), ("Where is the ship? Is it docked?", "Yes"), ("Whether it is wet?", "No")),
    *(
        ("What about the road: is it flooded?", "No"),
        ("Could what is seen be a bridge?", "Yes"),
        ("Do you know what it is?", "Yes"),
    ),
    *(
        ("Where possible, tell: are there ships?", "No"),
        ("What if it rained?", "Yes"),
        ("Is what is at the left a ship?", "Yes"),
    ),
    *(("Where is the ship?", "No ship is visible."), ("What is on the road?", "No cars."), ("Who is seen?", "No one.")),
    *(("Describe the picture: is it clear?", "Yes"), ("Could you give the number of ships?", "3"), ("How large is it?", "5")),
]
UNAVAILABLE = [
    *("Image could not be loaded.", "The image couldn't be opened", "Failed to load image", "Unable to open the image file."),
    *(
        "[IMAGE NOT FOUND]",
        "No image available.",
        "The picture is unavailable.",
        "Image not found.",
        "The image was not loaded.",
    ),
]
AVAILABLE = [
    *(
        "The image could not be read as a map.",
        "The image is missing vegetation in the north.",
        "No image of a port, but a town.",
    ),
    *("The picture was not taken at noon.", "A gate that could not be opened is in the image.", "The file of cars is long."),
]


@pytest.mark.parametrize("pair", WRONG)
def test_an_answer_of_another_kind_is_a_fault(pair: tuple[str, str]) -> None:
    assert [*find_wrong_answer_kinds(Exchange(*pair), "llava")]


@pytest.mark.parametrize("pair", ORDINARY)
def test_an_answer_that_may_be_meant_is_none(pair: tuple[str, str]) -> None:
    assert not [*find_wrong_answer_kinds(Exchange(*pair), "llava")]


@pytest.mark.parametrize("answer", [*UNAVAILABLE, *AVAILABLE])
def test_a_picture_that_was_not_read_is_a_refusal(answer: str) -> None:
    faults = {fault for fault, _ in find_faults(parse_conversation(record("<image>\nDescribe it.", answer)), "llava")}
    assert faults == ({"refusal"} if answer in UNAVAILABLE else set())


@pytest.mark.parametrize(
    "answer", ["Ships near <obj>.", "A <obj>ship</obj>.", "<seg> of ships", "<region1> is docked", "</bbox> dock"]
)
def test_tags_left_in_an_answer_are_placeholders(answer: str) -> None:
    assert [*find_placeholders(Exchange("Describe.", answer), "llava")]
    assert not [*find_placeholders(Exchange("Describe.", "Roofs < 5 m, a <b> and [obj]."), "llava")]
