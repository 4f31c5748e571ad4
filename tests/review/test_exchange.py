"""`rsflow review`: draws, reports, and decisions to and from files, on a real lake."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rsflow.cli import main
from rsflow.lake.tables import open_lake
from rsflow.review.decisions import make_decision
from rsflow.review.store import add_decisions, read_decisions, read_sample
from tests.review.conftest import INLINE, Rebuild


def drawn(root: Path) -> list[dict[str, Any]]:
    found = read_sample(open_lake(str(root)))
    assert found is not None
    return list(found["items"])


def test_a_draw_is_of_what_is_selected_and_the_same_again(demo: Path) -> None:
    assert main(["review", str(demo), "--sample", "24", "--per", "task"]) == 0
    first = drawn(demo)
    assert len(first) == 24
    counts = Counter(item["task"] for item in first)
    assert len(counts) > 4
    assert max(counts.values()) - min(counts.values()) <= 1
    selected = open_lake(str(demo)).read("selection", ["subject"], {"selected": True})["subject"].to_pylist()
    assert {item["target"] for item in first} <= set(selected)
    assert main(["review", str(demo), "--sample", "24", "--per", "task"]) == 0
    assert drawn(demo) == first
    assert main(["review", str(demo), "--sample", "10", "--per", "labeller"]) == 0
    assert {item["kind"] for item in drawn(demo)} == {"label"}
    assert len({item["labeller"] for item in drawn(demo)}) > 1


def test_the_report_and_the_card_state_rates_and_agreement(
    demo: Path, rebuild: Rebuild, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["review", str(demo), "--sample", "20", "--per", "task"]) == 0
    lake = open_lake(str(demo))
    rows = {row["instruction_id"]: row for row in lake.read("instructions").to_pylist()}
    decisions = []
    for number, item in enumerate(drawn(demo)):
        row, tile = rows[item["target"]], item["tile_id"]
        wrong = number % 4 == 0
        decisions.append(
            make_decision("instruction", "reject" if wrong else "accept", tile, "ada", row, reason="wrong" if wrong else "")
        )
        if number < 10:
            decisions.append(make_decision("instruction", "accept", tile, "grace", row))
    add_decisions(lake, decisions)
    capsys.readouterr()
    assert main(["review", str(demo), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["drawn"], found["open"]) == (20, 0)
    assert sum(rate["decided"] for rate in found["rates"] if rate["by"] == "task") == 20
    assert {rate["by"] for rate in found["rates"]} == {"task", "source"}
    assert all(rate["low"] <= rate["rate"] <= rate["high"] for rate in found["rates"])
    (pair, overall) = found["agreement"]
    assert (pair["items"], pair["observed"]) == (10, 0.7)
    assert overall["reviewers"] == ["ada", "grace"]
    assert main(["review", str(demo)]) == 0
    assert "Cohen's kappa" in capsys.readouterr().out
    assert main(["build", str(rebuild.config), INLINE, f"root={demo}", "shard.target_mb=0.1"]) == 0  # which writes the card
    card = (demo / "card.md").read_text()
    assert "What people found in it" in card
    assert "Cohen's kappa" in card
    assert "| task | captioning |" in card


def test_decisions_go_from_one_lake_to_another(demo: Path, tmp_path: Path, built_demo: Path) -> None:
    lake = open_lake(str(demo))
    row = next(row for row in lake.read("labels").to_pylist() if row["kind"] == "box")
    add_decisions(lake, [make_decision("label", "correct", row["tile_id"], "ada", row, {"category": "ferry"}, note="größer")])
    other = tmp_path / "other"
    Rebuild(built_demo / "demo.yaml", other)()
    for name in ("decisions.csv", "decisions.json"):
        assert main(["review", str(demo), "--export", str(tmp_path / name)]) == 0
        assert main(["review", str(other), "--import", str(tmp_path / name)]) == 0
    # Each was taken once.
    assert read_decisions(open_lake(str(other))) == read_decisions(lake)


@pytest.mark.parametrize(("name", "form"), [("tasks.json", "label-studio"), ("boxes.xml", "cvat")])
def test_what_comes_back_untouched_is_accepted(demo: Path, tmp_path: Path, name: str, form: str) -> None:
    assert main(["review", str(demo), "--sample", "6", "--per", "labeller"]) == 0
    tiles = {item["tile_id"] for item in drawn(demo)}
    place = tmp_path / name
    assert main(["review", str(demo), "--export", str(place), "--format", form]) == 0
    pictures = list((tmp_path / f"{place.stem}-pictures").glob("*.jpg"))
    assert len(pictures) == len(tiles)
    if form == "label-studio":
        tasks = json.loads(place.read_text())
        for task in tasks:
            assert any(picture.name == task["data"]["image"].rpartition("/")[2] for picture in pictures)
            task["annotations"] = [{"result": task.pop("predictions")[0]["result"], "completed_by": 1}]
        place.write_text(json.dumps(tasks))
    assert main(["review", str(demo), "--import", str(place), "--format", form, "--reviewer", "ada"]) == 0
    rows = read_decisions(open_lake(str(demo)))
    boxes = [row for row in open_lake(str(demo)).read("labels").to_pylist() if row["kind"] == "box" and row["tile_id"] in tiles]
    assert Counter(row["action"] for row in rows) == {"accept": len({(row["tile_id"], row["target"]) for row in rows})}
    assert len(rows) >= len(boxes) - 2  # labels that say the same are decided on once
    assert {row["reviewer"] for row in rows} == {"ada"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sample", "0"], "from 1"),
        (["--sample", "5", "--per", "moon"], "--per"),
        (["--sample", "5", "--export", "x.csv"], "one at a time"),
        (["--export", "x.parquet"], "--format"),
        (["--export", "x.xml"], "no sample was drawn"),
        (["--import", "nothing.csv"], "nothing.csv"),
    ],
)
def test_wrong_use_is_one_line(demo: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["review", str(demo), *words]) != 0
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
