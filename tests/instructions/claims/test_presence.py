"""What is not known to be there is not known to be absent, in a place either."""

from __future__ import annotations

import pytest

from rsflow.instructions.claims.checking import check_claim
from tests.instructions.claims.test_planted_errors import HARBOUR, SCENES, box, c, facts_of


@pytest.mark.parametrize(
    ("scene", "place", "holds"),
    [
        ("harbour", "upper left", True),
        ("harbour", "lower left", False),  # all three ships are known, and lie elsewhere
        ("ignored", "upper left", True),
        ("ignored", "lower left", None),  # one more ship is known of, which nobody annotated as one
    ],
)
def test_a_place_is_denied_only_where_every_object_is_known(scene, place, holds):
    assert check_claim(c("presence", "ship", word=place), SCENES[scene]).holds is holds


def test_an_object_on_the_border_of_a_place_neither_proves_nor_denies_it():
    facts = facts_of((*HARBOUR[3:], box("ship", 300, 0, 380, 300)))
    assert check_claim(c("presence", "ship", word="upper left"), facts).holds is None
    assert check_claim(c("presence", "ship", word="lower right"), facts).holds is False
