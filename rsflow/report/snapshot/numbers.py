"""The numbers of the page as plain JSON values with stable keys (docs/json.md, `report`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rsflow.report.snapshot.facts import LakeFacts, SnapshotIdentity
from rsflow.report.snapshot.picture_statistics import Moments, PictureStatistics
from rsflow.report.snapshot.read_samples import SnapshotSamples
from rsflow.report.snapshot.sample_counts import SampleCounts
from rsflow.report.text.counts_table import by_count

WORDS = 1000  # the commonest that are listed


def report_numbers(identity: SnapshotIdentity, facts: LakeFacts, samples: SnapshotSamples) -> dict[str, Any]:
    """Everything that the page shows, but pictures and the places on the map."""
    return {
        "snapshot": asdict(identity),
        **count_numbers(samples.counts),
        "pictures": {sensor: _statistics(found) for sensor, found in samples.pictures.items()},
        "lake": asdict(facts),
    }


def count_numbers(counts: SampleCounts) -> dict[str, Any]:
    """The counters of samples; a counter with a key of several parts becomes objects within objects."""
    nested = ("samples", "instructions", "objects", "sizes_px", "sizes_m", "positions", "words", "answers", "gsd")
    flat = ("object_origins", "objects_per_sample", "generators", "licences", "attributions", "months")
    return {
        **{name: nest(getattr(counts, name)) for name in nested},
        **{name: dict(sorted(getattr(counts, name).items())) for name in flat},
        "unplaced": counts.unplaced,
        "vocabulary": dict(by_count(counts.vocabulary)[:WORDS]),
        "different_words": len(counts.vocabulary),
    }


def nest(counter: Mapping[Any, int]) -> dict[Any, Any]:
    """{(a, b): n} as {a: {b: n}}, sorted by key."""
    nested: dict[Any, Any] = {}
    for key, count in sorted(counter.items()):
        node = nested
        for part in key[:-1]:
            node = node.setdefault(part, {})
        node[key[-1]] = count
    return nested


def total(counter: Counter[Any], *positions: int) -> Counter[Any]:
    """The counter with only these parts of its keys, summed over the others; a single part is no tuple."""
    sums: Counter[Any] = Counter()
    for key, count in counter.items():
        parts = tuple(key[position] for position in positions)
        sums[parts[0] if len(parts) == 1 else parts] += count
    return sums


def _statistics(found: PictureStatistics) -> dict[str, Any]:
    return {
        "pictures": found.pictures,
        "channels": {name: _moments(channel) for name, channel in found.channels.items()},
        "bands": [{"band": band, "unit": unit, **_moments(values)} for (band, unit), values in sorted(found.bands.items())],
    }


def _moments(values: Moments) -> dict[str, Any]:
    return {
        "count": values.count,
        "mean": values.mean,
        "deviation": values.deviation,
        "least": values.least,
        "most": values.most,
    }
