"""The form of LLaMA-Factory (https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md): sharegpt with pictures.

One idea: the output folder is the `dataset_dir`: `dataset_info.json` describes each split as the dataset `rsflow_<split>`, and
the paths of pictures are relative to the folder. A record is a conversation with a token for each of its pictures. Boxes are
spelled in thousandths by default (rsflow.dialects.qwen3), which stay true however LLaMA-Factory resizes pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.conversations import PictureFiles, known_facts, openai_messages, write_records
from rsflow.exports.writing.conversations import top_level as files_of_records
from rsflow.files import storage
from rsflow.shards.format import Sample

DIALECT = "qwen3"
HOLDS_GROUPS = True

INFO = "dataset_info.json"
_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}


def top_level(splits: Sequence[str]) -> list[str]:
    return [*files_of_records(splits), INFO]


def write(job: ExportJob) -> None:
    info = {f"rsflow_{split}": _description(f"{split}.json") for split in write_records(job, _records)}
    storage.write_bytes(job.place(INFO), (json.dumps(info, indent=2) + "\n").encode())


def _records(sample: Sample, files: PictureFiles, instructions: Sequence[SpelledInstruction]) -> Iterator[Record]:
    for instruction, turns in instructions:
        messages = openai_messages(turns, files.tokens)
        yield {"messages": messages, "images": list(files.paths), "id": instruction["id"], **known_facts(sample, instruction)}


def _description(file_name: str) -> Record:
    columns = {"messages": "messages", "images": "images"}
    return {"file_name": file_name, "formatting": "sharegpt", "columns": columns, "tags": _TAGS}
