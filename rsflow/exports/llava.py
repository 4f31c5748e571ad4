"""LLaVA's training form (https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md).

One idea: `<split>.json` is given as `--data_path`, the output folder as `--image_folder`. Beside id, image and conversations a
record says its task, sensor, source, licence and picture size, which LLaVA's loader passes over.
"""

from __future__ import annotations

from rsflow.exports.contract import ExportJob
from rsflow.exports.writing.conversations import record_per_instruction, top_level, write_records

__all__ = ["DIALECT", "top_level", "write"]

DIALECT = "llava"
HOLDS_GROUPS = True


def write(job: ExportJob) -> None:
    write_records(job, record_per_instruction)
