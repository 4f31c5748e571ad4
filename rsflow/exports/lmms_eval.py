"""Benchmarks for lmms-eval (https://github.com/EvolvingLMMs-Lab/lmms-eval/blob/main/docs/task_guide.md): a folder of tasks.

One idea: two tasks per split, `rsflow_<split>_choice` (multiple choice) and `rsflow_<split>_short` (short answers), each a YAML
file and a Parquet file with pictures inside, and one `utils.py` that asks and scores. Run in the folder, because paths are
relative to it: `lmms_eval --include_path . --tasks rsflow_test_choice …`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from rsflow.exports.benchmarks import lmms_eval_task
from rsflow.exports.benchmarks.multiple_choice import Classes, choice_questions, read_samples, source_classes
from rsflow.exports.benchmarks.short_questions import short_questions
from rsflow.exports.contract import ExportJob, Record
from rsflow.exports.writing.parquet_files import IMAGE, ROWS, dataset_schema, picture_cell
from rsflow.files import storage
from rsflow.shards.format import BANDS, NOT_PICTURES, Sample

DIALECT = "pixels"
HOLDS_GROUPS = True

UTILS = "utils.py"
_NEW_TOKENS = {"choice": 16, "short": 32}
_COLUMNS: dict[str, pa.DataType] = {
    "question_id": pa.string(), "image": IMAGE, "further_images": pa.list_(IMAGE), "question": pa.string(),
    "options": pa.list_(pa.string()),
    "answer": pa.string(), "kind": pa.string(), "sensor": pa.string(), "source": pa.string(),
}  # fmt: skip


class _Function(str):
    """A function of utils.py, which lmms-eval's loader looks up by the tag `!function`."""

    __slots__ = ()


class _TaskDumper(yaml.SafeDumper):
    """Writes functions with their tag."""


_TaskDumper.add_representer(_Function, lambda dumper, name: dumper.represent_scalar("!function", str(name)))


def top_level(splits: Sequence[str]) -> list[str]:
    return ["data", UTILS, *(f"rsflow_{split}_{form}.yaml" for split in splits for form in _NEW_TOKENS)]


def write(job: ExportJob) -> None:
    storage.write_bytes(job.place(UTILS), Path(lmms_eval_task.__file__).read_bytes())
    schema = dataset_schema(_COLUMNS)
    for split in job.splits:
        classes = source_classes(read_samples(job, split))
        choices = (row for sample in read_samples(job, split) for row in _choice_rows(sample, classes))
        _write_rows(job, f"data/{split}_choice.parquet", schema, choices)
        _write_rows(job, f"data/{split}_short.parquet", schema, _short_rows(job, split))
        for form in _NEW_TOKENS:
            text = yaml.dump(_task(split, form), Dumper=_TaskDumper, sort_keys=False)
            storage.write_bytes(job.place(f"rsflow_{split}_{form}.yaml"), text.encode())


def _choice_rows(sample: Sample, classes: Classes) -> Iterator[Record]:
    for one in choice_questions(sample.record, classes):
        yield {**_shared(sample), "question_id": one.question_id, "question": one.question, "options": list(one.options),
               "answer": one.letter, "kind": one.kind}  # fmt: skip


def _short_rows(job: ExportJob, split: str) -> Iterator[Record]:
    for sample in job.samples(split):
        job.tally.pictures += 1
        further = list(_further_images(job, sample))
        for one in short_questions(job, job.instructions(sample)):
            yield {**_shared(sample), "further_images": further, "question_id": one.question_id, "question": one.question,
                   "options": [], "answer": one.answer, "kind": one.kind}  # fmt: skip


def _further_images(job: ExportJob, sample: Sample) -> Iterator[Record]:
    """The pictures of a group after its first; those of other sensors of one picture are left out: no question is of them."""
    if sample.record.get("group"):
        for extension, data, _ in job.companions(sample):
            yield picture_cell(data, f"{sample.key}.{extension}")
    else:
        job.tally.notes["companions_left_out"] += len(sample.others.keys() - NOT_PICTURES)
        job.tally.notes["raw_bands_left_out"] += BANDS in sample.others


def _shared(sample: Sample) -> Record:
    name = f"{sample.key}.{sample.picture_format}"
    known = {"sensor": sample.record["sensor"], "source": sample.record["source"]}
    return {"image": picture_cell(sample.picture, name), "further_images": [], **known}


def _write_rows(job: ExportJob, name: str, schema: pa.Schema, rows: Iterator[Record]) -> None:
    with storage.create(job.place(name)) as stream, pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        while group := list(islice(rows, ROWS)):
            job.tally.records += len(group)
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def _task(split: str, form: str) -> dict[str, Any]:
    return {
        "task": f"rsflow_{split}_{form}",
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {split: f"data/{split}_{form}.parquet"}},
        "test_split": split,
        "output_type": "generate_until",
        "doc_to_visual": _Function("utils.doc_to_visual"),
        "doc_to_text": _Function(f"utils.{form}_to_text"),
        "doc_to_target": "answer",
        "process_results": _Function(f"utils.{form}_results"),
        "generation_kwargs": {"max_new_tokens": _NEW_TOKENS[form], "temperature": 0, "do_sample": False},
        "metric_list": [{"metric": "accuracy", "aggregation": "mean", "higher_is_better": True}],
        "metadata": [{"version": 1.0}],
    }
