"""Whether the demo's data teaches: a small model trained on it from scratch, compared with the same model without pictures.

One idea: three sets of answers to the same held-out questions, scored alike. The model's; its blind control's, which has the
same parameters, samples, order and steps, but neither trains nor answers with pictures; and the commonest answer of each kind
of question in train. What the model has over both it learned from pixels. Where it has nothing over them, the table says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from rsflow.demo.control_answers import majority_answers
from rsflow.errors import RsflowError
from rsflow.evaluation import Score, write_predictions
from rsflow.evaluation.run import EvaluationJob, evaluate
from rsflow.files import storage
from rsflow.models.earthgpt.small import SmallSize, write_small_checkpoint
from rsflow.report.build_summary import align_columns
from rsflow.shards.manifest import read_snapshot
from rsflow.training.texts import read_texts

DIALECT = "mmrs"
RUNS = ("model", "blind", "majority")
# By task the measure that its row shows: the first of these that the task has.
MEASURES = ("accuracy", "iou", "rouge_l")
ANSWER_TOKENS = {"description": 160}  # 99 % of them are shorter
SHORT_ANSWER_TOKENS = 48  # no answer of another task is longer

# Ours, chosen on val splits. Each instruction is a row of its own: where earlier answers about a picture precede a question,
# they are easier to learn from than the picture. At first there are short answers alone, each of which says one fact of the
# picture: with long ones from the beginning, a model of this size spends its minutes on learning to write. Then texts are drawn
# often, because a picture has one caption and one description, but several questions and regions. Boxes are not trained: it
# learns none in that time.
_FIRST = {"vqa": 6, "classification": 3, "region_captioning": 3}
_THEN = {"vqa": 2, "classification": 2, "captioning": 5, "region_captioning": 4, "description": 3}
TASKS = tuple(_THEN)
TRAINING: dict[str, Any] = {
    "regime": {"kind": "full"},
    "epochs": 1000,
    "max_steps": 1200,
    "precision": "float32",
    "data": {
        "grouping": "each",
        "group_by_length": True,
        "workers": 0,
        "mix": {"by": "task", "weights": [[0, _FIRST], [16 * 250, _THEN]]},
    },
    "optimiser": {
        "batch_size": 16, "rank_batch": 16, "learning_rate": 0.001, "warmup_share": 0.03, "weight_decay": 0.05,
        "loss_reduction": "square",
    },
    "checkpoints": {"every_steps": 100},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of a task, of all sensors together or of one, by each of RUNS; None where it has no such score."""

    task: str
    group: str
    metric: str
    answers: int
    values: Mapping[str, float | None]

    @property
    def beats_controls(self) -> bool:
        own = self.values["model"]
        others = [self.values[run] for run in RUNS[1:]]
        return own is not None and all(other is None or own > other for other in others)


def train_and_compare(lake: str, folder: str, changes: Mapping[str, Any], seed: int = 0, split: str = "test") -> list[Row]:
    """Train both models, ask all three, and write `folder`/table.txt and table.json. Run again, it goes on where it was."""
    with_pictures = {"seed": seed, **changes}
    blind = {**with_pictures, "data": {**with_pictures.get("data", {}), "pictures": "none"}}
    train_models(lake, folder, {"model": with_pictures, "blind": blind}, seed)
    place = str(Path(folder, "majority.jsonl"))
    write_predictions(place, list(majority_answers(lake, DIALECT, split, tasks=TASKS)))
    scores = {
        "model": evaluate_model(str(Path(folder, "model", "model")), lake, split),
        "blind": evaluate_model(str(Path(folder, "blind", "model")), lake, split, blind=True),
        "majority": evaluate_model(place, lake, split),
    }
    rows = compare(scores)
    storage.write_bytes(str(Path(folder, "table.txt")), (table_text(rows) + "\n").encode())
    content = [{**asdict(row), "beats_controls": row.beats_controls} for row in rows]
    storage.write_bytes(str(Path(folder, "table.json")), (json.dumps(content, indent=1) + "\n").encode())
    return rows


