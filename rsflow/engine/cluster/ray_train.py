"""A function on every worker of a Ray Train job: the one module that touches its interface.

One idea: Ray starts the workers, joins them in a process group of torch and starts them again when one is lost; what is
trained, and from where it goes on, is the function's own affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsflow.config.settings import Engine
from rsflow.engine.cluster.ray_data import cluster
from rsflow.errors import RsflowError

MAX_FAILURES = 3  # of workers; after more the job fails, and the same command goes on


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """How many workers, what each needs, and of which cluster (None: RAY_ADDRESS, else a local one)."""

    workers: int
    cpus_per_worker: int
    gpus_per_worker: int
    address: str | None


def run_on_workers(function: Callable[[], None], group: WorkerGroup, storage: str) -> None:
    """Call the function on every worker at once. `storage`: a folder that all of them see, for what Ray Train notes.

    Raises the RsflowError of a worker as it was raised there; RsflowError where the job fails for another reason.
    """
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchTrainer

    needs = {"CPU": group.cpus_per_worker, "GPU": group.gpus_per_worker}
    scaling = ScalingConfig(num_workers=group.workers, use_gpu=bool(group.gpus_per_worker), resources_per_worker=needs)
    # One more CPU for what Ray Train itself runs.
    with cluster(Engine(address=group.address, workers=group.workers * group.cpus_per_worker + 1)):
        runs = RunConfig(storage_path=storage, failure_config=FailureConfig(max_failures=MAX_FAILURES))
        try:
            TorchTrainer(function, scaling_config=scaling, run_config=runs).fit()
        except TrainingFailedError as error:
            raise _cause(error) from error


def _cause(error: Exception) -> RsflowError:
    for failure in getattr(error, "worker_failures", {}).values():
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, RsflowError):
                return cause
            cause = getattr(cause, "cause", None) or cause.__cause__
    return RsflowError(f"Ray Train could not finish the run: {error}")
