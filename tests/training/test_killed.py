"""A run in a process of its own that is killed, with another number of ranks afterwards: no sample is lost or comes twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from rsflow.loading.stream import stream
from rsflow.training.run import train
from rsflow.training.settings import TrainConfig, resolved
from tests.training.test_run import keys_of, weights_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Configure = Callable[..., TrainConfig]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def start(config: TrainConfig, ranks: int = 1) -> subprocess.Popen[str]:
    place = Path(config.output).with_suffix(".yaml")
    place.write_text(yaml.safe_dump(resolved(config)))
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)] if ranks > 1 else []
    command = [sys.executable, *launcher, "-m", "rsflow.cli", "train", str(place)]
    return subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)


def wait_for_step(config: TrainConfig, process: subprocess.Popen[str], step: int) -> None:
    place = Path(config.output, "samples.jsonl")
    while process.poll() is None:
        if place.exists() and len(place.read_text().splitlines()) >= step:
            return
        time.sleep(0.01)
    raise AssertionError(process.stderr.read() if process.stderr else "")


def test_killed_in_every_epoch_a_run_ends_as_one_that_was_left_alone(
    configure: Configure, snapshot: str, tmp_path: Path
) -> None:
    whole, killed = (configure(output=str(tmp_path / name), epochs=2) for name in ("whole", "killed"))
    train(whole)
    for step in (3, 8):  # of 11, 22 samples an epoch and 4 a step
        process = start(killed)
        wait_for_step(killed, process, step)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not Path(killed.output, "model").exists()
    assert start(killed).wait() == 0
    keys = [key for step in keys_of(killed.output) for key in step]
    assert keys == [one["key"] for one in stream(snapshot, seed=5, batch_size=4, repeat=2)]
    assert set(Counter(keys).values()) == {2}
    for name, value in weights_of(whole.output).items():
        assert torch.equal(value, weights_of(killed.output)[name]), name


def test_one_rank_goes_on_as_two_and_takes_the_same_steps(configure: Configure, tmp_path: Path) -> None:
    alone, grown = (
        configure(output=str(tmp_path / name), epochs=2, optimiser={"rank_batch": None}) for name in ("alone", "grown")
    )
    train(alone)
    process = start(grown)
    wait_for_step(grown, process, 5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert start(grown, ranks=2).wait() == 0
    steps = [json.loads(line)["keys"] for line in Path(grown.output, "samples.jsonl").read_text().splitlines()]
    assert {len(ranks) for ranks in steps} == {1, 2}
    assert [sorted(step) for step in keys_of(grown.output)] == [sorted(step) for step in keys_of(alone.output)]
    assert json.loads(Path(grown.output, "run.json").read_text())["ranks"] == 2
    for name, value in weights_of(alone.output).items():
        assert torch.allclose(value, weights_of(grown.output)[name], atol=1e-3), name


@pytest.mark.ray
def test_workers_of_a_ray_train_job_take_the_same_steps(configure: Configure, tmp_path: Path, ray_session: None) -> None:
    alone, job = (
        configure(output=str(tmp_path / name), max_steps=3, **more)
        for name, more in (("alone", {}), ("job", {"ray": {"workers": 2}}))
    )
    train(alone)
    outcome = train(job)
    assert outcome.record["ranks"] == 2
    assert [sorted(step) for step in keys_of(job.output)] == [sorted(step) for step in keys_of(alone.output)]
    expected = load_file(Path(alone.output, "model", "model.safetensors"))
    for name, value in weights_of(job.output).items():
        assert torch.allclose(value, expected[name], atol=1e-3), name
