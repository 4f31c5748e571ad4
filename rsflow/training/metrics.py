"""What a run measures, step by step: lines of JSON, TensorBoard, and the counts that its record is made of.

One idea: a file of steps always says what the newest weights went through. A run that resumes at step n first removes the
lines of later steps, which are done again.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsflow.errors import UsageError
from rsflow.files.faults import translate_errors

METRICS_FILE, KEYS_FILE = "metrics.jsonl", "samples.jsonl"


@dataclass(frozen=True, slots=True)
class StepTotals:
    """Of one step, over all ranks. `loss`: sum over learned tokens; `norm`: of the gradient; `wait_seconds`: mean over ranks;
    `seconds`: of this rank."""

    samples: int
    rows: int
    tokens: int
    label_tokens: int
    loss: float
    norm: float
    wait_seconds: float
    seconds: float


@dataclass
class Counts:
    """What all ranks together trained on since the run began, resumed or not; `wait_seconds`: mean over ranks."""

    samples: int = 0
    rows: int = 0
    tokens: int = 0
    label_tokens: int = 0
    seconds: float = 0.0
    wait_seconds: float = 0.0
    groups: Counter[str] = field(default_factory=Counter)  # rows by "sensor/task"

    def add(self, step: StepTotals) -> None:
        for name in ("samples", "rows", "tokens", "label_tokens", "seconds", "wait_seconds"):
            setattr(self, name, getattr(self, name) + getattr(step, name))

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "groups": dict(sorted(self.groups.items()))}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Counts:
        return cls(**{**content, "groups": Counter(content["groups"])})


@dataclass
class Window:
    """Sums since the last line that was written."""

    loss: float = 0.0
    label_tokens: int = 0
    tokens: int = 0
    steps: int = 0
    norm: float = 0.0
    wait_seconds: float = 0.0
    start: float = field(default_factory=time.perf_counter)

    def add(self, step: StepTotals) -> None:
        for name in ("loss", "label_tokens", "tokens", "norm", "wait_seconds"):
            setattr(self, name, getattr(self, name) + getattr(step, name))
        self.steps += 1

    def line(self, step: int, rate: float, samples: int) -> dict[str, Any]:
        """The metrics of these steps. `loss`: mean per learned token."""
        seconds = max(time.perf_counter() - self.start, 1e-9)
        return {
            "step": step,
            "samples": samples,
            "loss": self.loss / max(1, self.label_tokens),
            "learning_rate": rate,
            "gradient_norm": self.norm / max(1, self.steps),
            "tokens_per_s": self.tokens / seconds,
            "wait_share": self.wait_seconds / seconds,
        }


class StepLog:
    """The files of one run's output. Only the first rank has one."""

    def __init__(self, folder: Path, step: int, tensorboard: bool) -> None:
        """Continue after `step`: what was written of later steps is removed."""
        self.folder = folder
        with translate_errors(str(folder), "write"):
            folder.mkdir(parents=True, exist_ok=True)
            for name in (METRICS_FILE, KEYS_FILE):
                _drop_later_steps(folder / name, step)
        self._board = _open_tensorboard(folder / "tensorboard", step) if tensorboard else None

    def write_metrics(self, line: Mapping[str, Any]) -> None:
        _append(self.folder / METRICS_FILE, [line])
        if self._board is not None:
            for name, value in line.items():
                if name != "step":
                    self._board.add_scalar(name, value, line["step"])
            self._board.flush()

    def write_keys(self, step: int, keys: Iterable[Iterable[str]]) -> None:
        """`keys`: of the step's samples, rank by rank."""
        _append(self.folder / KEYS_FILE, [{"step": step, "keys": [list(each) for each in keys]}])

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def _append(place: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with translate_errors(str(place), "write"), open(place, "a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def _drop_later_steps(place: Path, step: int) -> None:
    """Also a last line that a killed process did not finish."""
    if not place.is_file():
        return
    kept = []
    for text in place.read_text().splitlines():
        try:
            if json.loads(text)["step"] <= step:
                kept.append(text + "\n")
        except ValueError:
            break
    part = place.with_suffix(".partial")
    part.write_text("".join(kept))
    os.replace(part, place)


def _open_tensorboard(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(f"log.tensorboard needs tensorboard: pip install 'rsflow[tune]' ({error})") from error
    board: Any = SummaryWriter
    return board(folder, purge_step=step + 1)
