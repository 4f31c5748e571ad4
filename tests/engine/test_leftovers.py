"""Processes that a killed driver left are ended; those of a living one, and all that carry no driver's mark, are not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from rsflow.engine.leftover_processes import DRIVER, end_leftovers

# A driver that starts a process in a session of its own, as Ray does, and tells its id.
DRIVER_PROGRAM = """
import subprocess, sys, time
from rsflow.engine.leftover_processes import sign
sign()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(120)
"""


@contextmanager
def driver() -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    with subprocess.Popen([sys.executable, "-c", DRIVER_PROGRAM], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        child = psutil.Process(int(started.stdout.readline()))
        try:
            yield started, child
        finally:
            started.kill()
            if child.is_running():
                child.kill()


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_what_a_killed_driver_started_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DRIVER, raising=False)
    with driver() as (killed, left), driver() as (_, used):
        killed.kill()
        killed.wait()
        assert runs(left), "it outlives its driver, or this test shows nothing"
        assert end_leftovers() >= 1
        psutil.wait_procs([left], timeout=10)
        assert not runs(left)
        assert runs(used), "its driver lives"


def test_a_process_without_a_mark_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DRIVER, raising=False)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        end_leftovers()
        assert other.poll() is None
        other.kill()


def test_a_number_that_another_process_has_now_is_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    own = psutil.Process()
    monkeypatch.setenv(DRIVER, f"{own.pid}:{own.create_time() - 1000:.2f}")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        end_leftovers()
        assert other.wait(timeout=10) == -9
