"""RSIVQA text lines: picture:question?answer (https://github.com/spectralpublic/RSIVQA).

A line has a picture's name, a colon, a question that ends with its question mark, and the answer. Names are with
extension ("1.tif:") or without ("P0003: "); an answer is never empty. Lines that say the same of a picture are one. The set
comes without splits: `splits` names the pictures of each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector
from rsflow.annotations.parsing.text_files import read_lines
from rsflow.errors import DataError
from rsflow.records import Label, Provenance

_FROM = Provenance("annotation", "rsivqa")
_LINE = re.compile(r"(?P<picture>[^:?]+?)\s*[:?]\s*(?P<question>[^?]*[^?\s])\s*\?\s*(?P<answer>[^?]*[^?\s])\s*")


def read_rsivqa(files: Sequence[str]) -> AnnotatedSet:
    """RSIVQA files as one annotated set."""
    return merge_sets(_read_one(file) for file in files)


def _read_one(file: str) -> AnnotatedSet:
    collector = FileCollector(file)
    for number, line in read_lines(file):
        try:
            found = _LINE.fullmatch(line)
            if found is None:
                raise DataError("broken_record", f"found {line[:80]!r}, expected picture:question?answer")
            question = " ".join(found["question"].split()) + "?"
            answer = " ".join(found["answer"].split())
            collector.picture(found["picture"].strip()).labels.append(Label("question", answer, _FROM, text=question))
        except DataError as error:
            collector.reject(f"line {number}", error)
    return collector.result()
