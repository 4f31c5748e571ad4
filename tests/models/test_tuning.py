"""Tuned layers begin as the layers that they were, do what their formulas say, and come back from their files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from rsflow.errors import RsflowError
from rsflow.models.tuned_layers import BiasScaleLinear, MoeLoraLinear
from rsflow.models.tuning import Tuning, apply_tuning, restore_tuning, save_tuned


def layer(bias: bool = True) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(6, 5, bias=bias)


@pytest.mark.parametrize("bias", [True, False])
def test_both_begin_as_the_layer_that_they_were(bias: bool) -> None:
    inputs = torch.randn(2, 3, 6)
    expected = layer(bias)(inputs)
    assert torch.equal(BiasScaleLinear.convert(layer(bias))(inputs), expected)
    assert torch.allclose(MoeLoraLinear.convert(layer(bias), 2, 4.0, 3, 2)(inputs), expected)


def test_a_scale_and_a_shift_for_each_output() -> None:
    tuned, inputs = BiasScaleLinear.convert(layer()), torch.randn(4, 6)
    nn.init.normal_(tuned.tuned_scale)
    nn.init.normal_(tuned.tuned_shift)
    assert torch.allclose(tuned(inputs), layer()(inputs) * tuned.tuned_scale + tuned.tuned_shift)


def test_experts_are_weighed_by_the_router_token_by_token() -> None:
    tuned = MoeLoraLinear.convert(layer(), rank=2, alpha=6.0, experts=4, active=2)
    nn.init.normal_(tuned.experts_b)
    nn.init.normal_(tuned.router)
    inputs = torch.randn(2, 3, 6)
    found = tuned(inputs)
    for row in range(2):
        for token in range(3):
            x = inputs[row, token]
            chances = (tuned.router @ x).softmax(0)
            best = chances.topk(2).indices.tolist()
            added = sum(chances[e] / chances[best].sum() * (tuned.experts_b[e] @ tuned.experts_a[e] @ x) for e in best)
            assert torch.allclose(found[row, token], layer()(x) + 3.0 * added, atol=1e-5)


def test_the_balance_loss_is_one_for_even_loads_and_the_number_of_experts_for_one_expert() -> None:
    tuned = MoeLoraLinear.convert(layer(), 2, 4.0, experts=4, active=1)
    tuned.train()
    with torch.no_grad():
        tuned.router.zero_()
        tuned.router[:, :4] = 20 * torch.eye(4)
    tuned(torch.eye(6)[None, :4])
    assert tuned.balance_loss is not None
    assert tuned.balance_loss.item() == pytest.approx(1.0, abs=1e-3)
    tuned(torch.eye(6)[None, :1].expand(1, 8, 6))
    assert tuned.balance_loss.item() == pytest.approx(4.0, abs=1e-3)
    assert tuned.loads is not None
    assert torch.allclose(tuned.loads, torch.tensor([[1.0, 0.0, 0.0, 0.0]]))


def test_a_layer_is_tuned_once() -> None:
    model = nn.Sequential(layer())
    apply_tuning(model, Tuning("bias", ("0",), {}))
    with pytest.raises(RsflowError, match="no plain linear layer 0"):
        apply_tuning(model, Tuning("bias", ("0",), {}))


class Saved(nn.Sequential):
    def save_pretrained(self, folder: Path, state_dict: dict[str, torch.Tensor]) -> None:
        assert set(state_dict) == {"0.weight", "0.bias"}


def test_a_tuning_comes_back_from_its_files(tmp_path: Path) -> None:
    tuning = Tuning("moe_lora", ("0",), {"rank": 2, "alpha": 4.0, "experts": 3, "active": 2})
    model = Saved(layer())
    for value in apply_tuning(model, tuning).values():
        nn.init.normal_(value)
    save_tuned(model, tuning, tmp_path)
    again = nn.Sequential(layer())
    assert restore_tuning(again, tmp_path)
    inputs = torch.randn(3, 6)
    assert torch.equal(again(inputs), model(inputs))
    assert not restore_tuning(again, tmp_path / "elsewhere")


def test_a_damaged_tuning_is_refused(tmp_path: Path) -> None:
    tuning = Tuning("bias", ("0",), {})
    model = Saved(layer())
    apply_tuning(model, tuning)
    save_tuned(model, tuning, tmp_path)
    weights = tmp_path / "tuning.safetensors"
    weights.write_bytes(weights.read_bytes()[:-3])
    with pytest.raises(RsflowError, match=r"tuning.json: the tuning cannot be read .* copy the model's folder again"):
        restore_tuning(nn.Sequential(layer()), tmp_path)
