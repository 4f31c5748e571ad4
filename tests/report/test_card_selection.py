"""What the card says of held-out benchmarks, and of the mix before and after selection."""

from __future__ import annotations

from dataclasses import replace

from rsflow.report.dataset_card.card import CardFacts, dataset_card
from rsflow.report.dataset_card.split_table import CATEGORIES


def test_held_out_tiles_are_counted_by_benchmark_and_test(card_facts: CardFacts) -> None:
    dropped = {"held_out:ucm:near": 3, "held_out:ucm:cluster": 2, "held_out:dior:ground": 40, "held_out:source": 7}
    card = dataset_card(replace(card_facts, dropped=dropped))
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in card.splitlines() if line.startswith("|")]
    assert [line for line in lines if line[0] in {"ucm", "dior"}] == [
        ["dior", "ground", "40"],
        ["ucm", "cluster", "2"],
        ["ucm", "near", "3"],
    ]
    assert "recognised by" not in dataset_card(card_facts)


def test_the_mix_before_selection_stands_beside_the_one_after(card_facts: CardFacts) -> None:
    card = dataset_card(replace(card_facts, made={"vqa": 300, "detection": 100}))
    rows = [line for line in card.splitlines() if line.startswith(("| task", "| vqa", "| detection"))]
    assert any("before selection" in row for row in rows)
    assert any(row.startswith("| vqa") and "75.0%" in row for row in rows)
    assert any(row.startswith("| detection") and "25.0%" in row for row in rows)


def test_what_each_split_got_stands_beside_what_was_wanted(card_facts: CardFacts) -> None:
    wanted = {"train": 3.0, "test": 1.0, "val": 0.0}
    strata = {
        ("sar", "ship"): {"train": 30, "test": 10},
        ("sar", ""): {"train": 90, "test": 10},
        ("optical", ""): {"test": 8},
        ("optical", "rare"): {"test": 8},
    }
    card = dataset_card(replace(card_facts, wanted=wanted, strata=strata))
    part = card.partition("## What each split got")[2].partition("\n## ")[0]
    assert [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line.startswith("|")][
        2:
    ] == [
        ["wanted", "", "", "75.0%", "25.0%"],
        ["optical", "all", "8", "0.0%", "100.0%"],
        ["optical", "rare", "8", "0.0%", "100.0%"],
        ["sar", "all", "100", "90.0%", "10.0%"],
        ["sar", "ship", "40", "75.0%", "25.0%"],
    ]
    assert "12.5% of the samples are where" in part  # 6 of the 48 that have a category
    assert "not listed" not in part
    many = strata | {("sar", f"c{k:02d}"): {"train": 1} for k in range(CATEGORIES)}
    card = dataset_card(replace(card_facts, wanted=wanted, strata=many))
    assert "2 rarer categories are not listed." in card
    assert "c37" in card
    assert "c38" not in card
    assert "What each split got" not in dataset_card(card_facts)
