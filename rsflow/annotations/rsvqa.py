"""RSVQA: questions and answers about pictures, in three JSON files per split (https://rsvqa.sylvainlobry.com/).

A split is `..._images.json`, `..._questions.json` and `..._answers.json`, which refer to each other by id.
`annotations.files` is the pattern that finds them all ("LR_split_*.json" of the low-resolution set, "USGS_split_*.json" of the
high-resolution one); they belong together by their names. Entries whose `active` is false are not part of the split and are
passed over. The split is the train, val or test of the name. A picture is named by its id: 0.tif.

Answers stay as they are: the papers' classes ("between 0 and 10") are made from numbers at training time. The question's type
(presence, count, comp, rural_urban, area) is kept in its provenance, rsvqa:presence.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import Any

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector
from rsflow.annotations.parsing.text_files import parse_flag, parse_identifier, parse_text, read_json, shorten
from rsflow.errors import DataError, UsageError
from rsflow.records import Label, Provenance

_PARTS = ("images", "questions", "answers")
Ids = dict[str | None, dict[str, Any]]


def read_rsvqa(files: Sequence[str]) -> AnnotatedSet:
    """All splits that the files hold as one annotated set. UsageError where one of a split's three files is missing."""
    groups: dict[str, dict[str, str]] = {}
    for file in files:
        name = posixpath.basename(file)
        part = next((part for part in _PARTS if part in name), "")
        if not part:
            raise UsageError(
                f"{file}: its name has none of the words {', '.join(_PARTS)}, by which format rsvqa distinguishes its files"
            )
        groups.setdefault(name.replace(part, "*"), {})[part] = file
    for group, found in groups.items():
        if missing := [part for part in _PARTS if part not in found]:
            raise UsageError(
                f"{', '.join(found.values())}: there is no {' and no '.join(missing)} file in the same folder; format rsvqa "
                f"needs the three files of a split, such as {group.replace('*', missing[0])}"
            )
    return merge_sets(map(_read_split, groups.values()))


def _read_split(files: dict[str, str]) -> AnnotatedSet:
    collector = FileCollector(files["questions"])
    images, answers = _by_id(_entries(files, "images")), _by_id(_entries(files, "answers"))
    word = re.search(r"train|val|test", posixpath.basename(files["questions"]))
    for number, image in images.items():
        try:
            if _active(image):
                collector.picture(f"{number}.tif").split = word[0] if word else None
        except DataError as error:
            collector.reject(f"image {number}", error)
    origins: dict[str, Provenance] = {}
    for index, question in enumerate(_entries(files, "questions")):
        if isinstance(question, dict) and not _active(question):
            continue
        try:
            number, answer = _answered(question, images, answers)
            if answer is None:
                continue
            kind = str(question.get("type") or "")
            origin = origins.setdefault(kind, Provenance("annotation", f"rsvqa:{kind}" if kind else "rsvqa"))
            text = parse_text(question.get("question"), "question")
            label = Label("question", parse_text(answer.get("answer"), "answer"), origin, text=text)
            collector.picture(f"{number}.tif").labels.append(label)
        except DataError as error:
            collector.reject(f"questions[{index}]", error)
    return collector.result()


def _answered(question: Any, images: Ids, answers: Ids) -> tuple[Any, dict[str, Any] | None]:
    """(id of the picture, the answer); no answer where one of the two is not active."""
    if not isinstance(question, dict) or not isinstance(question.get("answers_ids"), list) or not question["answers_ids"]:
        raise DataError("broken_record", f"found {shorten(question)}, expected img_id, question and answers_ids")
    number, first = parse_identifier(question.get("img_id")), parse_identifier(question["answers_ids"][0])
    if number not in images:
        raise DataError("missing_picture_entry", f"img_id is {shorten(question.get('img_id'))}, which is no id in images")
    if first not in answers:
        raise DataError(
            "missing_answer", f"answers_ids begin with {shorten(question['answers_ids'][0])}, which is no id in answers"
        )
    answer = answers[first]
    return number, answer if _active(images[number]) and _active(answer) else None


def _active(entry: dict[str, Any]) -> bool:
    return parse_flag(entry.get("active", True))


def _by_id(entries: list[Any]) -> Ids:
    numbered = ((parse_identifier(entry.get("id")), entry) for entry in entries if isinstance(entry, dict))
    return {number: entry for number, entry in numbered if number is not None}


def _entries(files: dict[str, str], part: str) -> list[Any]:
    data = read_json(files[part], "rsvqa")
    if not isinstance(data, dict) or not isinstance(data.get(part), list):
        raise UsageError(f"{files[part]}: has no list {part!r}, which format rsvqa needs")
    return list(data[part])
