"""Parquet that TRL's SFTTrainer takes (https://huggingface.co/docs/trl/dataset_formats#conversational): `messages`, `images`.

One idea: a row is a sample with its pictures, its own first, and all its instructions as one conversation of several turns, so
each picture is stored once. The content of a message is a list of parts; the first one has an image part for each picture.
Load it with `datasets.load_dataset(DIR)`. Boxes are spelled in thousandths by default (rsflow.dialects.qwen3), which stay true
however the processor resizes pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from rsflow.dialects.spelling.several_pictures import picture_names
from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.parquet_files import IMAGE, picture_cell, top_level, write_parquet
from rsflow.shards.format import Sample

__all__ = ["DIALECT", "top_level", "write"]

DIALECT = "qwen3"
HOLDS_GROUPS = True

_PART = pa.struct([("type", pa.string()), ("text", pa.string())])
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.list_(_PART))])
_COLUMNS: dict[str, pa.DataType] = {
    "messages": pa.list_(_MESSAGE),
    "images": pa.list_(IMAGE),
    **dict.fromkeys(("key", "source", "sensor", "licence"), pa.string()),
}


def write(job: ExportJob) -> None:
    def make_row(sample: Sample, instructions: list[SpelledInstruction]) -> Record:
        companions = list(job.companions(sample))
        cells = [picture_cell(sample.picture, f"{sample.key}.{sample.picture_format}")]
        cells += [picture_cell(data, f"{sample.key}.{extension}") for extension, data, _ in companions]
        sensors = [sample.record["sensor"], *(known["sensor"] for _, _, known in companions)]
        names: Sequence[str] = [f"{sensor}:" for sensor in sensors] if companions else [""]
        if sample.record.get("group"):
            names = [name.strip() for name in picture_names(job.dialect, len(cells))]
        return {
            "messages": _messages([turn for _, turns in instructions for turn in turns], names),
            "images": cells,
            **{name: sample.record.get(name) for name in ("key", "source", "sensor", "licence")},
        }

    write_parquet(job, _COLUMNS, make_row)


def _messages(turns: list[tuple[str, str]], names: Sequence[str]) -> list[Record]:
    """Turns as messages; the first begins with the pictures, each after its name, where it has one."""
    messages = [{"role": role, "content": [_text(text)]} for role, text in turns]
    pictures = [part for name in names for part in ([_text(name)] if name else []) + [_IMAGE_PART]]
    messages[0]["content"] = [*pictures, _text(turns[0][1])]
    return messages


_IMAGE_PART: Record = {"type": "image", "text": None}


def _text(text: str) -> Record:
    return {"type": "text", "text": text}
