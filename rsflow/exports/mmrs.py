"""The form of MMRS-1M, the dataset of EarthGPT (https://github.com/wivizhang/EarthGPT).

One idea: a record holds exactly `image` and `conversations`, and the instructions of one task on one picture are turns of one
conversation, as in the released files. These have no picture token and no other key: what else is known is in `pictures.jsonl`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.conversations import PictureFiles, llava_conversation, top_level, write_records
from rsflow.shards.format import Sample

__all__ = ["DIALECT", "top_level", "write"]

DIALECT = "mmrs"


def write(job: ExportJob) -> None:
    write_records(job, _records)


def _records(sample: Sample, files: PictureFiles, instructions: Sequence[SpelledInstruction]) -> Iterator[Record]:
    by_task: dict[str, list[tuple[str, str]]] = {}
    for instruction, turns in instructions:
        by_task.setdefault(instruction["task"], []).extend(turns)
    for turns in by_task.values():
        yield {"image": files.paths[0], "conversations": llava_conversation(turns)}
