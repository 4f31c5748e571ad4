"""Facts of an invented dataset that several tests report on."""

from __future__ import annotations

import pytest

from rsflow.report.build_summary import BuildSummary, SceneCounts, ShardCounts
from rsflow.report.dataset_card.card import CardFacts, QualityFacts, SnapshotFacts, SourceFacts

TRAIN = {
    ("classification", "optical"): 240,
    ("classification", "sar"): 90,
    ("classification", "infrared"): 61,
    ("captioning", "optical"): 260,
    ("captioning", "sar"): 88,
    ("vqa", "optical"): 702,
    ("vqa", "infrared"): 55,
    ("grounding", "sar"): 41,
    ("region_captioning", "optical"): 12,
    ("detection", "optical"): 1_204,
    ("detection", "infrared"): 38,
    ("conversation", "optical"): 77,
}
VAL = {("detection", "optical"): 20, ("vqa", "sar"): 13}

CARD = CardFacts(
    name="Harbours by three sensors",
    snapshot=SnapshotFacts(
        root="s3://bucket/harbours",
        manifest="snapshots/3.json",
        digest="9f0c5b1d7e2a44c08d1b6a7f3e5d9c21",
        config_fingerprint="2a7d1c0b9e8f4a6db3c5d7e9f1a2b4c6",
        seed=7,
        shards=14,
        bytes=51_234_567,
    ),
    sources=(
        SourceFacts("harbour-optical", "optical", "CC-BY-4.0", 5, 176, 140),
        SourceFacts("harbour-sar", "sar", "CC0-1.0", 2, 98, 90),
        SourceFacts("harbour-infrared", "infrared", "CC0-1.0", 2, 72, 61),
    ),
    samples={"train": 270, "val": 21, "test": 0},
    instructions={"train": TRAIN, "val": VAL, "test": {}},
    rejects={"cloud": 9, "too_little_valid": 31, "unreadable": 1},
    dropped={"exact_duplicate": 16, "near_duplicate": 14, "quota": 25},
    origins={("annotation", ""): 1200, ("labeller", "cfar"): 34, ("labeller", "spectral"): 5},
    quality=(
        QualityFacts("cfar", "sar", "60 annotated ship pictures", 0.81, 0.74),
        QualityFacts("hotspot", "infrared", "200 drone pictures", 0.25, 0.18),
    ),
)

SUMMARY = BuildSummary(
    root="/data/harbours",
    scenes=SceneCounts(new=7, changed=1, done=1, rejected=1),
    tiles_kept=346,
    rejects={"cloud": 9, "too_little_valid": 31, "unreadable": 1},
    instructions=TRAIN,
    seconds={"plan": 0.31, "label": 72.6, "select": 1.02, "shard": 4_000.0},
    snapshot="/data/harbours/snapshots/3.json",
    shards=ShardCounts(14, 51_234_567, 3, {"train": 270, "val": 21}),
    balances=(
        "label: 387 windows = 346 kept + 9 cloud + 31 too_little_valid + 1 unreadable",
        "select: 346 tiles = 291 kept + " + " + ".join(f"{n} some_quite_long_reason_{n}" for n in range(10)),
    ),
)


@pytest.fixture
def card_facts() -> CardFacts:
    return CARD


@pytest.fixture
def build_summary() -> BuildSummary:
    return SUMMARY
