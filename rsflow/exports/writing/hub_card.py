"""The dataset card of an export: its header, which the Hugging Face Hub and `datasets` read, and what people should know.

One idea: everything in it is counted while the rows are written: splits, tasks, sensors, sources and their licences. A licence
goes into the header only where all sources have one that the Hub knows; else the header says `other` and the table says which.
Header: https://huggingface.co/docs/hub/datasets-cards.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rsflow.exports.contract import ExportJob, SpelledInstruction
from rsflow.shards.format import Sample

# Identifiers of the Hub for what licences of sources are called (https://huggingface.co/docs/hub/repositories-licenses).
_CREATIVE_COMMONS = [f"CC-BY{more}-{version}" for more in ("", "-SA", "-NC", "-NC-SA") for version in ("3.0", "4.0")]
LICENCES = {name: name.lower() for name in ("MIT", "Apache-2.0", "CC0-1.0", "ODbL", "PDDL", "Unlicense", *_CREATIVE_COMMONS)}
# Tasks of the Hub (https://huggingface.co/tasks) for tasks of instructions.
TASKS = {
    "captioning": "image-to-text",
    "description": "image-to-text",
    "region_captioning": "image-to-text",
    "classification": "image-classification",
    "detection": "object-detection",
    "grounding": "object-detection",
    "vqa": "visual-question-answering",
}
_OTHER_TASK = "image-text-to-text"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
_LARGEST = "n>10M"


@dataclass
class CardFacts:
    """Counts of rows by split and by (source, licence, sensor), and of instructions by task; and whether all texts are in
    Latin letters of ASCII, which here is English."""

    rows: Counter[str] = field(default_factory=Counter)
    sources: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    is_ascii: bool = True

    def count(self, split: str, sample: Sample, instructions: Sequence[SpelledInstruction]) -> None:
        record = sample.record
        self.rows[split] += 1
        self.sources[record.get("source") or "", record.get("licence") or "unknown", record["sensor"]] += 1
        for instruction, turns in instructions:
            self.tasks[instruction["task"]] += 1
            self.is_ascii &= all(not letter.isalpha() or letter.isascii() for _, text in turns for letter in text)


def hub_card(facts: CardFacts, job: ExportJob, features: dict[str, Any]) -> str:
    """README.md: a YAML header and tables. JSON is YAML, so values that are no plain words are written as JSON."""
    sources = [f"| {' | '.join(names)} | {count:,} |" for names, count in sorted(facts.sources.items())]
    tasks = [f"| {task} | {count:,} |" for task, count in sorted(facts.tasks.items())]
    splits = [f"| {split} | {count:,} |" for split, count in sorted(facts.rows.items())]
    notes = [f"- {line}" for line in job.tally.lines()]
    body = [
        "# Remote-sensing pictures with instructions and answers",
        "Exported by rsflow. Each row names its source and licence; where boxes are numbers, they are x0, y0, x1, y1\n"
        "in pixels of the picture (an oriented one: its corners), origin at its upper left.",
        _table("| split | rows |\n|---|---|", splits),
        _table("| task | instructions |\n|---|---|", tasks),
        _table("| source | licence | sensor | rows |\n|---|---|---|---|", sources),
        *(["## What this export does not hold\n\n" + "\n".join(notes)] if notes else []),
    ]
    return "\n".join(["---", *_header(facts, job, features), "---", ""]) + "\n" + "\n\n".join(body) + "\n"


def _header(facts: CardFacts, job: ExportJob, features: dict[str, Any]) -> list[str]:
    licences = sorted({LICENCES.get(licence, "other") for _, licence, _ in facts.sources})
    rows = facts.rows.total()
    files = [{"split": split, "path": f"data/{split}-*"} for split in job.splits if job.splits[split].shards]
    splits = [{"name": split, "num_examples": facts.rows[split]} for split in job.splits if job.splits[split].shards]
    values = {
        "license": licences[0] if len(licences) == 1 else "other",
        **({"language": ["en"]} if facts.is_ascii else {}),
        "task_categories": sorted({TASKS.get(task, _OTHER_TASK) for task in facts.tasks}),
        "size_categories": [next((name for most, name in _SIZES if rows < most), _LARGEST)],
        "tags": ["remote-sensing", *sorted({sensor for _, _, sensor in facts.sources})],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"features": _named(features), "splits": splits},
    }
    return [f"{name}: {json.dumps(value)}" for name, value in values.items()]


def _named(features: dict[str, Any]) -> list[dict[str, Any]]:
    """Features as the header of a card lists them."""
    return [{"name": name, **_feature(feature)} for name, feature in features.items()]


def _feature(feature: Any) -> dict[str, Any]:
    if isinstance(feature, list):
        (inner,) = feature
        found = _feature(inner)
        return {"list": found.get("dtype") or found.get("struct") or found}
    if "_type" not in feature:
        return {"struct": _named(feature)}
    return {"dtype": "image" if feature["_type"] == "Image" else feature["dtype"]}


def _table(head: str, rows: Sequence[str]) -> str:
    return "\n".join([head, *rows])
