"""The command that fine-tunes a model on a snapshot: train."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from typer import Argument

from rsflow.cli.options import Overrides
from rsflow.errors import UsageError

TrainingConfig = Annotated[str, Argument(metavar="CONFIG", help="a YAML file: snapshot, model, regime and optimiser")]


def train(config: TrainingConfig, overrides: Overrides = None) -> int:
    """Fine-tune a vision-language model on a snapshot.

    CONFIG names a lake (`root`), a checkpoint of any model of transformers that turns pictures and text into text
    (`base_model`), and a local folder (`output`). The regime says what is trained: `full` (all weights, or those that `only`
    names), `lora` (low-rank updates), `moe_lora` (a router over low-rank experts) or `bias` (a scale and a bias on every
    linear layer).

    The same command goes on where it was stopped or killed, also with another number of processes: under `torchrun -m
    rsflow.cli train CONFIG` each is a rank, with `ray` in CONFIG they are the workers of a Ray Train job. The trained model is
    in output/model: score it by `rsflow evaluate`. docs/training.md lists the settings.

    Examples:
      rsflow train train.yaml
      rsflow train train.yaml regime.kind=full optimiser.learning_rate=1e-5 output=runs/full
      rsflow train train.yaml ray.workers=8 ray.gpus_per_worker=1
    """
    try:
        from rsflow.training.run import train as run
        from rsflow.training.settings import load
    except ModuleNotFoundError as error:
        raise UsageError(f"train needs {error.name}: pip install 'rsflow[tune]'") from error
    settings = load(config, overrides or [])
    outcome = run(settings, lambda line: print(line, file=sys.stderr, flush=True))
    if os.environ.get("RANK", "0") == "0":
        record = outcome.record
        done = "was done before" if outcome.was_done else f"{record['step']:,} steps"
        print(
            f"{done}: {record['counts']['samples']:,} samples, {record['tokens_per_s']:,.0f} tokens/s, "
            f"data wait {record['wait_share']:.1%}"
        )
        print(f"wrote {outcome.model}; next: rsflow evaluate {outcome.model} {settings.root}")
    return 0
