"""A build that is interrupted while a model writes: what is in flight is waited for, inline and on Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rsflow.generation.spending.costs import list_costs
from tests.generation.chat_server import Reply, serving
from tests.phases.label.test_generation import IN_FLIGHT, calm, written

ASKED = 12


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("inline", signal.SIGINT),
        ("inline", signal.SIGTERM),
        pytest.param("ray", signal.SIGINT, marks=[pytest.mark.ray, pytest.mark.slow]),
    ],
)
def test_an_interrupted_build_pays_for_nothing_that_it_does_not_keep(archive: Path, kind: str, number: int) -> None:
    def slow(body: dict[str, Any], position: int) -> Reply:
        return Reply(calm(body).body, wait=0.4)

    with serving(slow) as chat:
        written(archive, chat)
        command = [sys.executable, "-c", "from rsflow.cli import run; run()", "build", str(archive / "written.yaml")]
        process = subprocess.Popen([*command, f"engine.kind={kind}"], start_new_session=True, stderr=subprocess.PIPE, text=True)
        try:
            end = time.monotonic() + 240
            while len(chat.bodies) < ASKED:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.02)
            os.killpg(process.pid, number)  # as a terminal does
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 130
    assert "requests in flight are waited for" in said
    assert "Traceback" not in said
    lines = list_costs(str(archive / "lake"))
    assert len(chat.bodies) <= ASKED + 2 * IN_FLIGHT
    assert sum(line.answers for line in lines) == len(chat.bodies)
    assert sum(line.unanswered for line in lines) == 0
