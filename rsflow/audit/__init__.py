"""Audits of other people's sets: what is wrong with their coordinates, pictures and texts, before anybody trains on them.

Two kinds of set, each with its one pass: instruction sets (conversations in JSON or Parquet, distinguished by how they write
boxes: rsflow.imports.box_formats) and annotated sets (every format of rsflow.annotations). Both end in a Report, whose faults
make the command's exit code. Faults of these kinds stand in released sets: angles above 360 degrees and coordinates above 100
(https://github.com/mbzuai-oryx/GeoChat/issues/74), boxes larger than the stated picture
(https://github.com/MiliLab/GeoLLaVA-8K/issues/2). What two sets share (as in https://github.com/jwwangchn/AI-TOD/issues/28,
crops of one scene in train and test) is reported by `audit --leak` (rsflow.phases.select.leakage).
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable

from rsflow.annotations import ANNOTATIONS
from rsflow.audit.annotated_sets import audit_annotated
from rsflow.audit.instruction_sets import audit_instructions
from rsflow.audit.report import Report
from rsflow.errors import UsageError
from rsflow.files import storage
from rsflow.imports.box_formats import BOX_FORMATS
from rsflow.imports.parquet_records import is_parquet

__all__ = ["Report", "audit", "list_formats"]

_PICTURES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
_ANY = (".json", ".jsonl", ".parquet", ".xml", ".txt", ".csv")
# What annotation files of a format are called, for a folder that holds others too.
_SUFFIXES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("dior_rsvg", "fair1m", "rolabelimg", "voc"), (".xml",)),
    **dict.fromkeys(("dota", "rsivqa", "yolo", "yolo_obb"), (".txt",)),
    **dict.fromkeys(("folders", "masks"), _PICTURES),
    "csv": (".csv", ".txt"),
}
_HEAD_BYTES = 1 << 16


def audit(
    place: str,
    form: str | None = None,
    pictures: str | None = None,
    on_record: Callable[[int], None] = lambda count: None,
    allow_outside: bool = False,
) -> Report:
    """Audit a file, a folder or a pattern of files.

    `form`: a key of BOX_FORMATS (an instruction set) or of ANNOTATIONS; None: detected from the content, which is possible for
    conversations and for COCO. `pictures`: the folder of the pictures (default: beside the file, if they are there); a
    path that leads out of it is a fault, and is not opened unless `allow_outside`. UsageError where the place holds nothing or
    the format is unknown or cannot be detected.
    """
    files = _files(place, form)
    known = form or _detect_kind(files)
    if known == "conversations" or known in BOX_FORMATS:
        if len(files) > 1:
            raise UsageError(f"{place}: holds {len(files)} files; an instruction set is audited file by file: name one")
        return audit_instructions(files[0], form, pictures, on_record, allow_outside)
    if known not in ANNOTATIONS:
        raise UsageError(f"format {known!r} is not known; known formats: {', '.join(list_formats())}")
    return audit_annotated(known, files, place, pictures, on_record, allow_outside)


def list_formats() -> list[str]:
    """Everything that --format takes."""
    return sorted({*BOX_FORMATS, *ANNOTATIONS})


def _files(place: str, form: str | None) -> tuple[str, ...]:
    found = storage.glob(place)
    if not found and not any(sign in place for sign in "*?["):
        below = storage.list_files(place, follow_links=True)
        suffixes = _SUFFIXES.get(form or "", _ANY)
        # The first suffix that there is; all of them where pictures are what is annotated.
        suffix = next((end for end in suffixes if any(name.lower().endswith(end) for name in below)), "/")
        chosen = suffixes if suffixes == _PICTURES else (suffix,)
        found = [storage.join(place, name) for name in below if name.lower().endswith(chosen)]
    if not found:
        raise UsageError(f"{place}: there is no such file, and no annotation file below it")
    return tuple(found)


def _detect_kind(files: tuple[str, ...]) -> str:
    """`conversations`, or the annotation format, by the beginning of the first file."""
    if is_parquet(files[0]):
        return "conversations"
    hint = f"give --format, one of {', '.join(list_formats())}"
    if not files[0].lower().endswith((".json", ".jsonl")):
        raise UsageError(f"{posixpath.basename(files[0])}: its format cannot be detected from its name: {hint}")
    start = storage.read_bytes(files[0], 0, _HEAD_BYTES).decode("utf-8-sig", errors="replace").lstrip()
    if '"conversations"' in start or '"messages"' in start:
        return "conversations"
    if start.startswith("{") and "images" in (keys := _keys(files[0])) and keys & {"annotations", "annotation"}:
        return "coco"
    raise UsageError(f"{files[0]}: its format cannot be detected from its content: {hint}")


def _keys(file: str) -> set[str]:
    """The keys of a JSON object; none where the file is not one."""
    try:
        data = json.loads(storage.read_text(file))
    except ValueError:
        return set()
    return set(data) if isinstance(data, dict) else set()
