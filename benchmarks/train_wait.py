"""What the data costs a training run: tokens/s of `rsflow train`'s loop fed by its stream, and fed from memory.

    python benchmarks/train_wait.py LAKE [--steps 40] [--workers 1]

The same model, samples and steps twice: once the loader reads shards, decodes, renders conversations and collates in its
workers; once all batches were made before and lie in memory. Beside each, the share of the time for which steps waited for a
batch. The first fifth of the steps is not counted (workers start, allocators fill). The model is the small EarthGPT: a larger
one waits less.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rsflow.config.validation import check
from rsflow.demo.proof import DIALECT
from rsflow.models.earthgpt.small import SmallSize, write_small_checkpoint
from rsflow.training.loop import Training, run_steps
from rsflow.training.ranks import join_ranks
from rsflow.training.run import prepare
from rsflow.training.settings import TrainConfig
from rsflow.training.texts import read_texts


def measure(training: Training) -> tuple[float, float]:
    """(tokens per second, wait share) after the first fifth of the steps."""
    marks: list[tuple[float, int, float]] = []

    def note() -> None:
        if training.step in (training.steps // 5, training.steps):
            marks.append((time.perf_counter(), training.counts.tokens, training.counts.wait_seconds))

    run_steps(training, note)
    (start, tokens_before, waited_before), (end, tokens, waited) = marks
    return (tokens - tokens_before) / (end - start), (waited - waited_before) / (end - start)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("lake")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    with TemporaryDirectory() as folder, join_ranks("cpu") as ranks:
        write_small_checkpoint(Path(folder, "base"), read_texts(given.lake, "train", DIALECT), SmallSize(), 0)
        settings = {
            "root": given.lake, "base_model": str(Path(folder, "base")), "output": folder, "precision": "float32",
            "regime": {"kind": "full"}, "epochs": 1000, "max_steps": given.steps, "device": "cpu",
            "data": {"grouping": "joined", "workers": given.workers},
            "optimiser": {"batch_size": 8, "rank_batch": 8},
        }  # fmt: skip
        streamed, _ = prepare(check(TrainConfig, settings, "benchmark"), ranks)
        from_memory, _ = prepare(check(TrainConfig, settings, "benchmark"), ranks)
        batches = iter(from_memory.loader)
        in_memory: Any = [next(batches) for _ in range(given.steps)]
        from_memory.loader = in_memory
        for name, training in (("stream", streamed), ("memory", from_memory)):
            rate, share = measure(training)
            print(f"{name}: {rate:,.0f} tokens/s, data wait {share:.2%}", flush=True)


if __name__ == "__main__":
    main()
