"""Words of captions against those that pycocoevalcap's own tokenizer, in Java, gave for the same texts (written down here)."""

from __future__ import annotations

import pytest

from rsflow.evaluation.scores.text_scores import split_words

PTB = {
    "There are 12,000 cars in the lot.": "there are 12,000 cars in the lot",
    "It doesn't show any ships; two-lane roads (3 of them) cross.": (
        "it does n't show any ships two-lane roads -lrb- 3 of them -rrb- cross"
    ),
    "About 1.5 m apart, the U.S. airfield has 2 runways.": "about 1.5 m apart the u.s. airfield has 2 runways",
    "A river, e.g. the Rhine, runs north-south - wide.": "a river e.g. the rhine runs north-south wide",
    "Buildings ... and trees.": "buildings and trees",
    "It's 10:30 a.m. in St. Louis.": "it 's 10:30 a.m. in st. louis",
    "Size 3x4 - 5 x 6; ~20 boats": "size 3x4 5 x 6 ~ 20 boats",
    "Large ships\u2014two of them\u2014moor here.": "large ships two of them moor here",
    "three ships\u2019 wakes": "three ships wakes",
    "$5 per item": "$ 5 per item",
    "No. 5 tank": "no. 5 tank",
    "Mr. Smith's farm. Mrs. Jones.": "mr. smith 's farm mrs. jones",
    "He said: 'two'.": "he said two",
    "\u2018left\u2019 and \u201cright\u201d": "left and right",
    "green\u2013brown": "green brown",
    "\u2026dots": "dots",
    "35% of the ground is water. 12 km2 of forest.": "35 % of the ground is water 12 km2 of forest",
    "several planes are next to a terminal . some cars are near": "several planes are next to a terminal some cars are near",
}


@pytest.mark.parametrize("text", PTB)
def test_words_are_those_of_the_fields_tokenizer(text: str) -> None:
    assert split_words(text) == PTB[text]
