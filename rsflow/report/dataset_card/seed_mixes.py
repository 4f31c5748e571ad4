"""The published task mixes of the two datasets that rsflow's kind of data goes back to, to hold one's own mix against.

One idea: counts as published, so that every share in a report can be re-computed from here. A task that a dataset's table
does not list on its own is absent, never zero by assumption.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GENERATED = ("description", "conversation", "reasoning")


@dataclass(frozen=True, slots=True)
class PublishedCounts:
    """The number of a table for one task from one source; None where it has none."""

    train_pictures: int | None = None
    train_pairs: int | None = None
    test_pictures: int | None = None
    test_pairs: int | None = None


@dataclass(frozen=True, slots=True)
class SeedMix:
    """`counts`: items by task. `total`: the stated size, which may hold items that the table does not break down.

    `sources`: the table by (task, source), sources called as in configs/.
    """

    name: str
    link: str
    counts: dict[str, int]
    total: int
    sources: dict[tuple[str, str], PublishedCounts] = field(default_factory=dict)

    def share(self, task: str) -> float | None:
        """The task's share of the whole, or None where the table does not list it."""
        return self.counts[task] / self.total if task in self.counts else None

    @property
    def unlisted(self) -> int:
        return self.total - sum(self.counts.values())


_CAPTIONS = ("nwpu_captions", "rsicd", "rsitmd", "sydney_captions", "ucm_captions")
_CLASSES = ("nwpu_resisc45", "eurosat", "ucm", "whu_rs19", "rsscn7", "dscr", "fgscr_42")
_OBJECTS = (
    *("dota_v2", "dior", "fair1m", "nwpu_vhr10", "hrrsd", "rsod", "ucas_aod", "visdrone", "ssdd", "hrsid", "air_sarship_2"),
    *("hit_uav", "sea_shipping", "infrared_security", "aerial_mancar", "double_light_vehicle", "oceanic_ship"),
)

# Image-text pairs by task, table of https://arxiv.org/abs/2401.16822.
MMRS_1M = SeedMix(
    "MMRS-1M",
    "https://arxiv.org/abs/2401.16822",
    {
        "classification": 28_705,
        "captioning": 198_883,
        "vqa": 141_264,
        "grounding": 30_820,
        "region_captioning": 30_820,
        "detection": 575_350,
    },
    1_005_842,
    # The paper names the sources of each task and counts tasks only.
    {
        **{("captioning", source): PublishedCounts() for source in _CAPTIONS},
        **{("vqa", source): PublishedCounts() for source in ("floodnet", "rsvqa_lr", "rsivqa", "crsvqa")},
        **{("classification", source): PublishedCounts() for source in _CLASSES},
        **{("detection", source): PublishedCounts() for source in _OBJECTS},
        ("grounding", "dior_rsvg"): PublishedCounts(train_pairs=30_820),
        ("region_captioning", "dior_rsvg"): PublishedCounts(train_pairs=30_820),
    },
)

# Training question-answer pairs by source, summed to tasks: https://arxiv.org/abs/2406.12479. Captioning is NWPU-Captions,
# RSICD, RSITMD, Sydney-Captions and UCM-Captions; vqa is RSVQA-LR, RSVQA-HR, FloodNet and RSIVQA; the rest DIOR-RSVG.
RS_GPT4V = SeedMix(
    "RS-GPT4V",
    "https://arxiv.org/abs/2406.12479",
    {
        "captioning": 125_894 + 17_813 + 20_096 + 2_294 + 7_999,
        "vqa": 57_223 + 625_340 + 4_511 + 19_218,
        "grounding": 19_643,
        "region_captioning": 19_643,
    },
    991_206,
    {
        ("captioning", "nwpu_captions"): PublishedCounts(25_200, 125_894, 3_150),
        ("captioning", "rsicd"): PublishedCounts(8_734, 17_813, 1_093, 1_093),
        ("captioning", "rsitmd"): PublishedCounts(4_291, 20_096),
        ("captioning", "sydney_captions"): PublishedCounts(497, 2_294, 58, 58),
        ("captioning", "ucm_captions"): PublishedCounts(1_680, 7_999, 210, 210),
        ("vqa", "rsvqa_lr"): PublishedCounts(572, 57_223, 100, 10_004),
        ("vqa", "rsvqa_hr"): PublishedCounts(6_251, 625_340, 2_226, 222_684),
        ("vqa", "floodnet"): PublishedCounts(1_448, 4_511),
        ("vqa", "rsivqa"): PublishedCounts(5_401, 19_218),
        ("grounding", "dior_rsvg"): PublishedCounts(9_466, 19_643, 7_936, 18_677),
        ("region_captioning", "dior_rsvg"): PublishedCounts(9_466, 19_643),
    },
)

SEEDS = (RS_GPT4V, MMRS_1M)
