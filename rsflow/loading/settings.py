"""What a stream is set to, and what it shows and counts with: the plain values behind rsflow.loading.stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from rsflow.loading.epoch_order import Uneven
from rsflow.loading.sample_reader import ReadOptions
from rsflow.loading.state import Cursor
from rsflow.shards.reader import Buffer


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a stream orders, deals and shows samples. `ranks`: (rank, world size), None to ask the process when needed."""

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
    """Makes of an encoded picture what an example's `image` is, in place of the stream itself."""

    def on_iteration_start(self) -> None:
        """An iteration begins."""

    def allocate(self, size: int) -> memoryview:
        """Where an encoded picture of so many bytes is to be written; it may be shown, or not, before the next asks."""

    def store(self, data: Buffer) -> Any:
        """ValueError where the picture cannot be decoded."""


@dataclass(slots=True)
class Progress:
    """An iteration: where it began, how many samples it gave, and whether somebody asked for more than there are."""

    start: Cursor
    taken: int = 0
    is_exhausted: bool = False
