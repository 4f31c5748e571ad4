"""Reads the samples of a consumer's share as examples, and puts the next good sample in place of a damaged one.

One idea: what a stream iterates is a list of positions; here each becomes a reference (rsflow.loading.sampling.sampler), a
sample (rsflow.loading.reading.sample_reader) and an example (rsflow.loading.example), and everything on that way is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rsflow.errors import SnapshotError
from rsflow.loading.example import make_example
from rsflow.loading.reading.sample_reader import SampleCounts, SampleReader
from rsflow.loading.sampling.sampler import Sampler, SampleReference
from rsflow.loading.sampling.stream_content import Content
from rsflow.loading.settings import PictureSink, StreamSettings
from rsflow.shards.format import Sample
from rsflow.shards.reader import SampleView, ScratchBuffer


class ExampleReader:
    """The examples of one iteration that begins with `epoch`. `total`: its positions over all ranks."""

    def __init__(
        self,
        content: Content,
        settings: StreamSettings,
        samples: SampleReader,
        counts: SampleCounts,
        sink: PictureSink | None,
        epoch: int,
        total: int,
    ) -> None:
        self._content, self._settings, self._samples, self._counts, self._sink = content, settings, samples, counts, sink
        self._epoch, self._total = epoch, total

    def examples(self, positions: Iterable[int]) -> Iterator[dict[str, Any]]:
        """An example for each position, in order. SnapshotError for a damaged sample, unless damage is to be skipped."""
        sampler = self._sampler()
        references = ((position, sampler.at(position % self._total)) for position in positions)
        allocate = self._sink.allocate if self._sink else ScratchBuffer()
        row = self._counts.row()
        for position, reference, sample in self._samples.read(references, allocate):
            found = self._example(reference, sample) or self._substitute(position)
            row.count_sample(one["task"] for one in found["instructions"])
            yield found

    def _sampler(self) -> Sampler:
        return Sampler(self._content, self._settings.seed, self._epoch, self._settings.window_shards)

    def _example(self, reference: SampleReference, sample: Sample | SampleView | None) -> dict[str, Any] | None:
        """None where the sample is damaged and damage is to be skipped."""
        if sample is None:
            return None
        try:
            store = self._sink.store if self._sink else None
            settings, tasks = self._settings, reference.part.tasks
            count = self._counts.row().count_neutralised
            return make_example(sample, settings.dialect, tasks, settings.decode, store, count)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            damage = SnapshotError(f"{reference.shard.path}: the record of sample {sample.key} is incomplete ({error!r})")
            damage.__cause__ = error
        except SnapshotError as error:
            damage = error
        if self._settings.read_options.on_damage == "fail":
            raise damage
        self._counts.row().count_undecodable()
        return None

    def _substitute(self, position: int) -> dict[str, Any]:
        """The next good sample of the order, in place of the damaged one at `position`: counts stay equal on all ranks."""
        sampler = self._sampler()
        for i in range(position + 1, position + self._content.samples):
            reference = sampler.at(i % self._total)
            if found := self._example(reference, self._samples.read_one(reference)):
                return found
        raise SnapshotError(f"{', '.join(one.manifest for one in self._content.snapshots)}: no sample is undamaged")
