"""The form of InternVL's training code (https://internvl.readthedocs.io/en/latest/get_started/chat_data_format.html).

One idea: `<split>.jsonl` holds a record a line, with the width and height of its picture, or lists of them where a sample has
pictures of several sensors; `meta.json`, the `--meta_path`, names each split's file. Its paths are relative to the output
folder: start the training there, or put the folder before them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count

from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.conversations import PictureFiles, known_facts, llava_conversation, write_records
from rsflow.exports.writing.json_files import json_lines
from rsflow.exports.writing.pictures_jsonl import FILE
from rsflow.files import storage
from rsflow.shards.format import Sample

DIALECT = "internvl"
HOLDS_GROUPS = True

META = "meta.json"
_MAX_DYNAMIC_PATCH = 12  # what the released sets of pictures have


def top_level(splits: Sequence[str]) -> list[str]:
    return ["images", FILE, META, *(f"{split}.jsonl" for split in splits)]


def write(job: ExportJob) -> None:
    numbers = count()

    def make_records(sample: Sample, files: PictureFiles, instructions: Sequence[SpelledInstruction]) -> Iterator[Record]:
        return (_record(next(numbers), sample, files, *one) for one in instructions)

    written = write_records(job, make_records, json_lines, "jsonl")
    meta = {f"rsflow_{split}": _entry(f"{split}.jsonl", records) for split, records in written.items()}
    storage.write_bytes(job.place(META), (json.dumps(meta, indent=2) + "\n").encode())


def _record(number: int, sample: Sample, files: PictureFiles, instruction: Record, turns: list[tuple[str, str]]) -> Record:
    (height_px, width_px), *others = files.sizes
    pictures: Record = {"image": files.paths[0], "width": width_px, "height": height_px}
    if others:
        heights, widths = map(list, zip(*files.sizes, strict=True))
        pictures = {"image": list(files.paths), "width_list": widths, "height_list": heights}
    conversation = llava_conversation(turns, files.tokens)
    facts = known_facts(sample, instruction)
    return {"id": number, **pictures, "conversations": conversation, "instruction_id": instruction["id"], **facts}


def _entry(annotation: str, length: int) -> Record:
    return {
        "root": ".",
        "annotation": annotation,
        "data_augment": False,
        "max_dynamic_patch": _MAX_DYNAMIC_PATCH,
        "repeat_time": 1,
        "length": length,
    }
