"""The stream: snapshots as a torch dataset.

One idea: the arguments are checked here, before any sample is read; the dataset itself is rsflow.loading.dataset.

Refused: an unknown split, task, sensor, name in the mix or dialect, a filter that no sample passes, odd numbers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rsflow import dialects
from rsflow.errors import ConfigError
from rsflow.loading.dataset import Stream
from rsflow.loading.distributed import check_ranks
from rsflow.loading.number_values import parse_integer
from rsflow.loading.reading.sample_reader import ReadOptions
from rsflow.loading.resume.state import MAX_EPOCHS
from rsflow.loading.sampling.epoch_order import UNEVEN, Uneven
from rsflow.loading.sampling.mixture import Mix
from rsflow.loading.sampling.stream_content import StreamRequest
from rsflow.loading.settings import StreamSettings

WINDOW_SHARDS = 16  # shuffled together and open at once, per consumer
MAX_SHARDS = 32  # a process may have few files open, and a shuffle over more is hardly better (docs/streaming.md)
_READ_OPTIONS = ReadOptions()


def stream(
    url: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    split: str = "train",
    batch_size: int | None = None,
    *,
    seed: int = 0,
    epoch: int = 0,
    mix: Mix | None = None,
    shuffle: bool | int = True,
    dialect: str = "pixels",
    tasks: Sequence[str] | None = None,
    sensors: Sequence[str] | None = None,
    decode: bool = True,
    repeat: int | None = 1,
    max_samples: int | None = None,
    oversample: bool = False,
    uneven: Uneven = "pad",
    follow: bool = False,
    rank: int | None = None,
    world_size: int | None = None,
    cache: str | None = None,
    read_options: ReadOptions = _READ_OPTIONS,
) -> Stream:
    """A split of one or more snapshots as a dataset of dicts (rsflow.loading.example), each sample once per epoch:

        loader = Loader(stream(root, batch_size=8), num_workers=2)

    `url`: a root (its latest snapshot) or a manifest `…/snapshots/<n>.json`, local or an address; or several of them.
    `batch_size`: that of the DataLoader which reads it. Ranks take so many consecutive positions in turn; without it they take
    one, and with DataLoader workers batches then depend on the number of workers.
    `mix`: draw from tasks, sensors, sources or urls by weight. `tasks`, `sensors`: only samples that have one of them, with
    only the instructions of these tasks. `oversample`: each sample as often per epoch as the selection wants it
    (`select.balance.repeat`), not once. All four read every shard's index first.
    `shuffle`: how many shards are shuffled together, up to 32; True: 16, False or 0: everything in stored order.
    `repeat`: epochs of one iteration, None: without end. `max_samples`: the most samples of an epoch, over all ranks; with
    `mix` exactly so many, by default as many as the parts have.
    `uneven`: how ranks get equal counts at the end of an iteration: "pad" gives fewer than `world_size` samples twice, "drop"
    leaves as few out; "keep" gives each once, ranks then differ by up to one.
    `follow`: when the epoch is set to another one, move on to the newest snapshot; otherwise the stream stays with its own.
    `rank`, `world_size`: default from torch.distributed, else the environment, else one process.
    `cache`: a local folder for shards of a remote root, shared by the processes of a node.

    ConfigError for an unknown split, task, sensor or dialect; SnapshotError or StorageError where the snapshot cannot be read.
    """
    _check_types({"split": split, "dialect": dialect}, str)
    _check_types({"decode": decode, "oversample": oversample, "follow": follow}, bool)
    dialects.get_dialect(dialect)
    urls = _addresses(url)
    batch_size, repeat, max_samples = (
        None if value is None else parse_integer(name, value, smallest=1)
        for name, value in {"batch_size": batch_size, "repeat": repeat, "max_samples": max_samples}.items()
    )
    epoch, seed = parse_integer("epoch", epoch, MAX_EPOCHS), parse_integer("seed", seed, None, None)
    if not isinstance(uneven, str) or uneven not in UNEVEN:
        raise ConfigError(f"uneven: found {uneven!r}, expected one of {', '.join(UNEVEN)}")
    if follow and (repeat != 1 or any(one.endswith(".json") for one in urls)):
        raise ConfigError("follow: moves to a root's newest snapshot between epochs: give roots, not manifests, and repeat 1")
    window = WINDOW_SHARDS if shuffle is True else 0 if shuffle is False else parse_integer("shuffle", shuffle, MAX_SHARDS)
    ranks = check_ranks(rank, world_size)
    settings = StreamSettings(seed, window, batch_size, ranks, uneven, repeat, follow, dialect, decode, cache, read_options)
    return Stream(StreamRequest(urls, split, tasks, sensors, mix, max_samples, oversample), settings, epoch)


def _check_types(values: Mapping[str, Any], kind: type) -> None:
    for name, value in values.items():
        if not isinstance(value, kind):
            raise ConfigError(f"{name}: found {value!r}, expected {'True or False' if kind is bool else 'a name'}")


def _addresses(url: Any) -> tuple[str, ...]:
    """The addresses, each once. ConfigError where there is none, or one is no path."""
    several = url if isinstance(url, Sequence) and not isinstance(url, str) else [url]
    if not several or not all(isinstance(one, (str, os.PathLike)) for one in several):
        raise ConfigError(f"url: found {url!r}, expected an address or a list of them")
    return tuple(dict.fromkeys(os.fspath(one) for one in several))
