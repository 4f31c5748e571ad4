"""From nothing to a table in one command: write the demo's places, build, train, evaluate, compare with what never looks.

    python pipelines/train_demo.py FOLDER [--places 8] [--size-px 2048] [key=value ...]

On two CPUs it takes under a quarter of an hour. `key=value` changes the training (docs/training.md): max_steps=600.
FOLDER/table.txt is the table, FOLDER/model/model the model, for `rsflow evaluate`. Run again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rsflow.config.yaml_file import parse_overrides
from rsflow.demo.places import FIRST_SEED, write_demo_places
from rsflow.demo.proof import TASKS, table_text, timed, train_and_compare
from rsflow.errors import RsflowError
from rsflow.phases.build import run
from rsflow.planning.recipe import load


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the demo's places, train a small model on them, and compare.")
    parser.add_argument("folder")
    parser.add_argument("--places", type=int, default=8, help="invented places, of which the last quarter is test (default 8)")
    parser.add_argument("--size-px", type=int, default=2048, help="side of their optical scenes")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="of the places; others are other ground")
    parser.add_argument("--seed", type=int, default=0, help="of the model's first weights and the order of samples")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    given = parser.parse_intermixed_args()
    changes = parse_overrides(given.overrides)
    scenes = str(Path(given.folder, "scenes"))
    seeds = range(given.first_seed, given.first_seed + given.places)
    config = timed("scenes", lambda: write_demo_places(scenes, seeds, given.size_px))
    build = load(config, ["engine.kind=inline", f"instructions.tasks=[{', '.join(TASKS)}]"])
    timed("build", lambda: run(build))
    rows = timed("training", lambda: train_and_compare(build.root, given.folder, changes, given.seed))
    print(table_text(rows))


if __name__ == "__main__":
    try:
        main()
    except RsflowError as error:
        sys.exit(f"error: {error}")
