"""Processes that a killed driver left are ended; those of a living one, and all that carry no driver's mark, are not.

On Ray: a driver that was killed, or ended by a second signal, leaves its cluster; the next build ends it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from rsflow.engine.cluster.leftover_processes import DRIVER, driver_of, end_leftovers
from rsflow.phases.build import run
from tests.archive import config_of

# A driver that starts a process in a session of its own, as Ray does, and tells its id.
DRIVER_PROGRAM = """
import subprocess, sys, time
from rsflow.engine.cluster.leftover_processes import mark_children
mark_children()
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


def agents_of(driver: int) -> list[psutil.Process]:
    """The living agents of Ray that belong to this driver: they outlive it, whatever becomes of the rest."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if "Agent" in process.name() and driver_of(process).startswith(f"{driver}:") and runs(process):
                found.append(process)
    return found


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("signals", [[signal.SIGKILL], [signal.SIGTERM, signal.SIGTERM]], ids=["killed", "two signals"])
def test_the_next_build_ends_the_cluster_that_a_driver_left(
    archive: Path, monkeypatch: pytest.MonkeyPatch, signals: list[signal.Signals]
) -> None:
    monkeypatch.delenv(DRIVER, raising=False)
    command = [sys.executable, "-m", "rsflow.cli", "build", str(archive / "build.yaml"), "engine.kind=ray", "engine.workers=1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        try:
            wait_until(lambda: len(agents_of(started.pid)) == 2)
            for agent in agents_of(started.pid):
                agent.suspend()  # else they may end by themselves, and the build has nothing to end
            for number in signals:
                started.send_signal(number)
                time.sleep(0.2)
            assert started.wait(timeout=60) != 0
            run(config_of(archive))
            wait_until(lambda: not agents_of(started.pid), 20)
        finally:
            started.kill()
            for process in agents_of(started.pid):
                process.kill()
