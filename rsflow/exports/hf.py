"""Parquet for `datasets.load_dataset(DIR)` and the Hugging Face Hub, a row for each sample.

One idea: a row's columns are the sample's metadata, `instructions` its conversations, with the text in a dialect (default:
plain pixels) and the boxes as numbers beside it. Of a group the row's image is its first picture, `companions` the further
ones by number and role, and `box_pictures` gives for each box which it is on, from 0.
"""

from __future__ import annotations

import json

import pyarrow as pa

from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.parquet_files import IMAGE, picture_cell, top_level, write_parquet
from rsflow.shards.format import Sample

__all__ = ["DIALECT", "top_level", "write"]

DIALECT = "pixels"
HOLDS_GROUPS = True

_TURN = pa.struct([("role", pa.string()), ("text", pa.string())])
_INSTRUCTION = pa.struct(
    [
        ("id", pa.string()),
        ("task", pa.string()),
        ("turns", pa.list_(_TURN)),
        ("boxes", pa.list_(pa.list_(pa.float64()))),
        ("box_pictures", pa.list_(pa.int64())),  # null where all boxes are on the row's own image
        ("answer", pa.string()),  # JSON
    ]
)
_COMPANION = pa.struct(
    [
        *((name, pa.string()) for name in ("sensor", "tile_id", "role", "acquired_at")),
        *((name, pa.int64()) for name in ("number", "height_px", "width_px")),
        ("shift_px", pa.list_(pa.float64())),  # of a group: measured against its first picture
        ("box_in_first", pa.list_(pa.float64())),  # of scales of one scene: what it shows of the first picture
        ("picture", pa.binary()),
    ]
)
_GROUP = pa.struct([(name, pa.string()) for name in ("kind", "place", "role", "tile_id")])
_COLUMNS: dict[str, pa.DataType] = {
    "image": IMAGE,
    "key": pa.string(),
    **dict.fromkeys(("tile_id", "source", "sensor", "licence"), pa.string()),
    **dict.fromkeys(("height_px", "width_px"), pa.int64()),
    "gsd_m": pa.float64(),
    "acquired_at": pa.string(),
    "instructions": pa.list_(_INSTRUCTION),
    "companions": pa.list_(_COMPANION),  # pictures of other sensors or dates of the same ground
    "group": _GROUP,  # null where the row is one picture
}


def write(job: ExportJob) -> None:
    def make_row(sample: Sample, instructions: list[SpelledInstruction]) -> Record:
        return {
            **{name: sample.record.get(name) for name in _COLUMNS},
            "image": picture_cell(sample.picture, f"{sample.key}.{sample.picture_format}"),
            "instructions": [_instruction(*one) for one in instructions],
            "companions": [
                {**{field.name: known.get(field.name) for field in _COMPANION}, "picture": data}
                for _, data, known in job.companions(sample)
            ],
        }

    write_parquet(job, _COLUMNS, make_row)


def _instruction(instruction: Record, turns: list[tuple[str, str]]) -> Record:
    return {
        "id": instruction["id"],
        "task": instruction["task"],
        "turns": [{"role": role, "text": text} for role, text in turns],
        "boxes": instruction["boxes"],
        "box_pictures": instruction.get("box_pictures"),
        "answer": json.dumps(instruction["answer"], sort_keys=True),
    }
