"""The small networks that labellers are trained from: number types, pictures and targets that are no usual ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from rsflow.models.centre_detector import CentreDetector, CentreDetectorConfig, _standardise
from rsflow.models.unet import has_bfloat16
from rsflow.models.unet_segmenter import UNetSegmenter, UNetSegmenterConfig

NAMES: dict[str, Any] = {"id2label": {0: "ship", 1: "tank"}, "label2id": {"ship": 0, "tank": 1}, "widths": (16, 32)}


def detector() -> Any:
    torch.manual_seed(0)
    return CentreDetector(CentreDetectorConfig(**NAMES))


def target(boxes: list[list[float]]) -> dict[str, Any]:
    return {"class_labels": torch.zeros(len(boxes), dtype=torch.long), "boxes": torch.tensor(boxes).reshape(-1, 4)}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_of_half_precision_answer_as_those_of_float32(dtype: Any) -> None:
    plain, half = detector().eval(), detector().eval().to(dtype)
    pictures, labels = torch.rand(1, 3, 72, 100), [target([[0.4, 0.5, 0.2, 0.1]])]
    torch.testing.assert_close(
        half(pictures.to(dtype), labels=labels).loss, plain(pictures, labels=labels).loss, rtol=0.1, atol=0
    )
    found = half(pictures.to(dtype))
    assert (found.logits.dtype, found.pred_boxes.dtype) == (torch.float32, torch.float32)
    segmenter = UNetSegmenter(UNetSegmenterConfig(**NAMES)).eval()
    expected = segmenter(pictures).logits
    assert float((segmenter.to(dtype)(pictures.to(dtype)).logits - expected).abs().mean().detach()) < 0.1 * float(
        expected.std().detach()
    )


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [[0.5, 0.5, 0.0, 0.0]],
        [[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0]],
        [[1.0, 1.0, 0.1, 0.1], [0.0, 0.0, 0.0, 0.1]],
    ],
    ids=["none", "of no area", "twice the whole picture", "in corners"],
)
def test_every_target_of_a_plain_picture_gives_a_gradient_of_numbers(boxes: list[list[float]]) -> None:
    model = detector().train()
    model(torch.full((2, 3, 40, 24), 0.7), labels=[target(boxes), target([])]).loss.backward()
    assert all(weights.grad is not None and bool(weights.grad.isfinite().all()) for weights in model.parameters())


def test_black_that_surrounds_a_picture_does_not_change_how_it_is_standardised() -> None:
    """Padding, and ground without data."""
    picture = torch.rand(1, 3, 40, 40) + 0.01
    padded = torch.nn.functional.pad(picture, (0, 60, 0, 200))
    torch.testing.assert_close(_standardise(padded)[..., :40, :40], _standardise(picture))
    assert torch.isfinite(_standardise(torch.zeros(1, 3, 4, 4))).all()


def test_brightness_and_contrast_of_a_picture_change_nothing() -> None:
    model, picture = detector().eval(), torch.rand(1, 3, 64, 64)
    one, other = model(picture), model(0.4 * picture + 0.3)
    torch.testing.assert_close(one.logits, other.logits, rtol=1e-3, atol=1e-3)


@pytest.fixture
def older_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A torch that cannot list what the CPU has."""
    has_bfloat16.cache_clear()
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    yield
    has_bfloat16.cache_clear()


def test_an_older_torch_trains_in_float32(older_torch: None) -> None:
    assert not has_bfloat16("cpu")
    assert detector().train().network(torch.rand(2, 3, 64, 64)).dtype == torch.float32
