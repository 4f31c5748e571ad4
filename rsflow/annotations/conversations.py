"""Instruction sets of others as labels: LLaVA and ShareGPT JSON, MMRS-1M, GeoChat.

Rows hold an `image` and `conversations` of from/value turns
(https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md), or `messages` of role/content turns. Each pair
of a human turn and an answer is one claim about the picture: a caption where it was question_text for in MMRS-1M's words
(https://arxiv.org/abs/2401.16822), a category where its class was, else a question with its answer. The marks "<image>" and
GeoChat's "[grounding]" (https://github.com/mbzuai-oryx/GeoChat) and the hint how to answer are removed: a build writes its own.

Sensor, split and size are not in such sets. A pair with coordinates is a reject `boxes_in_text`: how to read them depends on
the model family that they were written for. JSON arrays and JSON lines are both read.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector
from rsflow.annotations.parsing.text_files import parse_text, read_json, read_lines, shorten
from rsflow.errors import DataError, UsageError
from rsflow.files import storage
from rsflow.records import Label, Provenance

_FROM = Provenance("annotation", "conversations")
_ASKS = {"human", "user"}
_ANSWERS = {"gpt", "assistant", "model"}
_MARK = re.compile(r"<image>|<\|?image_pad\|?>|^\s*\[(grounding|refer|identify|vqa|caption)\]", re.IGNORECASE)
_HINT = re.compile(r"\s*Answer the question using a single word or (short )?phrase\.?\s*$", re.IGNORECASE)
_NUMBER = r"-?\d+(?:\.\d+)?"
_BOXES = re.compile(rf"\[\[?\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{3}}|(?:<{_NUMBER}>){{4}}|<box>|<\|box_start\|>|\"bbox(?:_2d)?\"")
_CAPTION = re.compile(
    r"please provide an? (one-sentence|short|brief|detailed)?\s*(caption|description) for the (provided )?remote sensing image",
    re.IGNORECASE,
)
_CLASS = re.compile(r"what is the (category|class) of this remote sensing image", re.IGNORECASE)


def read_conversations(files: Sequence[str]) -> AnnotatedSet:
    """Instruction JSON as one annotated set. UsageError where a file is no list of rows."""
    return merge_sets(_read_one(file) for file in files)


def _read_one(file: str) -> AnnotatedSet:
    collector = FileCollector(file)
    for where, row in _rows(file):
        try:
            picture, turns = collector.picture(_image(row)), _turns(row)
        except DataError as error:
            collector.reject(where, error)
            continue
        for index in range(0, len(turns), 2):
            try:
                picture.labels.append(_claim(*turns[index : index + 2]))
            except DataError as error:
                collector.reject(f"{where} turn {index}", error, picture)
    return collector.result()


def _rows(file: str) -> Iterator[tuple[str, Any]]:
    if not storage.read_bytes(file, 0, 64).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        rows = read_json(file, "conversations")
        if not isinstance(rows, list):
            raise UsageError(f"{file}: holds a {type(rows).__name__}, expected a list of rows with image and conversations")
        yield from ((f"row {index}", row) for index, row in enumerate(rows))
        return
    for number, line in read_lines(file):
        try:
            yield f"line {number}", json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"{file}: line {number} is not JSON ({error}); expected a list of rows, or a row per line"
            ) from error


def _image(row: Any) -> str:
    image = row.get("image", row.get("images")) if isinstance(row, dict) else None
    image = image[0] if isinstance(image, list) and len(image) == 1 else image
    if not isinstance(image, str) or not image.strip():
        raise DataError("no_picture", f"image is {shorten(image)}, expected the name of one picture")
    return image.strip()


def _turns(row: dict[str, Any]) -> list[str]:
    """The texts of the turns, question and answer alternating."""
    turns = row.get("conversations") or row.get("messages")
    exchanged = [(_role(turn), _turn_text(turn)) for turn in turns] if isinstance(turns, list) else []
    exchanged = exchanged[1:] if exchanged and exchanged[0][0] == "system" else exchanged
    sides = [role in _ASKS if index % 2 == 0 else role in _ANSWERS for index, (role, _) in enumerate(exchanged)]
    if not exchanged or len(exchanged) % 2 or not all(sides):
        raise DataError("broken_record", f"turns are of {[role for role, _ in exchanged]}, expected human and gpt in turn")
    return [text for _, text in exchanged]


def _role(turn: Any) -> str:
    return str(turn.get("from", turn.get("role"))).strip().lower() if isinstance(turn, dict) else shorten(turn)


def _turn_text(turn: Any) -> str:
    content = turn.get("value", turn.get("content")) if isinstance(turn, dict) else None
    if isinstance(content, list):  # parts, as chat APIs have them; those of pictures hold no text
        content = "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""


def _claim(question_text: str, answer_text: str) -> Label:
    if _BOXES.search(question_text) or _BOXES.search(answer_text):
        raise DataError(
            "boxes_in_text",
            f"{shorten(question_text)} is answered {shorten(answer_text)}: coordinates need the rule of their model family",
        )
    question = parse_text(_HINT.sub("", _MARK.sub("", question_text)), "question")
    if _CAPTION.search(question):
        return Label("caption", "", _FROM, text=parse_text(answer_text, "caption"))
    answer = parse_text(answer_text, "answer")
    if _CLASS.search(question):
        return Label("category", answer.rstrip(" ."), _FROM)
    return Label("question", answer, _FROM, text=question)
