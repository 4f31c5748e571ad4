"""Oriented boxes as a training loop gets them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rsflow.loading.example import make_example


def test_an_oriented_box_has_its_hull_and_its_corners(lake: Any) -> None:
    sample = next(one for one in lake.samples["train"] if any(row["boxes"] for row in one.record["instructions"]))
    row = {**sample.record["instructions"][0], "turns": [{"role": "assistant", "text": "[[2 ships|0,1]]"}]}
    row["boxes"] = [[10.0, 2.0, 14.0, 6.0, 10.0, 10.0, 6.0, 6.0], [1.0, 2.0, 3.0, 4.0]]
    turned = replace(sample, record={**sample.record, "instructions": [row]})
    found = make_example(turned, "geochat", None, False)["instructions"][0]
    assert found["boxes"].tolist() == [[6.0, 2.0, 14.0, 10.0], [1.0, 2.0, 3.0, 4.0]]
    assert found["quads"].tolist() == [row["boxes"][0], [1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 1.0, 4.0]]
    assert found["quads"].dtype == np.float32
    assert found["turns"][0]["text"] == "<p>2 ships</p> {<18><13><32><37>|<45>}<delim>{<2><8><8><17>|<0>}"
    empty = make_example(
        replace(sample, record={**sample.record, "instructions": [{**row, "boxes": [], "turns": []}]}), "mmrs", None, False
    )
    assert empty["instructions"][0]["quads"].shape == (0, 8)
