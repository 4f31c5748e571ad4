"""Each configuration of configs/benchmarks builds from a set in its archive's layout, and its questions are scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.dialects import get_dialect, spell_text
from rsflow.evaluation import read_questions
from rsflow.evaluation.run import EvaluationJob, evaluate
from rsflow.phases.build import run
from rsflow.planning.recipe import load

pytest.importorskip("pycocoevalcap", reason="needs the extra rsflow[evaluate]")

CONFIGS = Path(__file__).parents[2] / "configs" / "benchmarks"
SIDE = 128
CAPTIONS = ["Four white planes stand on the apron .", "Several planes are parked near a hall ."]


def write_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(path)


def write_captions(folder: Path, pictures: str, file: str, suffix: str) -> int:
    """The captions' questions of the test split."""
    images = []
    for number, split in enumerate(("train", "test", "val", "test")):
        name = f"airport_{number}.{suffix}"
        write_picture(folder / pictures / name, number)
        images.append({"filename": name, "split": split, "sentences": [{"raw": text} for text in CAPTIONS]})
    (folder / file).write_text(json.dumps({"images": images, "dataset": "x"}))
    return 2 * len(CAPTIONS)


def write_rsvqa(folder: Path, pictures: str, prefix: str) -> int:
    parts: dict[str, list[dict[str, Any]]] = {"images": [], "questions": [], "answers": []}
    for number in range(2):
        write_picture(folder / pictures / f"{number}.tif", number)
        parts["images"].append({"id": number, "active": True, "questions_ids": [2 * number, 2 * number + 1]})
        for question, kind, answer in (("Is a road present?", "presence", "yes"), ("How many roads are there?", "count", "3")):
            row = {"id": len(parts["questions"]), "active": True}
            parts["questions"].append({**row, "img_id": number, "type": kind, "question": question, "answers_ids": [row["id"]]})
            parts["answers"].append({**row, "question_id": row["id"], "answer": answer})
    for part, rows in parts.items():
        (folder / f"{prefix}_split_test_{part}.json").write_text(json.dumps({part: rows}))
        (folder / f"{prefix}_split_train_{part}.json").write_text(json.dumps({part: []}))
        if prefix == "USGS":  # the second test split is another benchmark: its questions must not come in
            others = [{**row, "question": "Is a pier present?"} if part == "questions" else row for row in rows]
            (folder / f"USGS_split_test_phili_{part}.json").write_text(json.dumps({part: others}))
    return 4


def write_dior_rsvg(folder: Path) -> int:
    (folder / "Annotations").mkdir(parents=True)
    size = f"<size><width>{SIDE}</width><height>{SIDE}</height></size>"
    box = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>70</xmax><ymax>90</ymax></bndbox>"
    for number, split in enumerate(("train", "test", "val")):
        (folder / f"{split}.txt").write_text(f"{number}\n")
        write_picture(folder / "JPEGImages" / f"{number:05}.jpg", number)
        thing = f"<object><name>ship</name>{box}<description>The ship on the left</description></object>"
        text = f"<annotation><filename>{number:05}.jpg</filename>{size}{thing}</annotation>"
        (folder / "Annotations" / f"{number:05}.xml").write_text(text)
    return 1


WRITERS: dict[str, Callable[[Path], int]] = {
    "dior_rsvg": write_dior_rsvg,
    "rsicd": lambda folder: write_captions(folder, "RSICD_images", "dataset_rsicd.json", "jpg"),
    "rsvqa_hr": lambda folder: write_rsvqa(folder, "Data", "USGS"),
    "rsvqa_lr": lambda folder: write_rsvqa(folder, "Images_LR", "LR"),
    "ucm_captions": lambda folder: write_captions(folder, "imgs", "dataset.json", "tif"),
}


def test_every_configuration_has_a_set() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == WRITERS.keys()


@pytest.mark.parametrize("name", WRITERS)
def test_a_benchmark_builds_and_right_answers_score_full(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_SOURCES", str(tmp_path / "sources"))
    monkeypatch.setenv("RSFLOW_ROOT", str(tmp_path / "lake"))
    count = WRITERS[name](tmp_path / "sources" / name)
    built = load(str(CONFIGS / f"{name}.yaml"), ["engine.kind=inline"])
    run(built)
    dialect = get_dialect("qwen")
    questions = [question for question, _ in read_questions(built.root, "test", dialect)]
    assert len(questions) == count
    lines = [
        {"id": one.question_id, "text": spell_text(dialect, one.reference, one.boxes, one.answer, one.height_px, one.width_px)}
        for one in questions
    ]
    (tmp_path / "right.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    scores = evaluate(EvaluationJob(str(tmp_path / "right.jsonl"), built.root, "test", "qwen", str(tmp_path / "out")))
    found = {(one.by, one.group, one.metric): one.value for one in scores}
    metric = {"dior_rsvg": "acc@0.5", "rsvqa_hr": "accuracy", "rsvqa_lr": "accuracy"}.get(name, "rouge_l")
    assert found["source", name, metric] == pytest.approx(1.0)
    if metric == "accuracy":
        assert {group for by, group, _ in found if by == "kind"} == {"count", "presence"}
        assert found["source", name, "average_ranged_accuracy"] == pytest.approx(1.0)
