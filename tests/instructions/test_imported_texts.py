"""Imported captions, questions and conversations are read, and the card tells per source how much of them was unread."""

from __future__ import annotations

import json
from pathlib import Path

from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.inspection.facts.report_facts import card_facts
from rsflow.instructions.checks.imported_texts import count_imported
from rsflow.phases.build import run
from rsflow.records import Label, Provenance, Shape, TileFacts
from rsflow.report.dataset_card.card import dataset_card

TRUTH = Provenance("annotation", "made")


def test_captions_are_held_against_the_other_labels_and_never_against_themselves() -> None:
    planes = [Label("box", "airplane", TRUTH, Shape((x, 10.0, x + 30, 40.0))) for x in (10.0, 60.0, 110.0, 160.0)]
    texts = (
        "Four airplanes are parked at the airport .",
        "There are five planes. The roofs are rusty.",
        "Grass is everywhere .",
    )
    captions = [Label("caption", "", TRUTH, text=text) for text in (*texts, texts[0])]
    facts = TileFacts("t", "optical", 256, 256, None, (*planes, *captions), ("airplane",))
    assert count_imported(facts) == {"imported_sentences": 4, "imported_unread": 2, "imported_contradicted": 1}
    assert not count_imported(TileFacts("t", "optical", 256, 256, None, tuple(planes), ("airplane",)))


def test_answers_to_imported_questions_are_read_with_their_questions() -> None:
    planes = [Label("box", "airplane", TRUTH, Shape((x, 10.0, x + 30, 40.0))) for x in (10.0, 60.0, 110.0, 160.0)]
    asked = {"How many airplanes are there?": "4", "How many airplanes do you see?": "seven", "Is the mood calm?": "yes"}
    questions = [Label("question", answer, TRUTH, text=question) for question, answer in asked.items()]
    facts = TileFacts("t", "optical", 256, 256, None, (*planes, *questions, questions[0]), ("airplane",))
    assert count_imported(facts) == {"imported_sentences": 3, "imported_unread": 1, "imported_contradicted": 1}


def test_the_card_tells_the_unread_share_of_real_captions(test_data: Path, tmp_path: Path) -> None:
    folder = test_data / "caption_vqa/ucm"
    source = {
        "name": "ucm",
        "sensor": "optical",
        "licence": "unknown",
        "scenes": {"files": f"{folder}/images/*.tif"},
        "annotations": {"format": "captions", "files": f"{folder}/dataset_ucm_subset.json"},
    }
    tiles = {"size_px": 256, "whole_up_to_px": 300}
    settings = {
        "root": str(tmp_path / "lake"),
        "sources": [source],
        "tiles": tiles,
        "select": {"allow_licences": ["unknown"]},
        "engine": {"kind": "inline"},
    }
    config = check(BuildConfig, settings, "test")
    facts = card_facts(config, run(config))
    pictures = json.loads((folder / "dataset_ucm_subset.json").read_text())["images"]
    captions = sum(len({sentence["raw"] for sentence in picture["sentences"]}) for picture in pictures)
    counts = facts.imported["ucm"]
    # One sentence each, and no label says anything of these pictures but the captions themselves.
    assert (counts["imported_sentences"], counts["imported_unread"]) == (captions, captions)
    assert f"Captions and answers of `ucm` have {captions} different sentences. In {captions} of them (100.0%)" in " ".join(
        dataset_card(facts).split()
    )