def train_models(lake: str, folder: str, runs: Mapping[str, Mapping[str, Any]], seed: int = 0) -> None:
    """Train small models from the same first weights, each into `folder`/<run>/model by TRAINING with its own changes.

    They are trained at the same time, each in its own process with one thread: matrices this small gain nothing from a second.
    RsflowError where one fails.
    """
    base = Path(folder, "base")
    if not (base / "config.json").exists():
        write_small_checkpoint(base, read_texts(lake, "train", DIALECT), SmallSize(), seed)
    configs = [_write_config(lake, folder, run, changes) for run, changes in runs.items()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen([sys.executable, "-m", "rsflow.cli", "train", str(config)], env=environment) for config in configs
    ]
    try:
        failed = [str(config) for config, process in zip(configs, processes, strict=True) if process.wait()]
    finally:
        for process in processes:
            process.terminate()
    if failed:
        raise RsflowError(f"training by {' and '.join(failed)} failed; what was trained stays: run the same again")


def _write_config(lake: str, folder: str, run: str, changes: Mapping[str, Any]) -> Path:
    settings = {**TRAINING, **changes}
    data = {**TRAINING["data"], **changes.get("data", {}), "dialect": DIALECT}
    optimiser = {**TRAINING["optimiser"], **changes.get("optimiser", {})}
    paths = {"root": os.path.abspath(lake), "base_model": "./base", "output": f"./{run}"}
    place = Path(folder, f"{run}.yaml")
    content = yaml.safe_dump({**paths, **settings, "data": data, "optimiser": optimiser}, sort_keys=False)
    storage.write_bytes(str(place), content.encode())
    return place


def evaluate_model(model: str, lake: str, split: str, blind: bool = False, tasks: tuple[str, ...] = TASKS) -> list[Score]:
    """The scores of a model's folder, or of a file of predictions, stored next to it.

    Each task is asked alone: a batch is done when its longest answer is, and a description is long.
    """
    settings = {} if model.endswith(".jsonl") else {"batch_rows": 64, "device": "cpu"}
    out = f"{model.removesuffix('.jsonl')}-scores"
    asked = [task for task in tasks if task in read_snapshot(lake).splits[split].counts]
    scores: list[Score] = []
    for task in asked:
        tokens = ANSWER_TOKENS.get(task, SHORT_ANSWER_TOKENS)
        job = EvaluationJob(model, lake, split, DIALECT, f"{out}/{task}", blind, None, tokens, False, settings, tasks=(task,))
        scores += evaluate(job)
    return scores


def compare(scores: Mapping[str, Sequence[Score]]) -> list[Row]:
    """A row for each task, and below it one for each sensor."""
    found = {run: {(s.task, s.by, s.group, s.metric): s for s in table} for run, table in scores.items()}
    rows: list[Row] = []
    for task, by, group, metric in sorted(found["model"], key=lambda key: (key[0], key[1] != "all", key[2])):
        has = {measure for one, all_of, _, measure in found["model"] if (one, all_of) == (task, "all")}
        if by in ("all", "sensor") and metric == next((name for name in MEASURES if name in has), None):
            values = {run: _value(table.get((task, by, group, metric))) for run, table in found.items()}
            rows.append(Row(task, group, metric, found["model"][task, by, group, metric].answers, values))
    return rows


def _value(score: Score | None) -> float | None:
    return None if score is None else score.value


def table_text(rows: Sequence[Row]) -> str:
    """Columns for people; the last says where the model beats both controls."""
    lines = [["task", "sensor", "measure", *RUNS, "answers", ""]]
    for row in rows:
        numbers = ["" if row.values[run] is None else f"{row.values[run]:.3f}" for run in RUNS]
        task = row.task if row.group == "all" else ""
        lines.append([task, row.group, row.metric, *numbers, str(row.answers), "" if row.beats_controls else "not better"])
    return "\n".join(line.rstrip() for line in align_columns(lines))


def timed(name: str, step: Callable[[], Any]) -> Any:
    """What the step gives; its time printed, and that of all CPUs, which other work on the machine does not lengthen."""
    start, before = time.monotonic(), sum(os.times()[:4])
    result = step()
    print(f"{name}: {time.monotonic() - start:.0f} s, {sum(os.times()[:4]) - before:.0f} s of CPU", flush=True)
    return result
