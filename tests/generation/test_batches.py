"""A batch is sent once and paid once, whatever becomes of the process that waits for it."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from rsflow.errors import RsflowError
from rsflow.generation.batch import batch_files
from rsflow.generation.contract import Failure, Response
from rsflow.generation.spending.costs import list_costs
from tests.generation.asking_process import PRICES, questions, recorded
from tests.generation.batch_server import Vendor, vending
from tests.generation.test_money import REQUESTS, asking, total, unanswered


def settings(vendor: Vendor) -> dict[str, Any]:
    own = {"address": vendor.address, "key": None, "prices": PRICES, "poll_seconds": 0.05}
    return {"name": "openai_batch", "model": "writer", **own}


def assert_told(root: Path, vendor: Vendor) -> None:
    told, paid = total(list_costs(str(root))), vendor.paid
    assert (told.tokens_in, told.tokens_out) == (paid.tokens_in, paid.tokens_out)
    assert told.money == pytest.approx(paid.money, abs=1e-9)
    assert unanswered(list_costs(str(root))) == (0, 0.0)


def test_answers_go_to_their_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_files, "MAX_FILE_LINES", 8)
    with vending() as vendor:
        vendor.status = "completed"
        found = dict(recorded(settings(vendor), str(tmp_path))(questions(20)))
        assert [found[i].text for i in range(20)] == [f"answer to question {i}" for i in range(20)]  # type: ignore[union-attr]
        assert len(vendor.batches) == 3
        assert next(iter(recorded(settings(vendor), str(tmp_path))(questions(20))))[1].replayed
        assert len(vendor.batches) == 3
    assert_told(tmp_path, vendor)


def test_what_a_batch_leaves_out_is_a_failure(tmp_path: Path) -> None:
    with vending() as vendor:
        vendor.status, vendor.unanswered, vendor.faulty = "expired", "question 3", "question 5"
        found = dict(recorded(settings(vendor), str(tmp_path))(questions(8)))
        failures = {i: one.reason for i, one in found.items() if isinstance(one, Failure)}
        assert failures == {3: "batch_without_answer", 5: "batch_expired"}
        assert_told(tmp_path, vendor)
        vendor.status, vendor.unanswered, vendor.faulty = "completed", "never", "never"
        again = dict(recorded(settings(vendor), str(tmp_path))(questions(8)))
        assert all(isinstance(one, Response) for one in again.values())
    assert vendor.asked["question 1"] == 1
    assert vendor.asked["question 3"] == 2
    assert_told(tmp_path, vendor)


def test_a_refused_batch_is_told_and_sent_again(tmp_path: Path) -> None:
    with vending() as vendor:
        vendor.status = "failed"
        with pytest.raises(RsflowError, match=r"batch batch_0 was refused: the file is not what it should be"):
            list(recorded(settings(vendor), str(tmp_path))(questions(4)))
        assert_told(tmp_path, vendor)
        vendor.status = "completed"
        assert len(list(recorded(settings(vendor), str(tmp_path))(questions(4)))) == 4
    assert_told(tmp_path, vendor)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_ends_while_it_waits_is_resumed(tmp_path: Path, number: int) -> None:
    with vending() as vendor:
        with asking(settings(vendor), tmp_path) as process:
            while not vendor.polls:
                time.sleep(0.01)
            process.send_signal(number)
            process.wait(20)
        assert unanswered(list_costs(str(tmp_path)))[0] == REQUESTS
        vendor.status = "completed"
        with asking(settings(vendor), tmp_path) as process:
            assert process.wait(60) == 0
    assert len(vendor.batches) == 1
    assert set(vendor.asked.values()) == {1}
    assert_told(tmp_path, vendor)


def test_a_run_that_is_killed_while_it_creates_a_batch_finds_it_again(tmp_path: Path) -> None:
    with vending() as vendor:
        with asking(settings(vendor), tmp_path) as process:
            vendor.on_create = process.kill
            process.wait(20)
        vendor.on_create = lambda: None
        vendor.status = "completed"
        with asking(settings(vendor), tmp_path) as process:
            assert process.wait(60) == 0
    assert len(vendor.batches) == 1
    assert_told(tmp_path, vendor)
