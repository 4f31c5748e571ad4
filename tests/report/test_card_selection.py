"""What the card says of held-out benchmarks, and of the mix before and after selection."""

from __future__ import annotations

from dataclasses import replace

from rsflow.report.card import CardFacts, dataset_card


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
