"""What a card of `rsflow show` takes from a sample's record: its boxes, oriented ones too, and its polygons."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from rsflow.report.pictures.show import sample_card
from rsflow.shards.format import Sample

TREE = [10.0, 10.0, 20.0, 12.0, 15.0, 20.0]


def instruction(task: str, text: str, boxes: list[list[float]], answer: dict[str, Any]) -> dict[str, Any]:
    turns = [{"role": "user", "text": "Q"}, {"role": "assistant", "text": text}]
    return {"id": task, "task": task, "turns": turns, "boxes": boxes, "answer": answer}


def made(*instructions: dict[str, Any]) -> Sample:
    stream = io.BytesIO()
    Image.fromarray(np.full((32, 32), 128, np.uint8)).save(stream, "PNG")
    record = {"tile_id": "s/0", "sensor": "optical", "source": "x", "split": "train", "instructions": list(instructions)}
    rest = {"gsd_m": None, "acquired_at": None, "height_px": 32, "width_px": 32, "licence": "CC0-1.0"}
    return Sample("k", stream.getvalue(), "png", {**record, **rest})


def test_polygons_of_every_form_of_answer_find_their_boxes() -> None:
    box, quad = [10.0, 10.0, 20.0, 20.0], [1.0, 5.0, 5.0, 1.0, 9.0, 5.0, 5.0, 9.0]
    one = {"kind": "boxes", "boxes": [0, 1], "polygons": [[], TREE]}
    card = sample_card(
        made(
            instruction("grounding", "[[|0]]", [quad], {"kind": "box", "box": 0, "oriented": True}),
            instruction("detection", "[[2 trees|0,1]]", [box, box], {"kind": "all_boxes", "groups": [one]}),
            instruction("conversation", "[[|0]]", [box], {"kind": "text", "earlier": [{"box": 0, "polygons": [TREE]}]}),
        ),
        None,
    )
    assert [len(found) for found in card.boxes] == [8, 4, 4, 4]
    assert card.outlines == ((2, tuple(TREE)), (3, tuple(TREE)))
    assert [turn.text for turn in card.turns[1::2]] == ["[[|0]]", "[[2 trees|1,2]]", "[[|3]]"]


def test_every_part_and_hole_of_an_outline_is_drawn() -> None:
    answer = {"kind": "box", "box": 0, "polygons": [TREE], "parts": [[[TREE, [5.0, 5.0, 6.0, 5.0, 6.0, 6.0]], [TREE[::-1]]]]}
    card = sample_card(made(instruction("grounding", "[[|0]]", [[10.0, 10.0, 20.0, 20.0]], answer)), None)
    assert card.outlines == ((0, tuple(TREE)), (0, (5.0, 5.0, 6.0, 5.0, 6.0, 6.0)), (0, tuple(TREE[::-1])))


def png(height: int, width: int, grey: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((height, width), grey, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_pictures_of_other_sensors_stand_to_the_right_and_are_named() -> None:
    own = made(instruction("grounding", "[[|0]]", [[10.0, 10.0, 20.0, 20.0]], {"kind": "box", "box": 0}))
    told = {"bands": ["red", "nir"], "raw": {"dtype": "uint16"}, "companions": [{"sensor": "sar", "acquired_at": "2024-05-01"}]}
    sample = replace(own, record={**own.record, **told}, others={"npy": b"bands", "sar.png": png(64, 128, 200)})
    card = sample_card(sample, None)
    gap = card.picture.shape[1] - 32 - 64
    assert 0 < gap < 4
    assert (card.picture[:, :32] == 128).all()
    assert (card.picture[:, 32 + gap :] == 200).all()
    assert card.boxes == sample_card(own, None).boxes
    assert card.footer.endswith("2 raw bands (uint16) · beside it: sar, 2024-05-01")
