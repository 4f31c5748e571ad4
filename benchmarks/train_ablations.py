"""Three ablations of the demo's data, each a small model trained from the same first weights for the same steps.

    python benchmarks/train_ablations.py FOLDER [--places 5] [--steps 300]

1. All sensors against optical pictures alone: what the other sensors' samples give, and cost.
2. The snapshot as it is against sensors in equal parts.
3. Near duplicates dropped against kept. Exact ones are dropped by every build.

All are asked the same held-out questions, those of the first lake. FOLDER is that of pipelines/train_demo.py; what is there
is not made again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rsflow.demo.places import write_demo_places
from rsflow.demo.proof import TRAINING, Row, compare, evaluate_model, train_models
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from rsflow.report.build_summary import align_columns

KEEP_NEAR = ["root=lake-with-duplicates", "select.near_bits=0", "select.confirm_mae=0", "select.flips=false"]
NO_MIX: dict[str, Any] = {"data": {"mix": None}}
BY_SENSOR: dict[str, Any] = {"data": {"mix": {"by": "sensor", "weights": {"optical": 1, "sar": 1, "infrared": 1}}}}
OPTICAL: dict[str, Any] = {"data": {**TRAINING["data"], "sensors": ["optical"]}}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--places", type=int, default=5)
    parser.add_argument("--size-px", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args()
    config = write_demo_places(str(Path(given.folder, "scenes")), range(7, 7 + given.places), given.size_px)
    lakes = {}
    for name, changes in (("dropped", []), ("kept", [f"root={Path(given.folder, 'scenes').absolute()}/lake-with-duplicates"])):
        build = load(config, ["engine.kind=inline", *(KEEP_NEAR[1:] if changes else []), *changes])
        run(build)
        lakes[name] = build.root
    steps = {"max_steps": given.steps}
    folder = str(Path(given.folder, "ablations"))
    Path(folder).mkdir(parents=True, exist_ok=True)
    pairs = [
        ("all sensors", "optical alone", lakes["dropped"], {}, lakes["dropped"], OPTICAL),
        ("as it is", "sensors in equal parts", lakes["dropped"], NO_MIX, lakes["dropped"], BY_SENSOR),
        ("near duplicates dropped", "kept", lakes["dropped"], NO_MIX, lakes["kept"], NO_MIX),
    ]
    for first, second, lake, own, other_lake, others in pairs:
        names = [name.replace(" ", "-") for name in (first, second)]
        train_models(lake, folder, {names[0]: {**own, **steps}})
        train_models(other_lake, folder, {names[1]: {**others, **steps}})
        scores = [evaluate_model(str(Path(folder, name, "model")), lakes["dropped"], "test") for name in names]
        print(table(first, second, compare({"model": scores[0], "blind": scores[1], "majority": []})), flush=True)


def table(first: str, second: str, rows: list[Row]) -> str:
    lines = [["task", "sensor", "measure", first, second, "answers"]]
    for row in rows:
        values = [row.values["model"], row.values["blind"]]
        shown = ["" if value is None else f"{value:.3f}" for value in values]
        lines.append([row.task if row.group == "all" else "", row.group, row.metric, *shown, str(row.answers)])
    return "\n".join(align_columns(lines)) + "\n"


if __name__ == "__main__":
    main()
