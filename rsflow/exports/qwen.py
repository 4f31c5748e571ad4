"""The form of Qwen-VL's own fine-tuning code (https://github.com/QwenLM/Qwen3-VL/blob/main/qwen-vl-finetune/README.md).

One idea: as LLaVA's, boxes in Qwen's spelling, and `image` a list of paths where a sample has pictures of several sensors.
`<split>.json` is the `annotation_path`, the output folder the `data_path` of a dataset there. Qwen2.5-VL counts in pixels of
the picture as its processor resizes it: train with the limits that rsflow.dialects.qwen states, or name yours, `--dialect
qwen:max_pixels=1003520`. For the families that count in thousandths ask for their dialect with `--dialect`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.conversations import PictureFiles, known_facts, llava_conversation, top_level, write_records
from rsflow.shards.format import Sample

__all__ = ["DIALECT", "top_level", "write"]

DIALECT = "qwen"
HOLDS_GROUPS = True


def write(job: ExportJob) -> None:
    write_records(job, _records)


def _records(sample: Sample, files: PictureFiles, instructions: Sequence[SpelledInstruction]) -> Iterator[Record]:
    for instruction, turns in instructions:
        yield {
            "id": instruction["id"],
            "image": files.paths[0] if len(files.paths) == 1 else list(files.paths),
            "conversations": llava_conversation(turns, files.tokens),
            **known_facts(sample, instruction),
        }
