"""EarthGPT's two stages: each trains what the paper says and nothing else."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from rsflow.pretrained.checkpoint import Checkpoint
from rsflow.training.earthgpt_stages import run_stages


def test_stage_two_trains_projection_attention_and_norms_and_stage_three_scales_and_biases(
    snapshot: str, earthgpt: str, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    base = {"root": snapshot, "base_model": earthgpt, "output": str(tmp_path), "precision": "float32", "max_steps": 2}
    few: dict[str, Any] = {"data": {"workers": 0}, "optimiser": {"batch_size": 4}}
    lines: list[str] = []
    outcome = run_stages(base, few, few, lines.append)
    before, after = (load_file(Path(folder, "model.safetensors")) for folder in (earthgpt, tmp_path / "stage-2" / "model"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    parts = ("projection.", ".self_attn.", "norm")
    assert changed
    assert all(not name.startswith(("vit.", "cnn.")) and any(part in name for part in parts) for name in changed)
    assert any(name.startswith("projection.") for name in changed)
    assert any(".self_attn." in name for name in changed)
    tuned = load_file(outcome.model / "model.safetensors")
    assert all(torch.equal(after[name], tuned[name]) for name in after)
    added = load_file(outcome.model / "tuning.safetensors")
    assert {name.rpartition(".")[2] for name in added} == {"tuned_scale", "tuned_shift"}
    assert all(name.startswith("language_model.") and "lm_head" not in name for name in added)
    assert any(value.abs().sum() > 0 for name, value in added.items() if name.endswith("tuned_shift"))
    loaded = Checkpoint(str(outcome.model), device="cpu").load("AutoModelForImageTextToText")
    found = dict(loaded.model.named_parameters())
    assert all(torch.equal(found[name], value) for name, value in added.items())
    assert run_stages(base, few, few, lines.append).was_done


def test_an_earthgpt_is_put_together_from_its_parts(earthgpt: str, tmp_path: Path) -> None:
    from rsflow.models.earthgpt.assemble import assemble

    whole = Checkpoint(earthgpt, device="cpu").load("AutoModelForImageTextToText")
    whole.model.vit.save_pretrained(tmp_path / "vit")
    whole.model.cnn.save_pretrained(tmp_path / "cnn")
    whole.model.language_model.save_pretrained(tmp_path / "text")
    whole.processor.tokenizer.save_pretrained(tmp_path / "text")
    assemble(str(tmp_path / "vit"), str(tmp_path / "cnn"), str(tmp_path / "text"), tmp_path / "made", size_px=32)
    made = Checkpoint(str(tmp_path / "made"), device="cpu").load("AutoModelForImageTextToText")
    expected, found = whole.model.state_dict(), made.model.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected if not name.startswith("projection."))


def test_the_documented_command_runs_both_stages(
    snapshot: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.set_num_threads(1)
    command = [snapshot, str(tmp_path), "--small"]
    for stage in ("stage_2", "stage_3"):
        command += [f"{stage}.max_steps=1", f"{stage}.data.workers=0", f"{stage}.optimiser.batch_size=2"]
    monkeypatch.setattr(sys, "argv", ["earthgpt.py", *command])
    runpy.run_path(str(Path(__file__).parents[2] / "pipelines" / "earthgpt.py"), run_name="__main__")
    assert f"wrote {tmp_path / 'stage-3' / 'model'}" in capsys.readouterr().out
