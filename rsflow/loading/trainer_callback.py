"""A callback for the Trainer of transformers that keeps a Loader's state in its checkpoints, so that nothing is read twice.

One idea: by itself the Trainer resumes within an epoch by reading what was trained on and dropping it. A Loader goes on from a
state instead, so `ignore_data_skip` is set. Refused is what would make the two disagree: a resume without the loader's state, a
state of another step, and gradient accumulation that does not divide an epoch, because the Trainer counts the batches of a
resumed epoch from 0.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rsflow.errors import ConfigError
from rsflow.loading.loader import Loader

STATE_FILE = "rsflow_loader.json"  # in a checkpoint's folder


def sft_dataset(loader: Loader) -> Any:
    """What TRL's SFTTrainer, which takes a set of `datasets` alone, is given as `train_dataset` beside a Loader: as many empty
    rows as an epoch has samples, with a column of pictures. Its `get_train_dataloader` returns the loader, which nothing else
    reads."""
    from datasets import Dataset

    return Dataset.from_dict({"image": [""] * len(loader.stream)})


class LoaderCallback(TrainerCallback):
    """`Trainer(..., callbacks=[LoaderCallback(loader, checkpoint)])`, whose `get_train_dataloader` returns the loader.

    `resume_from`: the checkpoint's folder that is given to `train(resume_from_checkpoint=...)`, None for a new run.
    """

    def __init__(self, loader: Loader, resume_from: str | os.PathLike[str] | None = None) -> None:
        """Loads the loader's state from the checkpoint. ConfigError where it has none."""
        self.loader, self.resume_from = loader, resume_from
        if resume_from is not None:
            place = Path(resume_from, STATE_FILE)
            if not place.is_file():
                raise ConfigError(f"{place}: is missing: the checkpoint was saved by a run without a LoaderCallback")
            loader.load_state_dict(json.loads(place.read_text()))

    def on_init_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        args.ignore_data_skip = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            place = Path(args.output_dir, f"checkpoint-{state.global_step}", STATE_FILE)
            place.write_text(json.dumps(self.loader.state_dict()))

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """ConfigError where the Trainer's count of steps and the loader's state would part."""
        batches, accumulated = len(self.loader), args.gradient_accumulation_steps
        if batches % accumulated:
            raise ConfigError(
                f"gradient_accumulation_steps: found {accumulated}, expected a divisor of the {batches} batches an epoch, so "
                "that a resumed epoch ends with a whole step: set max_samples of the stream or give the Trainer the stream"
            )
        if state.global_step and self.resume_from is None:
            raise ConfigError(
                f"the Trainer resumes at step {state.global_step}, the loader at its start: LoaderCallback(loader, checkpoint)"
            )
        epoch = state.global_step // (batches // accumulated)
        if self.loader.epoch != epoch:
            raise ConfigError(
                f"{self.resume_from or 'the loader'}: is in epoch {self.loader.epoch}, the Trainer in epoch {epoch}: "
                "resume both from one checkpoint, with the batch size and the number of ranks that it was saved with"
            )
