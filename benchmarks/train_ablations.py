"""Three ablations of the demo's data, by small models trained from the same first weights for the same steps.

    python benchmarks/train_ablations.py FOLDER [--places 6] [--size-px 2048] [--steps 300]

A model on the snapshot as it is stands beside three others, which differ from it in one thing each:

1. optical: only optical pictures, to see what the other sensors' samples give, and cost.
2. balanced: sensors in equal parts, instead of as many samples as there are.
3. duplicates: near duplicates stay in train. Exact ones are dropped by every build.

They learn the tasks with short answers, and all are asked the same held-out questions, those of the first lake. What is in
FOLDER is not made again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rsflow.demo.places import FIRST_SEED, write_demo_places
from rsflow.demo.proof import evaluate_model, timed, train_models
from rsflow.evaluation import Score
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from rsflow.report.build_summary import align_columns

TASKS = ("vqa", "classification")
WHOLE: dict[str, Any] = {"tasks": list(TASKS), "mix": None}
SENSORS = {"optical": 1, "sar": 1, "infrared": 1}
RUNS: dict[str, dict[str, Any]] = {
    "whole": WHOLE,
    "optical": {**WHOLE, "sensors": ["optical"]},
    "balanced": {**WHOLE, "mix": {"by": "sensor", "weights": SENSORS}},
    "duplicates": WHOLE,
}
KEEP_NEAR = ("select.near_bits=0", "select.confirm_mae=0", "select.flips=false")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--places", type=int, default=6)
    parser.add_argument("--size-px", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + given.places)
    config = write_demo_places(str(Path(given.folder, "scenes")), seeds, given.size_px)
    root = build_lake(config, ())
    lakes = dict.fromkeys(RUNS, root) | {"duplicates": build_lake(config, (f"root={root}-with-duplicates", *KEEP_NEAR))}
    folder = Path(given.folder, "ablations")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in RUNS.items():
        settings = {name: {"max_steps": given.steps, "data": data}}
        timed(name, partial(train_models, lakes[name], str(folder), settings))
    scores = {name: evaluate_model(str(folder / name / "model"), root, "test", tasks=TASKS) for name in RUNS}
    print(table(scores), flush=True)


def build_lake(config: str, changes: Sequence[str]) -> str:
    build = load(config, ["engine.kind=inline", *changes])
    run(build)
    return build.root


def table(scores: Mapping[str, Sequence[Score]]) -> str:
    """Accuracy by task and sensor, a column for each run."""
    found = {
        name: {(one.task, one.by, one.group): one for one in rows if one.metric == "accuracy"} for name, rows in scores.items()
    }
    lines = [["task", "sensor", *found, "answers"]]
    for key, one in sorted(found["whole"].items()):
        if one.by in ("all", "sensor"):
            lines.append([one.task, one.group, *(f"{rows[key].value:.3f}" for rows in found.values()), str(one.answers)])
    return "\n".join(align_columns(lines))


if __name__ == "__main__":
    main()
