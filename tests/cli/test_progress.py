"""What a long run tells: a live line in a terminal, plain lines in a log, with scenes, tiles per second, rejects and ETA."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rsflow.engine import progress
from rsflow.engine.progress import Progress

COMMAND = [sys.executable, "-m", "rsflow.cli", "label"]


def test_a_log_gets_plain_lines(archive: Path) -> None:
    done = subprocess.run([*COMMAND, str(archive / "build.yaml")], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "\r" not in done.stderr + done.stdout
    assert "\x1b" not in done.stderr + done.stdout
    told = [line for line in done.stderr.splitlines() if not line.startswith("rsflow: warning: ")]
    assert told[0] == "label: 0/4 units, 0/4 scenes"
    last = [line for line in told if line.startswith("label:")][-1]
    assert re.fullmatch(r"label: 4/4 units, 4/4 scenes, 36 tiles \(\d+\.\d/s\), 0 rejects in 0:\d\d", last)


def test_a_terminal_gets_a_line_that_is_written_over(archive: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, str(archive / "build.yaml")], stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # how Linux tells that the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait(timeout=60) == 0
    lines = shown.decode().split("\r\n")
    label = next(line for line in lines if "label:" in line)
    states = [state for state in label.split("\r") if state]
    assert states[0].startswith("label: 0/4 units")
    assert re.match(r"label: 4/4 units, 4/4 scenes, 36 tiles \(\d+\.\d/s\), 0 rejects in 0:\d\d", states[-1])
    # What a longer line left behind is wiped out.
    assert all(state.endswith("\x1b[K") for state in states)


def test_lines_tell_rate_and_time_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    state = Progress("label", "units", 40, stream, totals={"scenes": 10})
    now[0] += progress.LOG_SECONDS + 1
    state.add(10, scenes=2, tiles=90, rejects=1)
    assert stream.getvalue() == "label: 10/40 units, 2/10 scenes, 90 tiles (8.2/s), 1 rejects, ETA 0:33\n"


def test_a_quiet_step_is_told_only_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    state = Progress("plan", "scenes probed", 0, stream, quiet_seconds=2.0)
    state.begin(1000)
    now[0] += 1.9
    state.add(400)
    assert stream.getvalue() == ""
    now[0] += 0.2
    state.add(100)
    state.end()
    assert stream.getvalue().splitlines()[0] == "plan: 500/1000 scenes probed, ETA 0:02"
