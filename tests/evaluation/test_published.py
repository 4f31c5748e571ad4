"""The papers' figures beside ours, captions against all references of their picture, and the configurations of benchmarks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rsflow.evaluation.aggregate import Score, score_table
from rsflow.evaluation.published import PUBLISHED, published_text
from rsflow.evaluation.questions import Question
from rsflow.evaluation.report import examples, shared_words
from rsflow.evaluation.scores.scoring import Scored
from rsflow.planning.recipe import label_recipe, load

CONFIGS = sorted((Path(__file__).parents[2] / "configs" / "benchmarks").glob("*.yaml"))


def test_a_figure_stands_beside_ours_or_is_not_run() -> None:
    assert published_text([Score("vqa", "source", "harbours", "accuracy", 0.5, None, None, 9, 0)]) == ""
    lines = published_text([Score("vqa", "source", "rsvqa_hr", "accuracy", 0.5, None, None, 9, 0)]).splitlines()
    (row,) = (line.split() for line in lines if "rsvqa_hr" in line)
    assert row[-2:] == ["0.7205", "0.5000"]
    assert sum(line.endswith("not run") for line in lines) == len(PUBLISHED) - 1


def caption(key: str, number: int, reference: str, said: str) -> Scored:
    question = Question(
        f"{key}#{number}", key, "captioning", "text", "optical", "ucm_captions", key, (), "Describe it.", reference, (),
        {"kind": "text"}, 8, 8,
    )  # fmt: skip
    return Scored(question, said, True, {}, said, reference)


def test_a_caption_is_scored_against_all_captions_of_its_picture() -> None:
    pytest.importorskip("pycocoevalcap")
    texts = ["four white planes stand on the grey apron", "several planes are parked beside the terminal building"]
    rows = [caption("a", n, text, texts[0]) for n, text in enumerate(texts)]
    rows.append(caption("b", 0, "a river runs through the green forest today", "a river runs through the green forest today"))

    def bleu(found: list[Scored]) -> float:
        return next(one.value for one in score_table(found) if (one.by, one.metric) == ("all", "bleu_4"))

    assert bleu(rows) == pytest.approx(1.0)
    described = [replace(row, question=replace(row.question, task="description")) for row in rows]
    assert bleu(described) < 0.9


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_benchmark_loads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RSFLOW_ROOT", raising=False)
    built = load(str(path))
    (source,) = built.sources
    assert source.name == path.stem
    assert label_recipe(built, source).fingerprint
    assert Path(built.root) == path.parents[2] / "runs" / "benchmarks" / path.stem
    assert {split: share for split, share in built.select.splits.items() if share} == {"test": 1.0}


def test_the_page_ranks_texts_by_the_words_they_share() -> None:
    right = caption("a", 0, "two ships at a quay", "two ships at a quay")
    near, wrong = caption("b", 0, "two ships at a quay", "two ships at sea"), caption("c", 0, "two ships", "a forest")
    found = examples([right, near, wrong])["captioning"]
    assert found == {"worst": [wrong, near], "best": [right]}
    assert shared_words("", "a") == 0.0 == shared_words("", "")
