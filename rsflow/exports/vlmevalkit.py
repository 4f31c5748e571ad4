"""Benchmarks for VLMEvalKit (https://github.com/open-compass/VLMEvalKit): TSV files with pictures inside.

One idea: a file per kind of question that its dataset classes score. `rsflow_<split>_mcq.tsv` is a custom multiple-choice set
and `rsflow_<split>_openended.tsv` a custom VQA set; `build_dataset` knows them by their columns and names once they lie in
LMUData. `rsflow_<split>_circular_mmbench.tsv` asks each question once for every position of the right option, and a question
counts only where all are right: VLMEvalKit groups by index (a million per rotation) in sets with such a name.
`rsflow_<split>_yorn.tsv` is for a class of its Y/N type. `image` is base64 at a picture's first question, and that question's
`index` at the others.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

from rsflow.errors import UsageError
from rsflow.exports.benchmarks.multiple_choice import Classes, choice_questions, read_samples, source_classes
from rsflow.exports.benchmarks.short_questions import YES_NO, short_questions
from rsflow.exports.contract import ExportJob
from rsflow.files import storage
from rsflow.instructions.wording.options import LETTERS
from rsflow.shards.format import BANDS, NOT_PICTURES, Sample

DIALECT = "pixels"

ROTATION = 1_000_000  # what VLMEvalKit takes an index modulo, to find the question of a rotation
_FACTS = ("category", "l2-category", "source", "question_id")
_OPTIONS = {"mcq": tuple(LETTERS), "circular_mmbench": tuple(LETTERS), "openended": (), "yorn": ()}  # by kind of file
# What pandas takes for a missing value when VLMEvalKit reads the file.
_MISSING = frozenset({"", "#N/A", "#NA", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "<NA>"})


def top_level(splits: Sequence[str]) -> list[str]:
    return [f"rsflow_{split}_{kind}.tsv" for split in splits for kind in _OPTIONS]


def write(job: ExportJob) -> None:
    for split in job.splits:
        classes = source_classes(read_samples(job, split))
        with ExitStack() as stack:
            tables = {
                kind: _Table(stack.enter_context(storage.create(job.place(f"rsflow_{split}_{kind}.tsv"))), options)
                for kind, options in _OPTIONS.items()
            }
            for sample in job.samples(split):
                job.tally.notes["companions_left_out"] += len(sample.others.keys() - NOT_PICTURES)
                job.tally.notes["raw_bands_left_out"] += BANDS in sample.others
                _write_choices(tables, sample, classes)
                for one in short_questions(job, job.instructions(sample)):
                    kind = "yorn" if one.kind == YES_NO else "openended"
                    tables[kind].add(sample, _facts(sample, one.kind, one.question_id), one.question, one.answer)
            job.tally.records += sum(table.rows for table in tables.values())
            job.tally.pictures += tables["mcq"].pictures


def _write_choices(tables: dict[str, _Table], sample: Sample, classes: Classes) -> None:
    for one in choice_questions(sample.record, classes):
        facts = _facts(sample, one.kind, one.question_id)
        number = tables["mcq"].add(sample, facts, one.question, one.letter, one.options)
        for rotation, turned in enumerate(one.rotations()):
            index = number + rotation * ROTATION
            tables["circular_mmbench"].add(sample, facts, turned.question, turned.letter, turned.options, index)


def _facts(sample: Sample, kind: str, question_id: str) -> tuple[str, ...]:
    return kind, sample.record["sensor"], sample.record["source"], question_id


@dataclass
class _Table:
    """One file while it is written; its first row names the columns."""

    stream: IO[bytes]
    option_columns: tuple[str, ...]
    rows: int = 0
    pictures: int = 0
    _picture_key: str = ""
    _picture_index: int = 0

    def __post_init__(self) -> None:
        self._write(["index", "image", "question", *self.option_columns, "answer", *_FACTS])

    def add(
        self,
        sample: Sample,
        facts: Sequence[str],
        question: str,
        answer: str,
        options: Sequence[str] = (),
        index: int | None = None,
    ) -> int:
        """Add a question; returns its index."""
        self.rows += 1
        number = self.rows if index is None else index
        if self.rows >= ROTATION and index is None:
            raise UsageError(f"a benchmark of VLMEvalKit holds fewer than {ROTATION:,} questions: export a smaller --split")
        cells = [*map(_escape_formula, options), *[""] * (len(self.option_columns) - len(options))]
        self._write([str(number), self._picture(sample, number), question, *cells, _escape_formula(answer), *facts])
        return number

    def _picture(self, sample: Sample, index: int) -> str:
        if self._picture_key == sample.key:
            return str(self._picture_index)
        self._picture_key, self._picture_index = sample.key, index
        self.pictures += 1
        return base64.b64encode(sample.picture).decode()

    def _write(self, cells: Sequence[str]) -> None:
        line = io.StringIO()
        csv.writer(line, delimiter="\t", lineterminator="\n").writerow(cells)
        self.stream.write(line.getvalue().encode())


def _escape_formula(text: str) -> str:
    return f"{text}." if text in _MISSING else text
