"""The cursor of a stream in memory that its DataLoader workers share, and which epoch each of their iterations is of.

One idea: DataLoader workers hold copies of a stream, and the stream in the training loop's process is not notified when they
begin an iteration. So each worker writes to its row of a shared table which iteration it began, and of which epoch. An
iteration is recognised by a token that all its workers have in common. The first worker of an iteration takes the epoch after
the one in the table, the others take that of their siblings; a row is one 64-bit number, so it is written at once and needs
no lock. Moving the cursor clears the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import torch

from rsflow.loading.resume.state import Cursor

_CURSOR = slice(0, 6)  # epoch, position, taken, and the topology of three numbers
_LOADER = 6  # whether a Loader iterates
_ROWS = 64  # workers; more share rows
_WORKERS = slice(7, 7 + _ROWS)
_EPOCH_BITS = 32  # of a row, below the token; the epoch is stored plus one, so that 0 is an empty row


class SharedCursor:
    """Can be pickled and forked along; every copy sees the same numbers."""

    def __init__(self, snapshots: int) -> None:
        numbers = torch.zeros(_WORKERS.stop + snapshots, dtype=torch.int64)
        self._numbers = numbers.share_memory_()  # type: ignore[no-untyped-call]

    def read(self) -> Cursor:
        """Where the first iteration after `move_to` begins."""
        epoch, position, taken, *topology = self._numbers[_CURSOR].tolist()
        return Cursor(epoch, position, taken, (topology[0], topology[1], topology[2]))

    def move_to(self, cursor: Cursor) -> None:
        self._numbers[_CURSOR] = torch.tensor([cursor.epoch, cursor.position, cursor.taken, *cursor.topology])
        self._numbers[_WORKERS] = 0

    @property
    def loader_iterates(self) -> bool:
        """Whether a Loader began an iteration that it did not end."""
        return bool(self._numbers[_LOADER])

    @loader_iterates.setter
    def loader_iterates(self, value: bool) -> None:
        self._numbers[_LOADER] = value

    @property
    def snapshot_numbers(self) -> list[int]:
        """Of a stream that follows new snapshots: those it reads now."""
        return [int(number) for number in self._numbers[_WORKERS.stop :]]

    @snapshot_numbers.setter
    def snapshot_numbers(self, numbers: Sequence[int]) -> None:
        self._numbers[_WORKERS.stop :] = torch.tensor(numbers)

    def worker_epoch(self) -> int | None:
        """The epoch of the newest iteration that DataLoader workers began since the last move; None where there is none."""
        epochs = [_unpack(row)[1] for row in self._numbers[_WORKERS].tolist() if row]
        return max(epochs, default=None)

    def begin_in_worker(self, worker: int, token: int, next_cursor: Callable[[Cursor], Cursor]) -> Cursor:
        """Where the worker begins the iteration of this token: at the cursor, or at the epoch after the iteration before."""
        rows = [_unpack(row) for row in self._numbers[_WORKERS].tolist() if row]
        siblings = [epoch for other, epoch in rows if other == token]
        start = self.read()
        if rows and not siblings:
            start = next_cursor(Cursor(max(epoch for _, epoch in rows)))
        elif siblings and siblings[0] != start.epoch:
            start = Cursor(siblings[0])
        self._write(worker, token, start.epoch)
        return start

    def resume_in_worker(self, worker: int, token: int, start: Cursor) -> None:
        """Note that the worker begins the iteration of this token where its own state says."""
        for row, number in enumerate(self._numbers[_WORKERS].tolist()):
            if number and _unpack(number)[0] != token:
                self._numbers[_WORKERS.start + row] = 0
        self._write(worker, token, start.epoch)

    def _write(self, worker: int, token: int, epoch: int) -> None:
        self._numbers[_WORKERS.start + worker % _ROWS] = (token << _EPOCH_BITS) | (epoch + 1)


def iteration_token(base_seed: int, iteration: int) -> int:
    """31 bits that the workers of one iteration have in common. `base_seed`: what the DataLoader draws when it starts workers,
    `iteration`: which one of those that persistent workers run."""
    return int.from_bytes(hashlib.blake2b(f"{base_seed} {iteration}".encode(), digest_size=4).digest()) >> 1


def _unpack(row: int) -> tuple[int, int]:
    return row >> _EPOCH_BITS, (row & ((1 << _EPOCH_BITS) - 1)) - 1
