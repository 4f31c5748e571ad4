"""`--log-format json`: every line on stderr is one JSON object, progress with its numbers; results stay as they are."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rsflow.cli import main
from rsflow.engine.json_log import JsonLog


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_build_logs_objects_and_prints_its_result(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr
    assert main(["--log-format", "json", "build", str(archive / "build.yaml"), "tiles.cell_km=1000"]) == 0
    assert sys.stderr is before
    printed = capsys.readouterr()
    assert printed.out.startswith("lake ")
    logged = events(printed.err)
    assert all({"time", "level", "message"} <= set(event) for event in logged)
    assert [event for event in logged if event["level"] == "warning" and "splits" in event["message"]]
    last = [event["progress"] for event in logged if event.get("progress", {}).get("step") == "label"][-1]
    assert last["done"] == last["total"] == 4
    assert last["counts"]["tiles"] > 0


def test_a_mistake_is_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_LOG_FORMAT", "json")
    assert main(["plan", str(tmp_path / "none.yaml")]) == 2
    (event,) = events(capsys.readouterr().err)
    assert event["level"] == "error"
    assert "none.yaml" in event["message"]
    assert main(["paln"]) == 2
    (event,) = events(capsys.readouterr().err)
    assert "Did you mean 'plan'?" in event["message"]


def test_lines_may_come_in_pieces_and_hold_anything() -> None:
    target = io.StringIO()
    log = JsonLog(target)
    print('said "é"', "rsflow: warning: b", sep="\n", end="", file=log)
    print(" and more\r", file=log)
    print("\n", file=log)
    found = [(event["level"], event["message"]) for event in events(target.getvalue())]
    assert found == [("info", 'said "é"'), ("warning", "b and more")]


@pytest.mark.parametrize(
    ("words", "meant"), [(["buidl"], "build"), (["exlpain"], "explain"), (["report", "x", "--snapshto", "1"], "--snapshot")]
)
def test_what_was_meant_is_named(words: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert meant in line
    assert "id you mean" in line or "Possible options" in line
