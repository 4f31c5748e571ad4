"""What a batch trains on, against each family's own processor; and how a step is shared out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rsflow.errors import ConfigError
from rsflow.loading.collate import IGNORED
from rsflow.loading.stream import stream
from rsflow.pretrained.checkpoint import Checkpoint
from rsflow.training.batches import Batch, LossReduction, make_collate, make_loader, rank_batch
from rsflow.training.model.base_model import load_base_model, resolve_dialect
from rsflow.training.settings import Data, Optimiser, TrainConfig
from tests.training.conftest import make_earthgpt, make_trainable

FAMILIES = ["earthgpt", "llava", "qwen2_vl", "qwen2_5_vl", "idefics3", "internvl"]


def template_ids(processor: Any, messages: list[Any], images: list[Any], prompt: bool) -> list[int]:
    """What the processor itself makes of a conversation."""
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
    made = processor(text=[text], images=[images], return_tensors="pt", add_special_tokens=False)
    return list(made["input_ids"][0].tolist())


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_are_what_follows_the_prompt_in_the_processors_own_conversation(
    family: str, snapshot: str, tmp_path: Path
) -> None:
    folder = make_earthgpt(tmp_path) if family == "earthgpt" else make_trainable(tmp_path, family)
    loaded = Checkpoint(folder, device="cpu").load("AutoModelForImageTextToText")
    loaded.processor.tokenizer.padding_side = "right"
    examples = list(stream(snapshot, shuffle=False, dialect="qwen3", max_samples=3))
    (batch,) = make_collate(Data(grouping="each", workers=0), loaded.processor)(examples)
    rows = [(one, instruction) for one in examples for instruction in one["instructions"]]
    assert len(batch.labels) == len(rows) == len(batch.groups)
    for number, (example, instruction) in enumerate(rows):
        turns = [{"role": turn["role"], "content": [{"type": "text", "text": turn["text"]}]} for turn in instruction["turns"]]
        turns[0]["content"].insert(0, {"type": "image"})
        picture = example["image"].permute(1, 2, 0).numpy()
        prompt = template_ids(loaded.processor, turns[:-1], [picture], prompt=True)
        whole = template_ids(loaded.processor, turns, [picture], prompt=False)
        length = int(batch.inputs["attention_mask"][number].sum())
        ids, labels = (tensor[number].tolist() for tensor in (batch.inputs["input_ids"], batch.labels))
        assert ids[:length] == whole
        assert labels[:length] == [IGNORED] * len(prompt) + whole[len(prompt) :]
        assert set(labels[length:]) <= {IGNORED}
        assert batch.groups[number] == f"{example['sensor']}/{instruction['task']}"


def test_rows_of_like_length_are_computed_together(llava: str, snapshot: str) -> None:
    processor = Checkpoint(llava, device="cpu").load("AutoModelForImageTextToText").processor
    examples = list(stream(snapshot, shuffle=False, dialect="qwen3", max_samples=6))
    examples[0]["instructions"][0]["turns"][1]["text"] = "A long answer. " * 60
    settings = Data(grouping="each", workers=0)
    (whole,) = make_collate(settings, processor)(examples)
    parts = make_collate(replace(settings, group_by_length=True), processor)(examples)
    assert len(parts) > 1
    assert parts[0].keys == whole.keys == tuple(one["key"] for one in examples)
    assert not any(part.keys for part in parts[1:])
    assert sum(part.inputs["input_ids"].numel() for part in parts) < 0.5 * whole.inputs["input_ids"].numel()
    assert (sum(part.tokens for part in parts), sum(part.label_tokens for part in parts)) == (whole.tokens, whole.label_tokens)
    assert Counter(group for part in parts for group in part.groups) == Counter(whole.groups)


@pytest.mark.parametrize(
    ("reduction", "weights"), [("token", [1, 1, 1, 1, 1]), ("sample", [0.25] * 4 + [1]), ("square", [0.5] * 4 + [1])]
)
def test_a_long_answer_weighs_as_the_reduction_says(reduction: LossReduction, weights: list[float]) -> None:
    labels = torch.tensor([[IGNORED, 5, 6, 7, 8], [9, IGNORED, IGNORED, 3, IGNORED]])  # the 9 is predicted from nothing
    assert Batch({}, labels, (), ()).label_weights(reduction).tolist() == weights


def test_sensors_are_mixed_by_weights_that_change_on_the_way(configure: Callable[..., TrainConfig], llava: str) -> None:
    mix = {"by": "sensor", "weights": [[0, {"sar": 1}], [8, {"optical": 1, "infrared": 1}]]}
    config = configure(data={"mix": mix, "workers": 0, "max_samples": 16})
    loader = make_loader(config, Checkpoint(llava, device="cpu").load("AutoModelForImageTextToText").processor, "qwen3", (0, 1))
    sensors = [group.partition("/")[0] for (batch,) in loader for group in batch.groups]
    assert set(sensors[:8]) == {"sar"}
    assert Counter(sensors[8:]) == {"optical": 4, "infrared": 4}


def test_boxes_are_spelled_for_the_size_that_the_processor_feeds(configure: Callable[..., TrainConfig], tmp_path: Path) -> None:
    config = configure(base_model=make_trainable(tmp_path, "qwen2_5_vl"))
    assert resolve_dialect(config, load_base_model(config)) == "qwen:min_pixels=256,max_pixels=1024"


@pytest.mark.parametrize(("ranks", "size", "expected"), [(1, None, 8), (2, None, 6), (4, None, 6), (8, None, 3), (2, 4, 4)])
def test_ranks_share_a_step_evenly(ranks: int, size: int | None, expected: int) -> None:
    found = rank_batch(Optimiser(batch_size=24, rank_batch=size), ranks)
    assert found == expected
    assert 24 % (ranks * found) == 0


def test_ranks_that_cannot_share_a_step_are_refused() -> None:
    with pytest.raises(ConfigError, match="batch_size: found 16 with 3 ranks, expected a multiple of them"):
        rank_batch(Optimiser(batch_size=16), 3)
    with pytest.raises(ConfigError, match=r"rank_batch: found 8 with 4 ranks .* expected a divisor of 4"):
        rank_batch(Optimiser(batch_size=16, rank_batch=8), 4)
