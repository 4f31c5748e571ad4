"""The account of attempts holds after a kill between two lines and after a call that was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rsflow.files.append_log import list_segments
from rsflow.files.record_store import open_records
from rsflow.generation import LocalAllowance
from rsflow.generation.contract import Cost, Request, Response
from rsflow.generation.recording import LOG
from rsflow.generation.spending.attempt_log import AttemptLog
from rsflow.generation.spending.costs import list_costs

REQUEST = Request("system", "prompt", source="s", kind="k")


def attempt_log(root: Path) -> AttemptLog:
    def answer_record(request: Request, outcome: dict[str, Any]) -> tuple[str, bytes]:
        record = {"model": "m", "request": {"source": "s", "kind": "k"}, **outcome}
        return f"responses/aa/{request.digest}.json", json.dumps(record).encode()

    records = open_records(str(root), LOG)
    return AttemptLog(str(root), records, {"engine": "e", "model": "m"}, LocalAllowance(), answer_record)


def test_an_answered_attempt_whose_record_was_left_is_no_unanswered_one(tmp_path: Path) -> None:
    log = attempt_log(tmp_path)
    log.begin(REQUEST, Cost(0, 0, 9.0))
    log.begin(REQUEST, Cost(0, 0, 7.0))
    log.answer(REQUEST, Response("text", 10, 5, 2.0))
    folder = tmp_path / LOG
    segment = folder / list_segments(str(folder))[-1]
    segment.write_bytes(segment.read_bytes()[:-1])  # killed while the removal of the attempt's record was written
    (line,) = list_costs(str(tmp_path))
    assert (line.answers, line.cost) == (1, Cost(10, 5, 2.0))
    assert (line.unanswered, line.unanswered_money) == (1, 9.0)  # of the two attempts the one without an answer


def test_what_a_stopped_call_was_charged_is_not_deducted_from_a_later_answer(tmp_path: Path) -> None:
    log = attempt_log(tmp_path)
    log.begin(REQUEST, Cost(0, 0, 9.0))
    log.fail(REQUEST, Cost(10, 0, 3.0))
    log.stop()
    assert not log.begin(REQUEST)
    log.resume()
    log.begin(REQUEST, Cost(0, 0, 9.0))
    log.answer(REQUEST, Response("text", 10, 5, 5.0))
    (line,) = list_costs(str(tmp_path))
    assert (line.answers, line.failed, line.cost) == (1, 1, Cost(20, 5, 8.0))
    assert log.allowance.cost == Cost(20, 5, 8.0)  # type: ignore[attr-defined]  # it is a LocalAllowance


def test_what_failed_attempts_of_one_call_were_charged_is_counted_once(tmp_path: Path) -> None:
    log = attempt_log(tmp_path)
    log.begin(REQUEST, Cost(0, 0, 9.0))
    log.fail(REQUEST, Cost(10, 0, 3.0))
    log.begin(REQUEST, Cost(0, 0, 9.0))
    log.answer(REQUEST, Response("text", 20, 5, 8.0))  # of both attempts
    (line,) = list_costs(str(tmp_path))
    assert (line.failed, line.cost) == (1, Cost(20, 5, 8.0))
    assert log.allowance.cost == Cost(20, 5, 8.0)  # type: ignore[attr-defined]  # it is a LocalAllowance
