"""Paid is told, to the cent: a server that counts what it charges, against the lake's own account, however a run ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rsflow.generation.contract import FREE, Cost, Failure
from rsflow.generation.spending.costs import CostLine, list_costs
from rsflow.report.text.costs_text import costs_text
from tests.generation.asking_process import PRICES, endpoint, questions, recorded
from tests.generation.chat_server import Reply, refused, said, serving

CONCURRENCY = 32
REQUESTS = 300


@dataclass
class Till:
    """What the server charges: every answer that it sends, right or useless. `faulty`: of so many requests one goes wrong."""

    wait: float = 0.02
    faulty: int = 0
    paid: Cost = FREE
    asked: Counter[str] = field(default_factory=Counter)
    lock: Any = field(default_factory=threading.Lock)

    def answer(self, body: dict[str, Any], number: int) -> Reply:
        text = body["messages"][-1]["content"][-1]["text"]
        tokens = (100 + len(text) % 7 + number % 13, 1 + number % 61)
        if self.faulty and number % self.faulty == 0:
            if number // self.faulty % 2:
                return refused(500, "no")  # which costs nothing
            reply = said("", tokens=tokens)  # an empty answer, which costs
        else:
            reply = said(f"answer to {text}", tokens=tokens)
        with self.lock:
            self.asked[text] += 1
            money = (tokens[0] * PRICES["per_million_in"] + tokens[1] * PRICES["per_million_out"]) / 1e6
            self.paid += Cost(*tokens, money)
        return Reply(reply.body, wait=self.wait)


def total(lines: list[CostLine]) -> Cost:
    return sum((line.cost for line in lines), Cost())


def unanswered(lines: list[CostLine]) -> tuple[int, float]:
    return sum(line.unanswered for line in lines), sum(line.unanswered_money for line in lines)


def assert_told(root: Path, till: Till) -> None:
    """All that was paid is told to the cent, and nothing is left open."""
    lines = list_costs(str(root))
    told = total(lines)
    assert (told.tokens_in, told.tokens_out) == (till.paid.tokens_in, till.paid.tokens_out)
    assert told.money == pytest.approx(till.paid.money, abs=1e-9)
    assert unanswered(lines) == (0, 0.0)


@contextmanager
def asking(settings: dict[str, Any], root: Path, **limits: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.generation.asking_process", json.dumps(settings), str(root)]
    arguments = [*command, str(REQUESTS), json.dumps(limits)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(till: Till, requests: int) -> None:
    end = time.monotonic() + 30
    while till.asked.total() < requests:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_paid_is_told_by_source_kind_and_model(tmp_path: Path) -> None:
    till = Till(wait=0.0, faulty=10)
    with serving(till.answer) as chat:
        outcomes = [outcome for _, outcome in recorded(endpoint(chat.address, CONCURRENCY), str(tmp_path))(questions(REQUESTS))]
    answered = sum(not isinstance(outcome, Failure) for outcome in outcomes)  # few fail in all three attempts
    assert answered > REQUESTS - 10
    assert_told(tmp_path, till)
    lines = list_costs(str(tmp_path))
    assert {(line.source, line.kind, line.model) for line in lines} == {
        (f"s{i}", kind, "writer") for i in range(3) for kind in ("description", "reasoning")
    }
    assert sum(line.answers for line in lines) == answered
    assert sum(line.failed for line in lines) == sum(n % 20 == 0 for n in range(len(chat.bodies)))  # empty answers, which cost
    assert f"{total(lines).money:.6f}" in costs_text(str(tmp_path), lines).splitlines()[-1]


def test_replays_are_free(tmp_path: Path) -> None:
    till = Till(wait=0.0)
    with serving(till.answer) as chat:
        list(recorded(endpoint(chat.address, CONCURRENCY), str(tmp_path))(questions(50)))
        again = [outcome for _, outcome in recorded(endpoint(chat.address, CONCURRENCY), str(tmp_path))(questions(50))]
    assert len(chat.bodies) == 50
    assert all(outcome.replayed and outcome.cost == Cost() for outcome in again)
    assert_told(tmp_path, till)


def test_a_killed_run_pays_no_answer_twice(tmp_path: Path) -> None:
    till = Till()
    with serving(till.answer) as chat:
        for stop_at in (60, 180):
            with asking(endpoint(chat.address, CONCURRENCY), tmp_path) as process:
                wait_for(till, stop_at)
                process.send_signal(signal.SIGKILL)
                process.wait()
        time.sleep(0.2)  # until the server has noticed
        lines = list_costs(str(tmp_path))
        open_requests, at_most = unanswered(lines)
        assert 0 < open_requests <= 2 * CONCURRENCY
        assert total(lines).money <= till.paid.money <= total(lines).money + at_most
        with asking(endpoint(chat.address, CONCURRENCY), tmp_path) as process:
            assert process.wait(60) == 0
    assert till.asked.total() - REQUESTS <= open_requests  # asked twice at most what was in flight
    lines = list_costs(str(tmp_path))
    assert sum(line.answers for line in lines) == REQUESTS
    assert unanswered(lines)[0] == open_requests
    assert total(lines).money <= till.paid.money <= total(lines).money + at_most


def test_an_interrupted_run_waits_for_what_is_in_flight(tmp_path: Path) -> None:
    till = Till(wait=0.3)
    with serving(till.answer) as chat:
        with asking(endpoint(chat.address, CONCURRENCY), tmp_path) as process:
            wait_for(till, 40)
            process.send_signal(signal.SIGINT)
            process.wait(10)
            assert process.returncode != 0
        asked = till.asked.total()
        assert asked <= 40 + CONCURRENCY
        assert_told(tmp_path, till)
        till.wait = 0.0
        with asking(endpoint(chat.address, CONCURRENCY), tmp_path) as process:
            assert process.wait(60) == 0
    assert set(till.asked.values()) == {1}
    assert_told(tmp_path, till)


@pytest.mark.parametrize("name", ["requests", "tokens", "money"])
def test_a_budget_is_passed_by_no_more_than_what_is_in_flight(tmp_path: Path, name: str) -> None:
    limit = {"requests": 70, "tokens": 9000, "money": 0.04}[name]
    till = Till()
    with serving(till.answer) as chat:
        with asking(endpoint(chat.address, CONCURRENCY), tmp_path, **{name: limit}) as process:
            assert process.wait(60) == 0
        assert_told(tmp_path, till)
        spent = {"requests": till.asked.total(), "tokens": till.paid.tokens_in + till.paid.tokens_out, "money": till.paid.money}
        most = {"requests": 0, "tokens": CONCURRENCY * 180, "money": CONCURRENCY * 0.001}[name]
        assert limit <= spent[name] <= limit + most
        assert till.asked.total() < REQUESTS
        with asking(endpoint(chat.address, CONCURRENCY), tmp_path) as process:
            assert process.wait(60) == 0
    assert set(till.asked.values()) == {1}
    assert_told(tmp_path, till)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(said("late").body, wait=5.0), "timeout"),
        (Reply(said("cut").body, cut=20), "connection_failed"),
        (Reply(b"<html>a gateway's page</html>"), "malformed_answer"),
    ],
)
def test_what_may_have_been_charged_is_open_and_counts_against_the_budget(tmp_path: Path, reply: Reply, reason: str) -> None:
    with serving(lambda body, number: reply) as chat:
        asker = recorded(endpoint(chat.address, 2, 0.2), str(tmp_path))
        outcomes = [outcome for _, outcome in asker(questions(2))]
    assert [outcome.reason for outcome in outcomes] == [reason, reason]  # type: ignore[union-attr]
    count, at_most = unanswered(list_costs(str(tmp_path)))
    assert count == 6  # two requests, three attempts each
    assert asker.allowance.cost.money == pytest.approx(at_most)  # type: ignore[attr-defined]
    assert at_most > 0


def test_what_the_model_refuses_is_paid_once(tmp_path: Path) -> None:
    with serving(lambda body, number: said(None, tokens=(50, 5), refusal="I cannot")) as chat:
        for _ in range(2):
            ((_, outcome),) = recorded(endpoint(chat.address, 1), str(tmp_path))(questions(1))
            assert outcome.reason == "refused"  # type: ignore[union-attr]
        assert len(chat.bodies) == 1
    (line,) = list_costs(str(tmp_path))
    assert (line.failed, line.cost.tokens_in, line.cost.tokens_out) == (1, 50, 5)


def test_an_error_in_whoever_reads_loses_no_answer(tmp_path: Path) -> None:
    till = Till(wait=0.1)
    with serving(till.answer) as chat:
        outcomes = recorded(endpoint(chat.address, 8), str(tmp_path))(questions(40))
        next(outcomes)
        with pytest.raises(ZeroDivisionError):
            outcomes.throw(ZeroDivisionError)  # type: ignore[attr-defined]
        assert_told(tmp_path, till)
        assert sum(line.answers for line in list_costs(str(tmp_path))) == len(chat.bodies) < 40


def test_a_fatal_error_loses_no_answer(tmp_path: Path) -> None:
    till = Till(wait=0.2)
    with serving(lambda body, number: refused(402) if number == 20 else till.answer(body, number)) as chat:
        with pytest.raises(Exception, match="no credit"):
            list(recorded(endpoint(chat.address, 16), str(tmp_path))(questions(100)))
        assert_told(tmp_path, till)
        assert len(chat.bodies) < 60
