"""What is no finite number is a reject with its name, never certainty and never silence."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rsflow.errors import DataError
from rsflow.labellers.detector import Detector
from rsflow.labellers.embedder import Embedder
from rsflow.labellers.models.detections import RawDetection
from rsflow.labellers.models.model_labeller import (
    LabellerInput,
    LabellerOutput,
    OpenedModel,
    clip_score,
    require_finite,
    round_score,
)
from rsflow.labellers.models.oom_backoff import OomBackoff
from rsflow.labellers.outliner import Outliner
from rsflow.labellers.zero_shot_classifier import ZeroShotClassifier

NO_NUMBERS = (math.nan, math.inf, -math.inf)
MODEL: dict[str, Any] = {"model": "owner/name", "revision": "0" * 40}


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_no_score_is_made_of_what_is_no_number(value: float) -> None:
    for door in (round_score, clip_score):
        with pytest.raises(DataError, match="not_finite"):
            door(value)


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("place", range(5))
def test_a_detectors_scores_and_corners_are_numbers(value: float, place: int) -> None:
    numbers = [0.9, 1.0, 1.0, 5.0, 5.0]
    numbers[place] = value
    found = [RawDetection("ship", 0.8, (0, 0, 3, 3)), RawDetection("ship", numbers[0], numbers[1:])]
    with pytest.raises(DataError, match="not_finite"):
        Detector(**MODEL).labels(found, (9, 9))


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_classifier_and_an_outliner_refuse_them_too(value: float) -> None:
    classifier = ZeroShotClassifier(**MODEL, categories={"a ship": "ship", "a plane": "plane"})
    with pytest.raises(DataError, match="not_finite"):
        classifier.labels([0.9, value], independent=True)
    with pytest.raises(DataError, match="not_finite"):
        clip_score(value)
    assert Outliner(**MODEL).label((0, 0, 4, 4), np.zeros((9, 9), bool), 0.9) is None


def test_raw_output_is_looked_at_before_any_threshold() -> None:
    torch = pytest.importorskip("torch")
    fine = SimpleNamespace(logits=torch.tensor([[0.5, -math.inf]]), pred_boxes=torch.tensor([0.5]))
    assert require_finite(fine, "logits", "pred_boxes", "not_there") is fine
    for value in (math.nan, math.inf):
        with pytest.raises(DataError, match="pred_boxes"):
            require_finite(SimpleNamespace(logits=fine.logits, pred_boxes=torch.tensor([value])), "logits", "pred_boxes")


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_vector_holds_numbers(value: float) -> None:
    with pytest.raises(DataError, match="not_finite"):
        Embedder(**MODEL)._normalised(np.array([0.5, value], np.float32))


def test_no_word_is_written_from_logits_that_are_no_numbers() -> None:
    torch = pytest.importorskip("torch")
    from rsflow.pretrained.finite_logits import FiniteLogits, NotFiniteLogitsError

    words = torch.zeros((2, 3), dtype=torch.int64)
    fine = torch.tensor([[0.5, -math.inf], [0.1, 0.2]])
    assert FiniteLogits()(words, fine) is fine
    for row in ([math.nan, 0.5], [math.inf, 0.5], [-math.inf, -math.inf]):
        with pytest.raises(NotFiniteLogitsError, match="word 4"):
            FiniteLogits()(words, torch.tensor([[0.1, 0.2], row]))


def test_one_picture_of_a_batch_is_refused_and_the_others_are_seen() -> None:
    def infer(batch: Any, inputs: Any) -> list[LabellerOutput]:
        if any(item.gsd_m == 2 for item in batch):
            round_score(math.nan)
        return [LabellerOutput() for _ in batch]

    careful = OomBackoff(OpenedModel(lambda batch: None, infer))
    found = careful([LabellerInput(np.zeros((8, 8), np.uint8), "optical", float(gsd_m)) for gsd_m in range(5)])
    assert [isinstance(one, LabellerOutput) for one in found] == [True, True, False, True, True]
    assert isinstance(found[2], DataError)
    assert found[2].reason == "not_finite"
