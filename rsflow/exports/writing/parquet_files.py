"""Parquet that `datasets.load_dataset(FOLDER)` reads, pictures inside (https://huggingface.co/docs/datasets/image_dataset).

One idea: one Parquet file per shard, so memory is one row group and file names are known before anything is read. The schema's
`huggingface` metadata declares the features, so pictures come back as pictures; the card (rsflow.exports.writing.hub_card)
says which files are which split.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.hub_card import CardFacts, hub_card
from rsflow.files import storage
from rsflow.shards.format import Sample

ROWS = 100  # of a row group: a viewer reads one to show a page

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # an Image feature of `datasets`
_CARD = "README.md"

MakeRow = Callable[[Sample, list[SpelledInstruction]], Record]


def top_level(splits: Iterable[str]) -> list[str]:
    return ["data", _CARD]


def write_parquet(job: ExportJob, columns: Mapping[str, pa.DataType], make_row: MakeRow) -> None:
    """Write a row for each sample with texts, and the card."""
    schema, facts = dataset_schema(columns), CardFacts()
    for split, content in job.splits.items():
        for number in range(len(content.shards)):
            place = job.place("data", f"{split}-{number:05d}-of-{len(content.shards):05d}.parquet")
            with storage.create(place) as stream, pq.ParquetWriter(stream, schema, compression="zstd") as writer:
                rows = _rows(job, split, number, make_row, facts)
                while group := list(islice(rows, ROWS)):
                    writer.write_table(pa.Table.from_pylist(group, schema=schema))
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    storage.write_bytes(job.place(_CARD), hub_card(facts, job, features).encode())


def _rows(job: ExportJob, split: str, number: int, make_row: MakeRow, facts: CardFacts) -> Iterator[Record]:
    for sample, instructions in job.with_texts(job.shard(split, number)):
        facts.count(split, sample, instructions)
        job.tally.pictures += 1
        job.tally.records += len(instructions)
        yield make_row(sample, instructions)


def picture_cell(data: bytes, path: str) -> Record:
    """A value of IMAGE."""
    return {"bytes": data, "path": path}


def dataset_schema(columns: Mapping[str, pa.DataType]) -> pa.Schema:
    """The columns as a schema whose metadata declares the features of `datasets`."""
    features = {name: _feature(kind) for name, kind in columns.items()}
    return pa.schema(list(columns.items()), metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _feature(kind: pa.DataType) -> Any:
    """An Arrow type as a feature of `datasets`; a list is a list of one feature, which old and new versions read."""
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    # Arrow calls the type double, datasets float64; the other names are the same.
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}
