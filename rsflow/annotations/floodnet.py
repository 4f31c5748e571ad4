"""FloodNet VQA: one JSON of questions about pictures of flooded land
(https://github.com/BinaLab/FloodNet-Challenge-EARTHVISION2021).

The JSON holds entries by number (or as a list), each with Image_ID, Question, Ground_Truth (a text or a count) and
Question_Type. The type is kept in the question's provenance, floodnet:Simple_Counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector
from rsflow.annotations.parsing.text_files import parse_text, read_json, shorten
from rsflow.errors import DataError, UsageError
from rsflow.records import Label, Provenance


def read_floodnet(files: Sequence[str]) -> AnnotatedSet:
    """FloodNet questions as one annotated set. UsageError where a file holds no entries."""
    return merge_sets(_read_one(file) for file in files)


def _read_one(file: str) -> AnnotatedSet:
    data = read_json(file, "floodnet")
    entries = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else None
    if entries is None or not any(isinstance(entry, dict) and "Question" in entry for _, entry in entries):
        raise UsageError(f"{file}: holds no entries with Image_ID, Question and Ground_Truth, which format floodnet needs")
    collector = FileCollector(file)
    origins: dict[str, Provenance] = {}
    for key, entry in entries:
        try:
            _take(collector, entry, origins)
        except DataError as error:
            collector.reject(f"entry {key}", error)
    return collector.result()


def _take(collector: FileCollector, entry: Any, origins: dict[str, Provenance]) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("Image_ID"), str) or not entry["Image_ID"].strip():
        raise DataError("broken_record", f"found {shorten(entry)}, expected Image_ID, Question and Ground_Truth")
    kind = str(entry.get("Question_Type") or "")
    origin = origins.setdefault(kind, Provenance("annotation", f"floodnet:{kind}" if kind else "floodnet"))
    question, answer = parse_text(entry.get("Question"), "question"), parse_text(entry.get("Ground_Truth"), "answer")
    collector.picture(entry["Image_ID"].strip()).labels.append(Label("question", answer, origin, text=question))
