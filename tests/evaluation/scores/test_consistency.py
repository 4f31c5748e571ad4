"""The same questions in other words: which wordings are known, and how alike the answers to them are; questions of a chat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsflow.cli import main
from rsflow.evaluation.rephrase import annotators_question, other_wordings
from rsflow.evaluation.run import EvaluationJob, evaluate
from rsflow.instructions.phrasings import HINT, PHRASINGS
from tests.evaluation.conftest import instruction, write_lake
from tests.generation.chat_server import said, serving

PRESENCE = f"Is there a ship in this image?{HINT}"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("How many ships are in the image?", f"How many ships are there in this image?{HINT}"),
        (PRESENCE, "Is a ship visible in the picture?"),
        (
            "What is in the region [[|0]]?",
            "Please provide a short description for this region in this remote sensing image :[[|0]]",
        ),
        ("How many ships are in the image?\nA. 2\nB. 3", "What is the number of ships in this picture?\nA. 2\nB. 3"),
    ],
)
def test_a_question_has_the_other_phrasings_of_its_kind(text: str, first: str) -> None:
    found = other_wordings(text, 3)
    assert found[0] == first
    assert len(set(found)) == len(found) == 3
    assert text not in found


def test_a_question_that_rules_did_not_write_has_none() -> None:
    assert other_wordings("Is this near the sea?", 3) == ()


@pytest.mark.parametrize("phrasing", PHRASINGS["question"])
def test_annotators_words_are_found_again_in_every_phrasing(phrasing: str) -> None:
    assert annotators_question(phrasing.format(question="Is it rural?")) == "Is it rural?"


def lake(folder: Path) -> str:
    def questions(key: str) -> list[Any]:
        ask, tell = "user", "assistant"
        count, presence = {"kind": "count", "value": 2, "category": "ship"}, {"kind": "yes_no", "value": True}
        chat = [(ask, "What is this?"), (tell, "A harbour."), (ask, "How many ships are in the image?"), (tell, "two")]
        return [
            instruction(key, "vqa", [(ask, "How many ships are in the image?"), (tell, "2")], count),
            instruction(key, "vqa", [(ask, PRESENCE), (tell, "yes")], presence),
            instruction(key, "conversation", chat, count),
        ]

    return write_lake(folder, questions)


def test_answers_that_follow_the_wording_are_not_consistent(tmp_path: Path) -> None:
    def answer(body: dict[str, Any], number: int) -> Any:
        text = str(body["messages"][-1]["content"])
        return said("two" if "number" in text else "2") if "a ship" not in text else said("yes" if PRESENCE in text else "no")

    root = lake(tmp_path)
    with serving(answer) as chat:
        settings = {"model": "m", "key": None}
        job = EvaluationJob(chat.address, root, "test", "qwen", str(tmp_path / "out"), settings=settings, wordings=3)
        scores = {(one.task, one.group, one.metric): one.value for one in evaluate(job) if one.by == "kind"}
    assert (scores["vqa", "count", "consistency"], scores["vqa", "count", "accuracy_all"]) == (1.0, 1.0)
    assert (scores["vqa", "yes_no", "consistency"], scores["vqa", "yes_no", "accuracy_all"]) == (0.0, 0.0)
    assert scores["vqa", "yes_no", "accuracy"] == 1.0
    assert scores["conversation", "count", "consistency"] == 1.0


@pytest.mark.parametrize("flags", [[], ["--no-history"]])
def test_a_chats_last_question_comes_after_its_turns_or_alone(flags: list[str], tmp_path: Path) -> None:
    root = lake(tmp_path)
    with serving(lambda body, number: said("2")) as chat:
        command = ["evaluate", chat.address, root, "model=m", "key=null", "-o", str(tmp_path / "out"), *flags]
        assert main(command) == 0
        roles = {tuple(message["role"] for message in body["messages"]) for body in chat.bodies}
    assert roles == ({("user",)} if flags else {("user",), ("user", "assistant", "user")})
    assert json.loads((tmp_path / "out/scores.json").read_text())["run"]["history"] is not bool(flags)


def test_a_file_of_predictions_has_no_other_wordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = lake(tmp_path)
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": f"{0:020x}#vqa#count", "text": "2"}))
    assert main(["evaluate", str(tmp_path / "p.jsonl"), root, "--wordings", "2", "-o", str(tmp_path / "out")]) == 2
    assert "--wordings needs a model to ask" in capsys.readouterr().err
