"""The report of a snapshot, from its shards and its lake."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from rsflow.config.settings import BuildConfig
from rsflow.engine.progress import progress
from rsflow.files import storage
from rsflow.inspection.facts.json_reports import to_plain
from rsflow.inspection.facts.lake_facts import KnownLake, know_lake, lake_facts
from rsflow.lake.tables import open_lake
from rsflow.phases.build import BuildResult
from rsflow.report.snapshot.facts import LakeFacts, SnapshotIdentity
from rsflow.report.snapshot.numbers import report_numbers
from rsflow.report.snapshot.page import identity_mark, snapshot_page
from rsflow.report.snapshot.read_samples import SnapshotSamples, read_samples
from rsflow.shards.manifest import Manifest, latest_snapshot, read_snapshot, snapshot_root

REPORT = "report.html"
HEAD_CHARACTERS = 2000  # in which a page says what it is of


@dataclass(frozen=True)
class SnapshotReport:
    """What a page is made of."""

    identity: SnapshotIdentity
    facts: LakeFacts
    samples: SnapshotSamples

    def numbers(self) -> dict[str, Any]:
        """What the page shows, as JSON values."""
        numbers: dict[str, Any] = to_plain(report_numbers(self.identity, self.facts, self.samples))
        return numbers

    def page(self) -> str:
        """The page as HTML."""
        title = self.identity.root.rstrip("/").rpartition("/")[2]
        return snapshot_page(title, self.identity, self.facts, self.samples, self.numbers())


def read_report(root: str, snapshot: int | None = None, known: KnownLake | None = None) -> SnapshotReport:
    """Count the samples of a snapshot (the latest by default) and read what its lake records of them.

    SnapshotError where there is none, or where a shard is missing or damaged.
    """
    lake = open_lake(root)
    number = latest_snapshot(root) if snapshot is None else snapshot
    manifest = read_snapshot(root, number)
    facts = lake_facts(lake, number, known or know_lake(lake))
    return SnapshotReport(_identity(root, number, manifest), facts, read_snapshot_samples(root, manifest))


def write_report(built: BuildConfig, outcome: BuildResult) -> str | None:
    """Write the report of a run's snapshot beside its card, unless it is there already; returns its place where it was written.

    A report names the digest of its snapshot in its first lines.
    """
    if outcome.sharded is None:
        return None
    place, number = outcome.lake.place(REPORT), outcome.sharded.snapshot
    former = storage.read_text_if_exists(place) or ""
    if identity_mark(number, outcome.sharded.manifest.digest) in former[:HEAD_CHARACTERS]:
        return None
    report = read_report(built.root, number, KnownLake(built, outcome.now))
    storage.write_bytes(place, report.page().encode())
    return place


def read_snapshot_samples(root: str, manifest: Manifest, tiles: Collection[str] = ()) -> SnapshotSamples:
    """All samples of a snapshot, with progress where that takes a while; those of `tiles` are kept."""
    total = sum(split.samples for split in manifest.splits.values())
    with progress("report", "samples read", total, quiet_seconds=2.0) as state:
        return read_samples(snapshot_root(root), manifest, tiles, lambda: state.add(1))


def _identity(root: str, number: int, manifest: Manifest) -> SnapshotIdentity:
    shards = [shard for split in manifest.splits.values() for shard in split.shards]
    size = sum(shard.bytes for shard in shards)
    place = storage.mask_secrets(root) if storage.is_remote(root) else os.path.abspath(root)
    return SnapshotIdentity(place, number, manifest.digest, manifest.config_fingerprint, manifest.seed, len(shards), size)
