"""Attempts: a unit that kills its worker is counted, one that ends is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rsflow.errors import DataError, UnavailableError
from rsflow.lake import attempts
from rsflow.lake.attempts import attempt
from rsflow.lake.crash_reporter import last_words

DIES = """
import os, sys
from rsflow.lake.attempts import attempt
with attempt(sys.argv[1], "run", sys.argv[3], 2):
    os.kill(os.getpid(), int(sys.argv[2]))
"""


def die(root: Path | str, number: signal.Signals, unit: str = "unit") -> None:
    command = [sys.executable, "-c", DIES, str(root), str(int(number)), unit]
    assert subprocess.run(command, timeout=60, check=False).returncode == -number


@pytest.mark.parametrize(("number", "told"), [(signal.SIGSEGV, "Segmentation fault"), (signal.SIGABRT, "Aborted")])
def test_a_crashed_worker_is_counted_and_the_limit_rejects(tmp_path: Path, number: signal.Signals, told: str) -> None:
    for _ in range(2):
        die(tmp_path, number)
    with pytest.raises(DataError, match=f"died 2 times.*{told}") as caught, attempt(str(tmp_path), "run", "unit", 2):
        pytest.fail("the block must not run")
    assert caught.value.reason == "crashed_worker"
    with attempt(str(tmp_path), "another run", "unit", 2):
        pass


@pytest.mark.parametrize("numbers", [(signal.SIGKILL, signal.SIGKILL), (signal.SIGSEGV, signal.SIGKILL)])
def test_a_worker_that_was_killed_is_no_verdict_on_its_unit(tmp_path: Path, numbers: tuple[signal.Signals, ...]) -> None:
    for number in numbers:
        die(tmp_path, number)
    with pytest.raises(UnavailableError, match="killed from outside"), attempt(str(tmp_path), "run", "unit", 2):
        pytest.fail("the block must not run")


def test_an_attempt_that_ends_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(5):
        with attempt(str(tmp_path), "run", "unit", 2):
            pass
    with pytest.raises(ValueError, match="mistake"), attempt(str(tmp_path), "run", "unit", 2):
        raise ValueError("mistake")
    with attempt(str(tmp_path), "run", "unit", 1):
        pass


def test_in_an_object_store_every_machine_finds_why_a_worker_died(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = f"s3://{bucket}/lake"
    for number in (signal.SIGSEGV, signal.SIGABRT):
        die(root, number)
    words = r"died 2 times \(Fatal Python error: Aborted; .*Segmentation fault"
    with pytest.raises(DataError, match=words), attempt(root, "run", "unit", 2):
        pytest.fail("the block must not run")
    monkeypatch.setattr(attempts, "REPORT_SECONDS", 0.5)
    for number in (signal.SIGSEGV, signal.SIGKILL):
        die(root, number, "other")
    with pytest.raises(UnavailableError, match="killed from outside"), attempt(root, "run", "other", 2):
        pytest.fail("the block must not run")
    for _ in range(2):
        with attempt(root, "run", "sound", 1):
            pass


def test_last_words_are_those_of_the_attempt_that_did_not_end() -> None:
    assert last_words(["begin a\n", "end\n", "begin b\n", "Fatal: x\n", "more\n"]) == ("b", "Fatal: x")
    assert last_words(["begin a\n", "end\n"]) == ("", "")
    assert last_words(["begin a\n"]) == ("a", "")
