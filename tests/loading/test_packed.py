"""Boxes that are packed together come back to their instructions as they were, and broken ones are damage with a name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsflow.errors import SnapshotError
from rsflow.loading.decoding.packed_boxes import extract_boxes, pack_boxes, restore_boxes
from rsflow.loading.loader import Loader
from rsflow.loading.reading.sample_reader import ReadOptions
from rsflow.loading.stream import stream
from rsflow.shards.manifest import read_snapshot, write_snapshot
from rsflow.spatial.geometry import bounding_box, corners
from tests.loading.conftest import write_split

NUMBER = st.floats(-1e4, 1e4, width=32)
BOX = st.one_of(st.lists(NUMBER, min_size=4, max_size=4), st.lists(NUMBER, min_size=8, max_size=8))


@given(st.lists(st.lists(BOX, max_size=3), max_size=5))
def test_each_instruction_gets_its_boxes_back(groups: list[list[list[float]]]) -> None:
    instructions: list[dict[str, Any]] = [{"boxes": group} for group in groups]
    boxes = extract_boxes(instructions)
    assert boxes == [box for group in groups for box in group]
    restore_boxes(instructions, *pack_boxes(boxes))
    for one, group in zip(instructions, groups, strict=True):
        for name, width, whole in (("boxes", 4, bounding_box), ("quads", 8, corners)):
            assert (one[name].dtype, one[name].shape) == (np.float32, (len(group), width))
            assert np.array_equal(one[name], np.array([whole(box) for box in group], np.float32).reshape(-1, width))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("broken", [[[1.0, 2.0, 3.0]], [None]])
def test_a_broken_box_is_damage(lake: Any, tmp_path: Path, workers: int, broken: list[Any]) -> None:
    bad, *others = lake.samples["val"]
    rows = [{**one, "boxes": broken} for one in bad.record["instructions"]]
    bad = replace(bad, record={**bad.record, "instructions": rows})
    split = write_split(tmp_path, "val", [[bad, *others]])
    write_snapshot(str(tmp_path), replace(read_snapshot(str(lake.root)), splits={"val": split}))

    def loader(read_options: ReadOptions) -> Loader:
        return Loader(stream(tmp_path, "val", batch_size=2, decode=False, read_options=read_options), num_workers=workers)

    with pytest.raises(SnapshotError, match=f"the record of sample {bad.key} is incomplete"):
        list(loader(ReadOptions()))
    found = [key for batch in loader(ReadOptions(on_damage="skip")) for key in batch["key"]]
    assert set(found) == {one.key for one in others}
    assert len(found) == 5
