"""From a position of an iteration to a sample of the content.

One idea: an iteration is a list of positions 0 … total - 1 that runs through one epoch after the other, and `Sampler.at` says
of any of them which sample of which shard it is, knowing nothing of those before it. Walking on is cheap because the last
window of each part is kept, not because anything is counted.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from rsflow.loading.sampling.epoch_order import EpochOrder, ShuffleWindow, epoch_seed
from rsflow.loading.sampling.mixture import Block
from rsflow.loading.sampling.stream_content import Content, Part
from rsflow.shards.manifest import ShardEntry

ENDLESS_SAMPLES = 1 << 62
_EXTRA_OPEN_SHARDS = 8
_CACHED_WINDOWS = 2  # windows of a part: near a border the samples of a mixture go back and forth


class SampleReference(NamedTuple):
    """Sample `i` of a shard's index, to be shown with the instructions of `part`."""

    root: str
    shard: ShardEntry
    i: int
    part: Part


class Sampler:
    """The samples of a content, epoch after epoch, beginning with `epoch`. `width` 0: in stored order."""

    def __init__(self, content: Content, seed: int, epoch: int, width: int) -> None:
        self._content, self._seed, self._epoch, self._width = content, seed, epoch, width
        each = _window(content, width)
        self._part_samplers = [_PartSampler(part, content.name, seed, each, width > 0) for part in content.parts]
        self._block: Block | None = None

    def at(self, position: int) -> SampleReference:
        """Position of the iteration: the n-th sample of an epoch, or of the epochs after it."""
        content = self._content
        if content.mixture is None:
            epoch, place = divmod(position, content.samples)
            return self._reference(0, self._epoch + epoch, place)
        n = self._epoch * content.samples + position
        if self._block is None or not self._block.start <= n < self._block.stop:
            seed = epoch_seed(f"{content.name} mixed", self._seed, 0) if self._width else None
            self._block = content.mixture.block(n, seed)
        part = int(self._block.part[n - self._block.start])
        index = int(self._block.index[n - self._block.start])
        return self._reference(part, *divmod(index, content.parts[part].samples))

    def _reference(self, part_number: int, epoch: int, place: int) -> SampleReference:
        part = self._content.parts[part_number]
        shard, i = self._part_samplers[part_number].at(epoch, place)
        root, entry = self._content.shards[part.shards[shard]]
        return SampleReference(root, entry, i if part.selected is None else int(part.selected[shard][i]), part)


def max_open_shards(content: Content, width: int) -> int:
    """How many shards an iteration alternates among, and some more for the borders between windows."""
    return len(content.parts) * _window(content, width) + _EXTRA_OPEN_SHARDS


def _window(content: Content, width: int) -> int:
    """Shards that are shuffled together in each part: a mixture's share the window, so that what is open stays bounded."""
    return max(1, width) if len(content.parts) == 1 else max(2, 2 * width // len(content.parts))


class _PartSampler:
    """One part's own epochs."""

    def __init__(self, part: Part, content: str, seed: int, width: int, shuffle: bool) -> None:
        self._part, self._seed, self._width, self._shuffle = part, seed, width, shuffle
        self._name = f"{content}/{part.name}" if part.name else content
        self._orders: OrderedDict[int, EpochOrder] = OrderedDict()
        self._windows: OrderedDict[tuple[int, int], ShuffleWindow] = OrderedDict()

    def at(self, epoch: int, place: int) -> tuple[int, int]:
        """(shard of the part, sample of the shard's picks)."""
        for (of, _), window in reversed(self._windows.items()):
            if of == epoch and window.start <= place < window.stop:
                break
        else:
            window = self._order(epoch).window(place)
            self._windows[epoch, window.start] = window
            if len(self._windows) > _CACHED_WINDOWS:
                self._windows.popitem(last=False)
        return int(window.shard[place - window.start]), int(window.sample[place - window.start])

    def _order(self, epoch: int) -> EpochOrder:
        if epoch not in self._orders:
            seed = epoch_seed(self._name, self._seed, epoch) if self._shuffle else None
            self._orders[epoch] = EpochOrder(self._part.sizes, seed, self._width)
            if len(self._orders) > _CACHED_WINDOWS:
                self._orders.popitem(last=False)
        return self._orders[epoch]
