"""GeoChat's training form (https://github.com/mbzuai-oryx/GeoChat/blob/main/geochat/train/train.py).

One idea: its loader is LLaVA's, its boxes are its own, and a task token opens a question about places: `[refer]` where a phrase
is to be found, `[identify]` where a box is to be named, as its demo and its released set do
(https://github.com/mbzuai-oryx/GeoChat/blob/main/geochat_demo.py). Detection asks for places too and takes `[refer]`; that is
our own choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.conversations import PictureFiles, record_per_instruction, top_level, write_records
from rsflow.shards.format import Sample

__all__ = ["DIALECT", "top_level", "write"]

DIALECT = "geochat"

TOKENS = {"grounding": "[refer]", "detection": "[refer]", "region_captioning": "[identify]"}


def write(job: ExportJob) -> None:
    write_records(job, _records)


def _records(sample: Sample, files: PictureFiles, instructions: Sequence[SpelledInstruction]) -> Iterator[Record]:
    with_tokens = [(instruction, with_task_token(instruction["task"], turns)) for instruction, turns in instructions]
    return record_per_instruction(sample, files, with_tokens)


def with_task_token(task: str, turns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The turns, questions about places with the token of their task."""
    if task not in TOKENS:
        return turns
    return [(role, f"{TOKENS[task]} {text}" if role == "user" else text) for role, text in turns]
