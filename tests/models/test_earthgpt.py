"""EarthGPT in small: what it is made of, that it saves and loads, and that pictures reach its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers", reason="needs the extra rsflow[tune]")

from rsflow.models.earthgpt import EarthGPTConfig, EarthGPTForConditionalGeneration  # noqa: E402
from rsflow.models.earthgpt.modeling import _to_grid  # noqa: E402
from rsflow.models.earthgpt.small import SmallSize, train_tokenizer, write_small_checkpoint  # noqa: E402
from rsflow.pretrained.checkpoint import Checkpoint, Loaded  # noqa: E402

TEXTS = [
    "How many ships are there?",
    "There are 12 ships at the quay.",
    "In this dark SAR image there is a ship [0.12,0.30,0.4,0.5].",
]
SIZE = SmallSize(32, 8, 16, 4, (8, 12, 16, 20), 16, 2, 300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("earthgpt")
    write_small_checkpoint(place, TEXTS, SIZE, seed=1)
    return place


@pytest.fixture
def loaded(folder: Path) -> Loaded:
    return Checkpoint(str(folder), device="cpu").load("AutoModelForImageTextToText")


def prompt(loaded: Loaded, text: str, picture: Any) -> Any:
    content = [{"type": "image"}, {"type": "text", "text": text}]
    written = loaded.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    return loaded.processor(text=[written], images=[picture], return_tensors="pt")


def picture(seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)


def test_the_same_texts_and_seed_give_the_same_files(folder: Path, tmp_path: Path) -> None:
    write_small_checkpoint(tmp_path, TEXTS, SIZE, seed=1)
    for name in ("model.safetensors", "tokenizer.json", "config.json", "processor_config.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_it_loads_by_the_auto_classes_and_saves_again(loaded: Loaded, tmp_path: Path) -> None:
    assert isinstance(loaded.model, EarthGPTForConditionalGeneration)
    loaded.model.save_pretrained(tmp_path)
    again = transformers.AutoModelForImageTextToText.from_pretrained(tmp_path)
    for (name, one), other in zip(loaded.model.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_a_picture_has_a_token_for_each_place_of_the_grid(loaded: Loaded) -> None:
    inputs = prompt(loaded, "How many ships are there?", picture(1))
    assert inputs["pixel_values"].shape == (1, 3, 32, 32)
    assert int((inputs["input_ids"] == loaded.model.config.image_token_id).sum()) == 4 * 4
    assert loaded.model.get_image_features(inputs["pixel_values"]).shape == (1, 16, 16)


def test_features_are_depths_of_the_one_encoder_and_scales_of_the_other(loaded: Loaded) -> None:
    config = loaded.model.config
    assert config.vit_layers == [1, 2, 3, 4]
    assert config.feature_size == 4 * 16 + 8 + 12 + 16 + 20 == loaded.model.projection.in_features
    pixels = prompt(loaded, "?", picture(1))["pixel_values"]
    with torch.no_grad():
        taken: list[torch.Tensor] = []
        handle = loaded.model.projection.register_forward_hook(lambda layer, inputs, output: taken.append(inputs[0]))
        loaded.model.get_image_features(pixels)
        handle.remove()
        deepest = loaded.model.vit(pixels).last_hidden_state[:, 1:]
        coarsest = loaded.model.cnn(pixels).last_hidden_state  # 1 x 1 here: every place gets the same
    assert torch.allclose(taken[0][..., 3 * 16 : 4 * 16], deepest, atol=1e-6)
    assert torch.allclose(taken[0][..., -20:], coarsest.flatten(2).transpose(1, 2).expand(-1, 16, -1), atol=1e-6)


def test_maps_come_to_the_grid_in_place() -> None:
    rows, cols = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    fine = _to_grid(torch.stack([rows, cols])[None], 4, 4)
    assert torch.equal(fine[0, :, 0].reshape(4, 4)[:, 0], torch.tensor([0.5, 2.5, 4.5, 6.5]))
    assert torch.equal(fine[0, :, 1].reshape(4, 4)[0], torch.tensor([0.5, 2.5, 4.5, 6.5]))
    assert torch.equal(_to_grid(torch.full((1, 3, 1, 1), 7.0), 4, 4), torch.full((1, 16, 3), 7.0))


def test_pictures_change_what_is_written_and_the_cache_does_not(loaded: Loaded) -> None:
    texts = set()
    for seed in range(4):
        inputs = prompt(loaded, "How many ships are there?", picture(seed))
        plain = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0}
        cached, whole = (loaded.model.generate(**inputs, **plain, use_cache=use) for use in (True, False))
        assert torch.equal(cached, whole)
        with torch.no_grad():
            texts.add(tuple(loaded.model(**inputs).logits[0, -1].topk(3).values.tolist()))
    assert len(texts) == 4


def test_a_processor_of_another_grid_is_refused(loaded: Loaded) -> None:
    inputs = prompt(loaded, "?", picture(1))
    inputs["pixel_values"] = torch.zeros(1, 3, 48, 48)
    with pytest.raises(ValueError, match="16 image tokens for 1 pictures of 36 places each"):
        loaded.model(**inputs)


def test_the_papers_sizes_are_the_defaults() -> None:
    config = EarthGPTConfig()
    assert (config.vit_config.hidden_size, config.cnn_config.hidden_sizes[-1], config.text_config.hidden_size) == (
        1024,
        1536,
        4096,
    )
    assert config.vit_layers == [6, 12, 18, 24]


def test_any_text_has_tokens_and_comes_back() -> None:
    tokenizer = train_tokenizer(TEXTS, 300)
    text = "Zwölf Schiffe: [0.07,0.99] 漢字"
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text
