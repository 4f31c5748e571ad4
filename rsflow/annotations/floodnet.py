"""FloodNet VQA: one JSON of questions about pictures of flooded land
(https://github.com/BinaLab/FloodNet-Challenge-EARTHVISION2021).

One idea: the JSON holds entries by number (or as a list), each with Image_ID, Question, Ground_Truth (a text or a count) and
Question_Type. The type is kept in the question's provenance, floodnet/Simple_Counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rsflow.annotations.annotated_set import AnnotatedSet, merged
from rsflow.annotations.file_collector import FileCollector
from rsflow.annotations.text_files import json_document, sentence, short
from rsflow.errors import DataError, UsageError
from rsflow.records import Label, Provenance


def read_floodnet(files: Sequence[str]) -> AnnotatedSet:
    """FloodNet questions as one annotated set. UsageError where a file holds no entries."""
    return merged(_read_one(file) for file in files)


def _read_one(file: str) -> AnnotatedSet:
    data = json_document(file, "floodnet")
    entries = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else None
    if entries is None or not any(isinstance(entry, dict) and "Question" in entry for _, entry in entries):
        raise UsageError(f"{file}: holds no entries with Image_ID, Question and Ground_Truth, which format floodnet needs")
    gathering = FileCollector(file)
    origins: dict[str, Provenance] = {}
    for key, entry in entries:
        try:
            _take(gathering, entry, origins)
        except DataError as error:
            gathering.reject(f"entry {key}", error)
    return gathering.result()


def _take(gathering: FileCollector, entry: Any, origins: dict[str, Provenance]) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("Image_ID"), str) or not entry["Image_ID"].strip():
        raise DataError("broken_record", f"found {short(entry)}, expected Image_ID, Question and Ground_Truth")
    kind = str(entry.get("Question_Type") or "")
    origin = origins.setdefault(kind, Provenance("annotation", f"floodnet/{kind}" if kind else "floodnet"))
    question, answer = sentence(entry.get("Question"), "question"), sentence(entry.get("Ground_Truth"), "answer")
    gathering.picture(entry["Image_ID"].strip()).labels.append(Label("question", answer, origin, text=question))
