"""The card says what its facts say: numbers re-derived here, and a golden card that a person can read."""

from __future__ import annotations

import ast
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from rsflow.report.dataset_card.card import CardFacts, QualityFacts, dataset_card
from rsflow.report.dataset_card.seed_mixes import MMRS_1M, RS_GPT4V
from rsflow.report.dataset_card.split_table import split_error, split_rows
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry, Split, index_path, write_snapshot
from rsflow.shards.writer import write_shard

GOLDEN = Path(__file__).parents[2] / "golden" / "card.md"


def tables(card: str) -> dict[str, list[list[str]]]:
    """Every table of the card by the heading above it: rows of cells, the head first."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in card.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|") and not set(line) <= set("|-: "):
            found.setdefault(heading, []).append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def test_the_card_is_the_golden_one(card_facts: CardFacts) -> None:
    assert dataset_card(card_facts) == GOLDEN.read_text()


def test_every_sum_is_the_sum_of_the_facts(card_facts: CardFacts) -> None:
    card, train, val = tables(dataset_card(card_facts)), card_facts.instructions["train"], card_facts.instructions["val"]
    counts = {row[0]: row[1] for row in card["What is in it"]}
    assert counts["scenes"] == str(5 + 2 + 2)
    assert counts["tiles kept"] == str(176 + 98 + 72)
    assert counts["samples (tiles with their chosen instructions)"] == str(270 + 21)
    assert counts["instructions"] == f"{sum(train.values()) + sum(val.values()):,}"
    head, *rows = card["Instructions by task and sensor"]
    for task, *cells in rows[:-1]:
        numbers = [int(cell.replace(",", "")) for cell in cells]
        assert numbers[:-1] == [train.get((task, s), 0) + val.get((task, s), 0) for s in head[1:-1]]
        assert numbers[-1] == sum(numbers[:-1])
    columns = [[int(cell.replace(",", "")) for cell in column] for column in zip(*(row[1:] for row in rows), strict=True)]
    assert all(sum(column[:-1]) == column[-1] for column in columns)
    assert {task for task, *_ in rows[:-1]} == {task for task, _ in [*train, *val]}


def test_shares_are_of_all_instructions_and_the_seeds_are_as_published(card_facts: CardFacts) -> None:
    head, *rows = tables(dataset_card(card_facts))["The mix beside its models"]
    assert head[2:] == ["MMRS-1M", "RS-GPT4V"]
    train, val = card_facts.instructions["train"], card_facts.instructions["val"]
    shares = {row[0]: row[1:] for row in rows}
    total = sum(train.values()) + sum(val.values())
    assert shares["detection"] == [f"{(1_204 + 38 + 20) / total:.1%}", "57.2%", "–"]
    assert shares["conversation"][1:] == ["–", "–"]
    listed = ("captioning", "vqa", "grounding", "classification")
    assert [shares[task][1] for task in listed] == ["19.8%", "14.0%", "3.1%", "2.9%"]
    assert sum(float(own.rstrip("%")) for own, *_ in shares.values()) == pytest.approx(100, abs=0.5)
    assert sum(MMRS_1M.counts.values()) == MMRS_1M.total
    # RSVQA alone is about 69 % of RS-GPT4V; about 71,500 of its pairs are not in the table.
    assert (57_223 + 625_340) / RS_GPT4V.total == pytest.approx(0.69, abs=0.005)
    assert RS_GPT4V.unlisted == pytest.approx(71_500, abs=100)


def test_f1_is_the_harmonic_mean() -> None:
    assert QualityFacts("cfar", "sar", "x", 0.5, 0.5).f1 == pytest.approx(0.5)
    assert QualityFacts("cfar", "sar", "x", 1.0, 0.5).f1 == pytest.approx(2 / 3)
    assert QualityFacts("cfar", "sar", "x", 0.0, 0.0).f1 == 0


def test_every_source_reason_and_digest_is_named(card_facts: CardFacts) -> None:
    card = dataset_card(card_facts)
    for word in (
        "harbour-sar",
        "CC-BY-4.0",
        "too little valid",
        "exact duplicate",
        card_facts.snapshot.digest,
        "`snapshots/3.json`",
    ):
        assert word in card
    assert card_facts.snapshot.config_fingerprint in card


def test_an_empty_dataset_still_has_a_card(card_facts: CardFacts) -> None:
    empty = CardFacts("Nothing", replace(card_facts.snapshot, shards=0, bytes=0), (), {}, {}, {}, {})
    card = dataset_card(empty)
    assert "none." in card
    assert "0.0%" in card
    assert "nan" not in card.lower()


def test_a_pipe_in_a_licence_does_not_break_its_table(card_facts: CardFacts) -> None:
    sources = (replace(card_facts.sources[0], licence="MIT | Apache-2.0"),)
    rows = [
        line for line in dataset_card(replace(card_facts, sources=sources)).splitlines() if line.startswith("| harbour-optical")
    ]
    assert len(re.split(r"(?<!\\)\|", rows[0])) == 8


def test_the_code_on_the_card_is_python(card_facts: CardFacts) -> None:
    blocks = re.findall(r"```python\n(.*?)```", dataset_card(card_facts), flags=re.S)
    assert len(blocks) == 2
    for block in blocks:
        ast.parse(block)


def test_the_plain_webdataset_code_reads_a_snapshot(tmp_path: Path, card_facts: CardFacts) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), (1, 2, 3)).save(picture, "PNG")
    samples = [Sample(f"{i:020x}", picture.getvalue(), "png", {"sensor": "sar", "instructions": []}) for i in range(3)]
    path = "shards/train/a.tar"
    info = write_shard(str(tmp_path / path), str(tmp_path / index_path(path)), samples)
    entry = ShardEntry(path, info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)
    number = write_snapshot(str(tmp_path), Manifest("f", 0, {"train": Split((entry,))}))
    snapshot = replace(card_facts.snapshot, root=str(tmp_path), manifest=f"snapshots/{number}.json")
    code = re.findall(r"```python\n(.*?)```", dataset_card(replace(card_facts, snapshot=snapshot)), flags=re.S)[1]
    scope: dict[str, object] = {"seen": []}
    exec(code + "    seen.append((picture.size, sample['__key__'], record['sensor']))\n", scope)
    assert scope["seen"] == [((8, 8), sample.key, "sar") for sample in samples]


def test_a_split_that_nobody_wanted_counts_as_wrong_in_full() -> None:
    strata = {("optical", "ship"): {"train": 5, "test": 1}}
    assert split_error({"train": 1.0}, strata) == pytest.approx(1 / 6)
    assert split_error({"train": 0.5, "test": 0.5}, strata) == pytest.approx(2 / 6)
    head, rows = split_rows({"train": 1.0}, strata)
    assert head[-2:] == ["train", "test"]
    assert rows[-1][-2:] == ["83.3%", "16.7%"]


def test_labels_of_a_labeller_that_was_never_measured_are_no_annotations(card_facts: CardFacts) -> None:
    card = dataset_card(replace(card_facts, quality=(), origins={("labeller", "spectral"): 7}))
    assert "annotations of the sources: 0. Labels that a labeller made: 7 by `spectral`." in card
    assert "those of `spectral` are was not measured" in card


def test_the_share_of_sentences_that_nothing_could_read_is_told(card_facts: CardFacts) -> None:
    count = {"claimed_sentences": 40.0, "claimed_replaced": 3.0, "claimed_dropped": 1.0, "free_sentences": 200.0}
    card = dataset_card(replace(card_facts, sentences={**count, "unread_sentences": 50.0}))
    assert "40 sentences with claims" in card
    assert "3 were replaced by a rule's sentence and 1 dropped" in card
    assert "50 of them (25.0%) no rule could compare anything" in card
    assert "sentences" not in dataset_card(replace(card_facts, sentences={}))
