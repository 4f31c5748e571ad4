"""A small snapshot of three sensors, and checkpoints with random weights whose templates mark who speaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rsflow.config.validation import check
from rsflow.shards.manifest import Manifest, write_snapshot
from rsflow.training.settings import TrainConfig
from tests.loading.conftest import make_sample, write_split

pytest.importorskip("transformers", reason="needs the extra rsflow[tune]")

SAMPLES = 22
Settings = dict[str, Any]


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A root with 22 samples in three train shards."""
    root = tmp_path_factory.mktemp("train-lake")
    pixels: dict[str, np.ndarray[Any, np.dtype[np.uint8]]] = {}
    bounds = [(0, 9), (9, 16), (16, SAMPLES)]
    shards = [sorted((make_sample(i, "train", pixels) for i in range(*each)), key=lambda one: one.key) for each in bounds]
    write_snapshot(str(root), Manifest("f" * 32, 0, {"train": write_split(root, "train", shards)}))
    return str(root)


def make_trainable(folder: Path, family: str) -> str:
    """A checkpoint of `family` (tests.checkpoints) whose chat template names the speaker and closes every turn."""
    from tests.checkpoints import MAKERS

    torch.manual_seed(3)
    MAKERS[family](folder)
    template = folder / "chat_template.jinja"
    image = template.read_text().split("== 'image' %}")[1].split("{% else %}")[0]
    template.write_text(
        "{% for message in messages %}<s> {{ message['role'] }} : {% for content in message['content'] %}"
        "{% if content['type'] == 'image' %}" + image + "{% else %}{{ content['text'] }} {% endif %}{% endfor %}</s>"
        "{% endfor %}{% if add_generation_prompt %}<s> assistant : {% endif %}"
    )
    return str(folder)


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_trainable(tmp_path_factory.mktemp("qwen"), "qwen2_vl")


@pytest.fixture(scope="session")
def llava(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_trainable(tmp_path_factory.mktemp("llava"), "llava")


@pytest.fixture(scope="session")
def earthgpt(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_earthgpt(tmp_path_factory.mktemp("earthgpt"))


def make_earthgpt(folder: Path) -> str:
    """A small EarthGPT whose tokenizer merges words with the space before them."""
    from rsflow.models.earthgpt.small import SmallSize, write_small_checkpoint

    texts = ["A harbour with water and ships. Water is where the ships are.", "How many ships? Find the ship."] * 10
    write_small_checkpoint(folder, texts, SmallSize(32, 8, 16, 4, (8, 12, 16, 20), 16, 2, 340), seed=1)
    return str(folder)


@pytest.fixture
def configure(snapshot: str, llava: str, tmp_path: Path) -> Callable[..., TrainConfig]:
    """A configuration: small steps in float32 on the CPU; keyword arguments replace or add settings by section."""
    torch.set_num_threads(1)

    def make(**settings: Any) -> TrainConfig:
        base: Settings = {
            "root": snapshot,
            "base_model": llava,
            "output": str(tmp_path / "run"),
            "seed": 5,
            "regime": {"kind": "full"},
            "data": {"workers": 0},
            "optimiser": {"batch_size": 4, "learning_rate": 0.003},
            "precision": "float32",
            "device": "cpu",
            "log": {"keys": True, "every_steps": 2},
            "checkpoints": {"every_steps": 4},
        }
        for name, value in settings.items():
            base[name] = {**base.get(name, {}), **value} if isinstance(value, dict) and name != "regime" else value
        return check(TrainConfig, base, "test")

    return make
