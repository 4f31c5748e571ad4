"""The settings of a stream, the interface that takes its pictures, and the progress of an iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from rsflow.loading.reading.sample_reader import ReadOptions
from rsflow.loading.resume.state import Cursor
from rsflow.loading.sampling.epoch_order import Uneven
from rsflow.shards.reader import Buffer


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a stream orders, distributes and shows samples. `ranks`: (rank, world size), None: those of the process."""

    seed: int
    window_shards: int
    batch_size: int | None
    ranks: tuple[int, int] | None
    uneven: Uneven
    repeat: int | None
    follow: bool
    dialect: str
    decode: bool
    cache: str | None
    read_options: ReadOptions

    @property
    def block(self) -> int:
        return self.batch_size or 1


class PictureSink(Protocol):
    """Makes an example's `image` from an encoded picture, in place of the stream itself."""

    def on_iteration_start(self) -> None:
        """An iteration begins."""

    def allocate(self, size: int) -> memoryview:
        """Memory for an encoded picture of so many bytes; `store` may or may not be called before the next allocation."""

    def store(self, data: Buffer) -> Any:
        """ValueError where the picture cannot be decoded."""


@dataclass(slots=True)
class Progress:
    """An iteration: where it began, how many samples it gave, and whether it was exhausted."""

    start: Cursor
    taken: int = 0
    is_exhausted: bool = False
