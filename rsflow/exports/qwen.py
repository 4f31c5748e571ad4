"""The form of Qwen-VL's own fine-tuning code (https://github.com/QwenLM/Qwen3-VL/blob/main/qwen-vl-finetune/README.md).

One idea: as LLaVA's, boxes in Qwen's spelling. `<split>.json` is the `annotation_path`, the output folder the `data_path` of a
dataset there. Qwen2.5-VL counts in pixels of the picture as its processor resizes it: train with the limits that
rsflow.dialects.qwen states, or name yours, `--dialect qwen:max_pixels=1003520`. For the families that count in thousandths ask
for their dialect with `--dialect`.
"""

from __future__ import annotations

from rsflow.exports.contract import ExportJob
from rsflow.exports.conversations import record_per_instruction, top_level, write_records

__all__ = ["DIALECT", "top_level", "write"]

DIALECT = "qwen"


def write(job: ExportJob) -> None:
    write_records(job, record_per_instruction)
