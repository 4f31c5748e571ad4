"""Parquet that `datasets.load_dataset(DIR)` reads, pictures inside (https://huggingface.co/docs/datasets/image_dataset).

One idea: one Parquet file per shard, so memory is one shard's row group and file names are known before anything is read. The
schema's `huggingface` metadata and the README's header declare the features, so `image` comes back as a picture. A row is a
sample: its columns are its metadata, `instructions` its conversations, with the text in a dialect (default: plain pixels) and
the boxes as numbers beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.exports.contract import ExportJob, Record
from rsflow.files import storage
from rsflow.shards.format import Sample

DIALECT = "pixels"
ROWS = 100  # of a row group: a viewer reads one to show a page

_TURN = pa.struct([("role", pa.string()), ("text", pa.string())])
_INSTRUCTION = pa.struct(
    [
        ("id", pa.string()),
        ("task", pa.string()),
        ("turns", pa.list_(_TURN)),
        ("boxes", pa.list_(pa.list_(pa.float64()))),
        ("answer", pa.string()),  # JSON
    ]
)
_COMPANION = pa.struct([("sensor", pa.string()), ("tile_id", pa.string()), ("picture", pa.binary())])
_COLUMNS: dict[str, pa.DataType] = {
    "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    "key": pa.string(),
    **dict.fromkeys(("tile_id", "source", "sensor", "licence"), pa.string()),
    **dict.fromkeys(("height_px", "width_px"), pa.int64()),
    "gsd_m": pa.float64(),
    "acquired_at": pa.string(),
    "instructions": pa.list_(_INSTRUCTION),
    "companions": pa.list_(_COMPANION),  # pictures of other sensors of the same ground
}


def top_level(splits: Sequence[str]) -> list[str]:
    return ["data", "README.md"]


def write(job: ExportJob) -> None:
    for split, content in job.splits.items():
        for number in range(len(content.shards)):
            place = job.place("data", f"{split}-{number:05d}-of-{len(content.shards):05d}.parquet")
            with storage.create(place) as stream, pq.ParquetWriter(stream, _schema(), compression="zstd") as writer:
                for rows in _grouped(job, split, number):
                    writer.write_table(pa.Table.from_pylist(rows, schema=_schema()))
    storage.write_bytes(job.place("README.md"), _readme(job).encode())


def _grouped(job: ExportJob, split: str, number: int) -> Iterator[list[Record]]:
    rows: list[Record] = []
    for sample in job.shard(split, number):
        row = _row(job, sample)
        if row["instructions"]:
            rows.append(row)
            job.tally.pictures += 1
            job.tally.records += len(row["instructions"])
        if len(rows) == ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _row(job: ExportJob, sample: Sample) -> Record:
    return {
        **{name: sample.record.get(name) for name in _COLUMNS},
        "image": {"bytes": sample.picture, "path": f"{sample.key}.{sample.picture_format}"},
        "instructions": [
            {
                "id": instruction["id"],
                "task": instruction["task"],
                "turns": [{"role": role, "text": text} for role, text in turns],
                "boxes": instruction["boxes"],
                "answer": json.dumps(instruction["answer"], sort_keys=True),
            }
            for instruction, turns in job.instructions(sample)
        ],
        "companions": [
            {"sensor": known["sensor"], "tile_id": known.get("tile_id"), "picture": data}
            for _, data, known in job.companions(sample)
        ],
    }


def _schema() -> pa.Schema:
    features = {name: _feature(kind) if name != "image" else {"_type": "Image"} for name, kind in _COLUMNS.items()}
    return pa.schema(list(_COLUMNS.items()), metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _feature(kind: pa.DataType) -> Any:
    """An Arrow type as a feature of `datasets`; a list is a list of one feature, which old and new versions read."""
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    # Arrow calls the type double, datasets float64; the other names are the same.
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}


def _readme(job: ExportJob) -> str:
    """The card's header, which tells `datasets` which files are which split, and a line on what this is."""
    files = "\n".join(
        f"  - split: {split}\n    path: data/{split}-*.parquet" for split in job.splits if job.splits[split].shards
    )
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---\n\n"
        "Remote-sensing pictures with instructions and answers, exported by rsflow. Each row names its source and licence;\n"
        "boxes are x0, y0, x1, y1 in pixels of the picture (an oriented one: its corners), origin at its upper left.\n"
    )
