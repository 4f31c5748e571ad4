"""What is complete beside what a tile shows without a label."""

from __future__ import annotations

import pytest

from rsflow.instructions.facts.completeness import complete_categories

KNOWN = ("car", "large-vehicle", "plane", "ship", "vehicle")


@pytest.mark.parametrize(
    ("unknown", "left"),
    [
        ((), KNOWN),
        (("harbor",), KNOWN),
        (("ship",), ("car", "large-vehicle", "plane", "vehicle")),
        (("boats",), ("car", "large-vehicle", "plane", "vehicle")),
        (("truck",), ("car", "large-vehicle", "plane", "ship")),
        (("0",), ()),
        (("ignored regions",), ()),
        (("DontCare",), ()),
        (("Misc",), ()),
        (("other-vehicle",), ()),
        (("",), ()),
    ],
)
def test_what_may_be_among_the_unknown_is_not_complete(unknown: tuple[str, ...], left: tuple[str, ...]) -> None:
    assert complete_categories(KNOWN, unknown) == list(left)
