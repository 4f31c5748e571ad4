"""What the page says beyond the samples themselves: values that come from the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rsflow.report.dataset_card.card import QualityFacts


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """`rows_in` `rows` of a step: how many were kept, and how many left by reason."""

    step: str
    rows: str
    rows_in: int
    kept: int
    left: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StageTime:
    """What a stage of a step took over all units: seconds of workers; `rows` and `bytes` that its step read."""

    step: str
    stage: str
    units: int
    rows: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source as configured, with its scenes and kept tiles in the lake; samples are counted from the shards."""

    name: str
    sensor: str
    licence: str
    scenes: int
    tiles: int


@dataclass(frozen=True, slots=True)
class MeasuredQuality:
    """How right a labeller's boxes are on the annotated tiles of this lake; None where it is not known."""

    labeller: str
    sensor: str
    category: str
    pictures: int
    true: int
    found: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class LakeFacts:
    """`wanted`: share of each split that was asked for. `origins`: labels of the lake by who made them. `quality`: of labellers
    as measured elsewhere, `measured` on this lake. `notes`: what is not known, and why."""

    funnel: tuple[FunnelStep, ...] = ()
    stages: tuple[StageTime, ...] = ()
    sources: tuple[SourceLine, ...] = ()
    wanted: Mapping[str, float] | None = None
    origins: Mapping[str, int] | None = None
    quality: tuple[QualityFacts, ...] = ()
    measured: tuple[MeasuredQuality, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotIdentity:
    """Which snapshot of which lake, and what it was made from."""

    root: str
    number: int
    digest: str
    config_fingerprint: str
    seed: int
    shards: int
    bytes: int
