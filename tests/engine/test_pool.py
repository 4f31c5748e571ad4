"""Pools of models: as large as their work can feed, and gone with their devices when it is done."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsflow.config.settings import Engine
from rsflow.engine.budget import Used
from rsflow.engine.cluster.worker_pool import WORTH, pool_size
from rsflow.engine.execute import Job, execute
from rsflow.errors import RsflowError
from rsflow.stage import BatchFunction, Resources


@given(low=st.integers(1, 9), more=st.integers(0, 9), blocks=st.integers(1, 200))
def test_a_pool_keeps_to_what_is_stated_and_to_what_its_work_can_feed(low: int, more: int, blocks: int) -> None:
    least, most = pool_size((low, low + more), blocks)
    assert 1 <= least <= most <= min(low + more, blocks)
    assert least == min(low, blocks)
    assert most == min(low + more, blocks) or most == max(low, -(-blocks // WORTH))
    assert pool_size(low, blocks) == (min(low, blocks),) * 2
    assert pool_size((low, low + more), blocks + 1)[1] >= most


def test_devices_are_idle_while_their_workers_do_not_work() -> None:
    used = Used("model", gpus=0.5, most=4, seconds=10.0, amounts=Counter({"workers": 2, "device_seconds": 12}))
    assert (used.workers, used.busy_share, used.idle_gpu_seconds, used.gpu_seconds) == (2, 0.6, 4.0, 20.0)
    used.amounts["workers"] = 5  # one of four was replaced
    assert used.workers == 4


@dataclass(frozen=True)
class Crowd:
    """Gives back the process that it runs in, once so many processes have opened it."""

    folder: str
    crowd: int
    gpus: float
    version: ClassVar[int] = 1

    @property
    def resources(self) -> Resources:
        return Resources(cpus=0.5, gpus=self.gpus, workers=(1, 2))

    def open(self) -> BatchFunction:
        (Path(self.folder) / f"{self.crowd}-{os.getpid()}").touch()

        def run(table: pa.Table) -> Iterator[pa.Table]:
            end = time.monotonic() + 300
            while len(list(Path(self.folder).glob(f"{self.crowd}-*"))) < self.crowd:
                if time.monotonic() > end:
                    raise TimeoutError("the others did not come")
                time.sleep(0.05)
            yield pa.table({"process": [os.getpid()]})

        return run


@dataclass(frozen=True)
class Unfit:
    """Cannot be opened."""

    version: ClassVar[int] = 1
    resources: ClassVar[Resources] = Resources(cpus=0.5, workers=1)

    def open(self) -> BatchFunction:
        raise RsflowError("models/detr: model.safetensors is cut off or damaged\nFetch it again")


@pytest.mark.ray
def test_what_cannot_be_loaded_is_told_in_its_own_words(ray_session: None, by_value: None) -> None:
    with pytest.raises(RsflowError) as told:
        list(execute([Job(Unfit(), [pa.table({"block": [1]})])], Engine()))
    assert str(told.value) == "models/detr: model.safetensors is cut off or damaged\nFetch it again"
    del told  # its traceback holds the actor, and that the CPU that other tests need
    gc.collect()


@pytest.mark.ray
def test_a_long_queue_gets_more_workers_and_the_next_model_their_device(
    tmp_path: Path, ray_session: None, by_value: None
) -> None:
    """The cluster has one GPU: two halves for the first model, and the whole for the next one, which needs all of it."""

    def processes(stage: Crowd, blocks: int) -> list[int]:
        work = [pa.table({"block": [i]}) for i in range(blocks)]
        return [process for made in execute([Job(stage, work)], Engine()) for process in made["process"].to_pylist()]

    many = processes(Crowd(str(tmp_path), crowd=2, gpus=0.5), WORTH + 1)
    one = processes(Crowd(str(tmp_path), crowd=1, gpus=1.0), WORTH)
    assert (len(many), len(set(many))) == (WORTH + 1, 2)
    assert (len(one), len(set(one))) == (WORTH, 1)
    assert len(list(tmp_path.iterdir())) == 3
