"""Texts without claims, read by a judge model: its claims are compared, its word alone is not enough beside the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsflow.config.generation_settings import Reader
from rsflow.config.validation import check
from rsflow.errors import ConfigError
from tests.generation.chat_server import Reply, refused, said, serving
from tests.stages.generate.test_generate_tiles import TWO_SHIPS, run, stage, texts, unit, usage

EMPTY: dict[str, Any] = {
    "category": "", "objects": [], "others": [], "other_category": "", "value": None, "unit": "", "tolerance": 0, "word": "",
    "at_least": False, "scope": "tile",
}  # fmt: skip
WRITTEN = "Everything keeps quiet company today. The surface glitters."


def read(*sentences: tuple[str, list[dict[str, Any]]]) -> Reply:
    listed = [
        {"number": number, "verdict": verdict, "claims": [{**EMPTY, **claim} for claim in claims]}
        for number, (verdict, claims) in enumerate(sentences, 1)
    ]
    return said({"sentences": listed})


def judged(
    tmp_path: Path, mode: str, judgement: Reply, text: str = WRITTEN
) -> tuple[list[Any], dict[str, float], list[str], list[Any]]:
    """(texts, usage, reasons of rejects, requests to the judge)"""
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})

    def answer(body: dict[str, Any], number: int) -> Reply:
        return judgement if body["model"] == "judge" else said({"description": text})

    with serving(answer) as chat:
        limits = {"attempts": 1}
        engine = {"name": "openai", "model": "judge", "address": chat.address, "key": None, "limits": limits}
        made = stage(tmp_path, chat, kinds=["description"], reader={"name": mode, "engine": engine})
        (receipt,) = run(made, work).values()
    asked = [body for body in chat.bodies if body["model"] == "judge"]
    return texts(receipt, "description"), usage(receipt), [row["reason"] for row in receipt["rejects"]], asked


SHIPS = {"kind": "count", "category": "ship", "value": 2}
NINE = {"kind": "count", "category": "ship", "value": 9}
CARS = {"kind": "count", "category": "car", "value": 2}


@pytest.mark.parametrize("mode", ["judge", "both"])
def test_claims_that_a_judge_reads_are_compared_by_number(tmp_path: Path, mode: str) -> None:
    kept, used, rejects, asked = judged(tmp_path / "right", mode, read(("contradicted", [SHIPS]), ("unknown", [])))
    assert (len(kept), rejects) == (1, [])  # the claim holds, whatever the verdict
    assert (used["free_sentences"], used["unread_sentences"]) == (2, 1)
    assert "1. Everything keeps" in asked[0]["messages"][-1]["content"][-1]["text"]
    kept, _, rejects, _ = judged(tmp_path / "wrong", mode, read(("supported", [NINE]), ("unknown", [])))
    assert (kept, rejects) == ([], ["check:judge"])
    kept, used, rejects, _ = judged(tmp_path / "open", mode, read(("unknown", [CARS]), ("unknown", [])))
    assert (len(kept), used["unread_sentences"]) == (1, 2)  # what the labels do not know is not right


def test_a_bare_verdict_counts_alone_and_not_against_the_rules(tmp_path: Path) -> None:
    bare = read(("contradicted", []), ("supported", []))
    kept, _, rejects, _ = judged(tmp_path / "judge", "judge", bare)
    assert (kept, rejects) == ([], ["check:judge"])
    kept, used, rejects, _ = judged(tmp_path / "both", "both", bare)
    assert (len(kept), rejects, used["unread_sentences"]) == (1, [], 2)
    false = "There are nine ships in the image."
    kept, _, rejects, _ = judged(tmp_path / "agreed", "both", read(("contradicted", [])), false)
    assert kept == []
    assert set(rejects) == {"check:counts", "check:judge"}


@pytest.mark.parametrize(
    "judgement", [refused(400), said("no JSON"), read(), read(("unknown", []), ("unknown", []), ("supported", []))]
)
def test_what_a_judge_does_not_answer_is_unread(tmp_path: Path, judgement: Reply) -> None:
    kept, used, rejects, _ = judged(tmp_path, "judge", judgement)
    assert (len(kept), rejects) == (1, [])
    assert (used["free_sentences"], used["unread_sentences"]) == (2, 2)


def test_texts_with_claims_need_no_judge(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    sentence = {"text": "There are two ships in the image.", "claims": [{**EMPTY, **SHIPS}]}
    with serving(lambda *_: said({"sentences": [sentence]})) as chat:
        engine = {"name": "openai", "model": "judge", "address": chat.address, "key": None}
        made = stage(tmp_path, chat, kinds=["description"], reader={"name": "judge", "engine": engine})
        run(made, work)
    assert [body["model"] for body in chat.bodies] == ["writer"]
    assert made.judge is not None


def test_a_reader_has_an_engine_where_it_is_a_model() -> None:
    for wrong in ({"name": "judge"}, {"name": "rules", "engine": {"name": "openai"}}):
        with pytest.raises(ConfigError, match="engine"):
            check(Reader, wrong, "reader")
