"""The published task mixes of the two datasets that rsflow's kind of data goes back to, to hold one's own mix against.

One idea: counts as published, so that every share in a report can be re-computed from here. A task that a dataset's table
does not list on its own is absent, never zero by assumption.
"""

from __future__ import annotations

from dataclasses import dataclass

GENERATED = ("description", "conversation", "reasoning")


@dataclass(frozen=True, slots=True)
class SeedMix:
    """`counts`: items by task. `total`: the stated size, which may hold items that the table does not break down."""

    name: str
    link: str
    counts: dict[str, int]
    total: int

    def share(self, task: str) -> float | None:
        """The task's share of the whole, or None where the table does not list it."""
        return self.counts[task] / self.total if task in self.counts else None

    @property
    def unlisted(self) -> int:
        return self.total - sum(self.counts.values())


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
)
