"""Whole runs: what is trained changes and nothing else, the result loads, and a run is a function of its configuration."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from rsflow.errors import ConfigError
from rsflow.loading.stream import stream
from rsflow.pretrained.checkpoint import Checkpoint
from rsflow.training.run import train
from rsflow.training.settings import TrainConfig
from tests.training.conftest import SAMPLES

Configure = Callable[..., TrainConfig]


def keys_of(output: str) -> list[list[str]]:
    """The samples of each step, ranks one after the other."""
    lines = Path(output, "samples.jsonl").read_text().splitlines()
    return [[key for rank in json.loads(line)["keys"] for key in rank] for line in lines]


def weights_of(output: str) -> dict[str, torch.Tensor]:
    return dict(load_file(Path(output, "model", "model.safetensors")))


def test_a_full_run_learns_and_its_model_loads(configure: Configure) -> None:
    config = configure(epochs=6)
    outcome = train(config)
    lines = [json.loads(line) for line in Path(config.output, "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert outcome.record["counts"]["samples"] == 6 * SAMPLES
    assert outcome.record["trained_share"] == 1.0
    loaded = Checkpoint(str(outcome.model), device="cpu").load("AutoModelForImageTextToText")
    assert loaded.processor.chat_template
    assert train(config).was_done


def test_every_sample_comes_once_an_epoch_in_the_streams_order(configure: Configure, snapshot: str) -> None:
    config = configure(epochs=3)
    train(config)
    keys = [key for step in keys_of(config.output) for key in step]
    assert keys == [one["key"] for one in stream(snapshot, seed=5, batch_size=4, repeat=3)]
    assert set(Counter(keys).values()) == {3}


def test_the_same_run_gives_the_same_weights_however_it_is_computed(configure: Configure, tmp_path: Path) -> None:
    first, second = (
        configure(
            output=str(tmp_path / name),
            data={"workers": 0, "grouping": "each", "group_by_length": by_length},
            optimiser={"rank_batch": size, "loss_reduction": "square"},
        )
        for name, size, by_length in (("a", 4, False), ("b", 2, True))
    )
    for config in (first, second):
        train(config)
    assert keys_of(first.output) == keys_of(second.output)
    for (name, one), other in zip(weights_of(first.output).items(), weights_of(second.output).values(), strict=True):
        assert torch.allclose(one, other, atol=2e-4), name


def test_a_run_that_was_cut_goes_on_to_the_same_weights(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = (configure(output=str(tmp_path / name), epochs=2) for name in ("whole", "cut"))
    train(whole)
    from rsflow.training import run

    def fail_at_seven(training: Any, *arguments: Any) -> None:
        if training.step == 7:
            raise KeyboardInterrupt
        save(training, *arguments)

    save = run._after_step
    monkeypatch.setattr(run, "_after_step", fail_at_seven)
    with pytest.raises(KeyboardInterrupt):
        train(cut)
    monkeypatch.undo()
    assert len(keys_of(cut.output)) == 7  # of which three, after the checkpoint of step 4, are done again
    lines: list[str] = []
    train(cut, lines.append)
    assert "goes on after step 4" in lines
    assert keys_of(cut.output) == keys_of(whole.output)
    for name, value in weights_of(whole.output).items():
        assert torch.equal(value, weights_of(cut.output)[name]), name


def test_another_learning_rate_cannot_resume_and_other_ranks_or_logs_can(configure: Configure) -> None:
    train(configure(max_steps=2))
    with pytest.raises(ConfigError, match=r"max_steps \(was 2, now null\), optimiser.learning_rate \(was 0.003, now 0.1\)"):
        train(configure(optimiser={"learning_rate": 0.1}))
    assert train(configure(max_steps=2, log={"every_steps": 1}, optimiser={"rank_batch": 2})).was_done


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["full", "lora", "moe_lora", "bias"])
def test_each_regime_changes_only_what_it_trains(
    kind: str, precision: str, configure: Configure, qwen: str, tmp_path: Path
) -> None:
    config = configure(base_model=qwen, regime={"kind": kind}, precision=precision, max_steps=3)
    outcome = train(config)
    base = load_file(Path(qwen, "model.safetensors"))
    trained = weights_of(config.output)
    assert trained.keys() == base.keys()
    changed = {name for name, value in trained.items() if not torch.equal(value.float(), base[name].to(value.dtype).float())}
    if kind == "full":
        assert changed
    elif kind == "lora":
        assert changed
        assert all("language_model" in name or name.startswith("model.layers") for name in changed)
    else:
        assert not changed
        assert Path(config.output, "model", "tuning.safetensors").is_file()
    assert 0 < outcome.record["trained_share"] <= 1
    assert (outcome.record["trained_share"] < 0.6) == (kind != "full")
    loaded = Checkpoint(str(outcome.model), device="cpu").load("AutoModelForImageTextToText")
    assert loaded.model is not None


def test_gradient_checkpointing_changes_nothing(configure: Configure, tmp_path: Path, qwen: str) -> None:
    outputs = []
    for name, on in (("plain", False), ("checkpointed", True)):
        config = configure(
            base_model=qwen, output=str(tmp_path / name), regime={"kind": "moe_lora"}, gradient_checkpointing=on, max_steps=2
        )
        train(config)
        outputs.append(load_file(tmp_path / name / "model" / "tuning.safetensors"))
    for name, value in outputs[0].items():
        assert torch.allclose(value, outputs[1][name], atol=1e-5), name
