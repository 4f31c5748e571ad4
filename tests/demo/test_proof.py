"""The demo's proof: its controls, its table, and that places side by side build as one lake."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from rsflow.demo import write_demo_scenes
from rsflow.demo.control_answers import majority_answers
from rsflow.demo.places import write_demo_places
from rsflow.demo.proof import TASKS, compare, table_text, train_and_compare
from rsflow.dialects import get_dialect
from rsflow.errors import UsageError
from rsflow.evaluation import Score, read_questions
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader


def score(task: str, by: str, group: str, value: float) -> Score:
    return Score(task, by, group, "accuracy", value, None, None, 10, 0)


def test_a_row_says_whether_the_model_beats_both_controls() -> None:
    rows = compare(
        {
            "model": [score("vqa", "all", "all", 0.6), score("vqa", "sensor", "sar", 0.5)],
            "blind": [score("vqa", "all", "all", 0.5), score("vqa", "sensor", "sar", 0.5)],
            "majority": [score("vqa", "all", "all", 0.4), score("vqa", "sensor", "sar", 0.4)],
        }
    )
    assert [(row.group, row.beats_controls) for row in rows] == [("all", True), ("sar", False)]
    lines = table_text(rows).splitlines()
    assert lines[1].split() == ["vqa", "all", "accuracy", "0.600", "0.500", "0.400", "10"]
    assert lines[2].endswith("not better")


def test_a_place_is_in_one_split_whole(tmp_path: Path) -> None:
    written = write_demo_scenes(tmp_path / "place-1", seed=1, size_px=512)
    for seed in range(2, 9):  # a place whose configuration is there is taken as it is
        (tmp_path / f"place-{seed}").mkdir()
        shutil.copy(written.config, tmp_path / f"place-{seed}")
    sources = yaml.safe_load(Path(write_demo_places(str(tmp_path), range(1, 9))).read_text())["sources"]
    splits = {source["name"]: list(source["annotations"]["splits"]) for source in sources}
    assert len(splits) == 8 * 3
    for sensor in ("optical", "sar", "infrared"):
        of_places = [splits[f"place-{seed}-{sensor}"] for seed in range(1, 9)]
        assert of_places == [["train"]] * 5 + [["val"]] + [["test"]] * 2
    with pytest.raises(UsageError, match="found 2 places, expected at least 3"):
        write_demo_places(str(tmp_path), [1, 2])


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--places", "2"], "error: found 2 places, expected at least 3"), (["steps"], "error: .*steps")]
)
def test_the_command_says_in_one_line_what_it_cannot_do(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["train_demo.py", str(tmp_path), *arguments])
    with pytest.raises(SystemExit, match=message):
        runpy.run_path(str(Path(__file__).parents[2] / "pipelines" / "train_demo.py"), run_name="__main__")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_places_are_built_trained_on_and_compared(tmp_path: Path) -> None:
    config = write_demo_places(str(tmp_path / "scenes"), [7, 8, 9], size_px=512)
    build = load(config, ["engine.kind=inline"])
    run(build)
    splits = read_snapshot(build.root).splits
    places = {
        name: {sample.record["source"].rsplit("-", 1)[0] for shard in split.shards for sample in ShardReader(build.root, shard)}
        for name, split in splits.items()
    }
    assert places == {"train": {"place-7"}, "val": {"place-8"}, "test": {"place-9"}}
    rows = train_and_compare(build.root, str(tmp_path), {"max_steps": 2}, split="test")
    assert {row.task for row in rows} == set(splits["test"].counts) & set(TASKS)
    assert len(json.loads((tmp_path / "table.json").read_text())) == len(rows)
    answers = {answer.question_id: answer.text for _, answer in majority_answers(build.root, "mmrs", "test")}
    questions = [question for question, _ in read_questions(build.root, "test", get_dialect("mmrs"))]
    assert set(answers) == {question.question_id for question in questions}
    yes_no = {answers[one.question_id] for one in questions if one.kind == "yes_no" and one.task == "vqa"}
    assert yes_no <= {"yes", "no", "Yes.", "No.", None}
