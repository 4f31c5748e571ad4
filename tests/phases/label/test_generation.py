"""Builds in which a model writes, through a chat endpoint on this machine: what was paid for is never asked again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsflow.cli import main
from rsflow.config.settings import BuildConfig
from rsflow.errors import RejectLimitError
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from tests.archive import shards_of
from tests.generation.chat_server import Chat, Reply, refused, said, serving
from tests.stages.generate.test_generate_tiles import form_of

IN_FLIGHT = 3


def calm(body: dict[str, Any], number: int = 0) -> Reply:
    """What a model would write that says nothing of numbers."""
    kind, text = form_of(body), body["messages"][-1]["content"][-1]["text"]
    if kind == "local":
        objects = re.findall(r"^(\d+)\. (\w+)", text.split("The objects to describe")[1], re.MULTILINE)
        return said({"objects": [{"number": int(n), "text": f"A bright {noun}."} for n, noun in objects]})
    if kind == "description":
        return said({"description": "The surface looks even, with a fine grain all over."})
    pairs = [
        ("What does the surface look like?", "The surface looks even."),
        ("Is it rough?", "It looks smooth rather than rough."),
    ]
    extra = {"kind": "why"} if kind == "reasoning" else {}
    return said({"pairs": [{"question": question, "answer": answer, **extra} for question, answer in pairs]})


def written(folder: Path, chat: Chat, *overrides: str, **budget: float) -> BuildConfig:
    """The archive's configuration with a model that writes."""
    settings = yaml.safe_load((folder / "build.yaml").read_text())
    limits = {"attempts": 2, "first_wait_seconds": 0.01, "timeout_seconds": 10.0, "concurrency": IN_FLIGHT}
    settings["generation"] = {
        "engine": {
            "name": "openai",
            "model": "writer",
            "revision": "r1",
            "address": chat.address,
            "key": None,
            "limits": limits,
        }
    }
    settings["budget"] = budget
    (folder / "written.yaml").write_text(yaml.safe_dump(settings))
    return load(str(folder / "written.yaml"), overrides)


def test_a_model_writes_beside_the_rules_and_is_asked_once(archive: Path) -> None:
    with serving(calm) as chat:
        first = run(written(archive, chat))
        rows = [row for row in first.now.instructions().to_pylist() if row["generator"].startswith("model:writer@r1/")]
        assert {row["task"] for row in rows} == {"region_captioning", "description", "conversation", "reasoning"}
        compared = [row for row in rows if "/comparison:" in row["generator"]]  # the archive's two sensors see the same ground
        assert {row["tile_id"].partition(".")[0] for row in compared} == {"land", "sea"}
        assert all(balance.is_balanced for balance in first.balances)
        (used,) = first.used
        assert used.name == "openai writer"
        assert used.amounts["requests"] == len(chat.bodies) > 0
        asked = len(chat.bodies)
        assert run(written(archive, chat)).used == []
        shutil.copytree(archive / "lake/responses", archive / "other/responses")
        again = run(written(archive, chat, f"root={archive}/other"))
        assert again.used[0].amounts["replayed"] == asked
        assert shards_of(archive / "other") == shards_of(archive / "lake")
        assert len(chat.bodies) == asked


def test_a_token_budget_stops_cleanly_and_the_next_run_goes_on(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(calm) as chat:
        written(archive, chat, tokens=1500)
        assert main(["build", str(archive / "written.yaml")]) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith("rsflow: budget.tokens=1500 is spent")
        assert "goes on from there" in said
        spent = [len(chat.bodies)]
        while main(["build", str(archive / "written.yaml")]) == 1:
            spent.append(len(chat.bodies) - sum(spent))
        assert all(number * 110 <= 1500 + IN_FLIGHT * 110 for number in spent)
        assert len(spent) > 1
        texts = [str(body["messages"]) for body in chat.bodies]
        assert len(texts) == len(set(texts))


def test_what_failed_is_asked_again_when_rejects_are_retried(archive: Path) -> None:
    well = False

    def sulky(body: dict[str, Any], number: int) -> Reply:
        return calm(body) if well or len(body["messages"][-1]["content"][-1]["text"]) % 5 else refused(500, "not now")

    with serving(sulky) as chat:
        with pytest.raises(
            RejectLimitError, match=r"texts failed, more than generation\.max_failed_share=0\.1 allows.*\n.*server_"
        ):
            run(written(archive, chat, "generation.max_failed_share=0.1"))
        first = run(written(archive, chat, "generation.max_failed_share=1.0", f"root={archive}/lenient"))
        assert first.used[0].amounts["failures"] > 0
        assert run(written(archive, chat, "generation.max_failed_share=1.0")).used == []
        asked, well = len(chat.bodies), True
        again = run(written(archive, chat), retry_rejects=True)
        assert len(chat.bodies) > asked
        assert again.used[0].amounts["failures"] == 0
        run(written(archive, chat, f"root={archive}/whole"))
    whole, kept = shards_of(archive / "whole"), shards_of(archive / "lake")  # which also has those of the first snapshot
    assert {name: kept.get(name) for name in whole} == whole


def test_a_refused_key_ends_the_run_and_nothing_is_lost(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(lambda body, number: refused(401, "bad key")) as chat:
        written(archive, chat)
        assert main(["build", str(archive / "written.yaml")]) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert "401" in said
        assert "Traceback" not in said
    with serving(calm) as chat:
        assert run(written(archive, chat)).planned.units == 0


@pytest.mark.ray
def test_ray_writes_the_same(archive: Path, ray_session: None) -> None:
    with serving(calm) as chat:
        run(written(archive, chat))
        run(written(archive, chat, f"root={archive}/rayed", "engine.kind=ray"))
    assert shards_of(archive / "rayed") == shards_of(archive / "lake")
