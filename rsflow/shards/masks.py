"""The member `<key>.masks.json`: the masks of a sample's segmentation answers, in COCO's run-length form.

One idea: `{"<instruction id>": [{"size": [rows, cols], "counts": "…"}, …]}` in the order of the instruction's outlines, so that
training a model which decodes `[SEG]` to a mask needs no polygon arithmetic; pycocotools reads each entry. A mask is that
of the exact outline (rsflow.spatial.outline_masks), not of the simplified one that a text holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from rsflow.shards.format import canonical_json
from rsflow.spatial.outline_masks import Mask, rasterise_rings
from rsflow.spatial.run_lengths import decode_mask, encode_mask

Rle = dict[str, Any]


def outline_rings(answer: Mapping[str, Any]) -> list[list[Sequence[float]]]:
    """Per outline of a structured answer all its rings, of every part the outer one and its holes; none without outlines."""
    if "outlines" not in answer:
        return []
    parts = answer.get("parts") or [[[ring]] for ring in answer["polygons"]]
    return [[ring for part in outline for ring in part] for outline in parts]


def encode_masks(record: Mapping[str, Any]) -> bytes | None:
    """The member of a sample's record; None where none of its instructions has an outline."""
    rows, cols = record["height_px"], record["width_px"]
    found = {
        instruction["id"]: [encode_mask(rasterise_rings(rings, rows, cols)) for rings in outlines]
        for instruction in record["instructions"]
        if (outlines := outline_rings(instruction["answer"]))
    }
    return canonical_json(found) if found else None


def parse_masks(data: bytes | memoryview) -> dict[str, list[Rle]]:
    """The member's content: run-length masks by instruction id."""
    found: dict[str, list[Rle]] = orjson.loads(data)
    return found


def decode_masks(rles: Sequence[Rle], rows: int, cols: int) -> Mask:
    """(masks, rows, cols). DataError `bad_rle` for one that is none."""
    return np.stack([decode_mask(rle) for rle in rles]) if rles else np.zeros((0, rows, cols), dtype=np.bool_)
