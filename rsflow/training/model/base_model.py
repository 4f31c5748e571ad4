"""The model that a run starts from, its processor, and the dialect that its family spells boxes in.

Refused, before anything is trained: a checkpoint that is missing or of another kind, and a processor that does not belong to
the model (its token ids exceed the model's vocabulary, its pictures have other tokens than the model makes features, its
pictures have another size than boxes are spelled for).
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import huggingface_hub
import torch

from rsflow.dialects import get_dialect
from rsflow.errors import ConfigError, RsflowError
from rsflow.loading.stream import stream
from rsflow.models.tuning import SETTINGS_FILE
from rsflow.pretrained.checkpoint import Checkpoint, Loaded
from rsflow.training.batches import make_collate
from rsflow.training.settings import TrainConfig

# model_type of transformers -> dialect. Where the dialect depends on the processor's limits, they are added.
FAMILY_DIALECTS = {
    "earthgpt": "mmrs",
    "internvl": "internvl",
    "llava": "llava",
    "llava_next": "llava",
    "qwen2_vl": "qwen2",
    "qwen2_5_vl": "qwen",
    "qwen3_vl": "qwen3",
    "qwen3_vl_moe": "qwen3",
}
_DEFAULT_DIALECT = "qwen3"  # thousandths of the picture: true however a processor resizes it
_CHECKED_SAMPLES = 2
_PROCESSOR_SUFFIXES = {".json", ".jinja", ".txt", ".model", ".tiktoken", ".spm"}
_MODEL_FILES = ("config.json", "generation_config.json", "model.", "run.json")  # which the trained model has of its own


def load_base_model(config: TrainConfig) -> Loaded:
    """The model, in the number type that it was saved in, and its processor, on this process's device. RsflowError that says
    what is missing."""
    checkpoint = Checkpoint(config.base_model, config.revision, device=config.device)
    try:
        checkpoint.identity()
    except ValueError as error:
        raise ConfigError(f"base_model: {error}") from error
    if (tuning := Path(config.base_model).expanduser() / SETTINGS_FILE).is_file():
        raise ConfigError(
            f"base_model: {config.base_model} is itself the result of a tuning ({tuning.name}), which another run cannot go "
            "on from: train its own base, with regime full or lora where the result is to be trained further"
        )
    loaded = checkpoint.load("AutoModelForImageTextToText")
    words = loaded.processor.tokenizer
    rows = loaded.model.get_input_embeddings().weight.shape[0]
    if len(words) > rows:
        raise ConfigError(
            f"{config.base_model}: its processor has {len(words):,} tokens, its model {rows:,}: they do not belong together; "
            "fetch both from one revision, or resize the model's embeddings and save it"
        )
    if words.pad_token_id is None:
        words.pad_token = words.eos_token
    return loaded


def copy_processor_files(config: TrainConfig, folder: Path) -> None:
    """Put the base's own processor and tokenizer files into `folder`: byte for byte, for nothing of them was trained."""
    base = Path(config.base_model).expanduser()
    if not base.is_dir():
        hub: Any = huggingface_hub
        base = Path(hub.snapshot_download(config.base_model, revision=config.revision, local_files_only=True))
    for file in sorted(base.iterdir()):
        if file.is_file() and file.suffix in _PROCESSOR_SUFFIXES and not file.name.startswith(_MODEL_FILES):
            shutil.copyfile(file, folder / file.name)


def resolve_dialect(config: TrainConfig, loaded: Loaded) -> str:
    """The dialect's name, with the limits of the processor that pictures really pass where it counts in their pixels."""
    if config.data.dialect != "auto":
        get_dialect(config.data.dialect)
        return config.data.dialect
    name = FAMILY_DIALECTS.get(loaded.model.config.model_type, _DEFAULT_DIALECT)
    if name != "qwen":
        return name
    size: Any = loaded.processor.image_processor.size
    return f"qwen:min_pixels={size['shortest_edge']},max_pixels={size['longest_edge']}"


def check_prompt_tokens(processor: Any) -> None:
    """ConfigError where the chat template's prompt for an answer ends otherwise than the same words do in training.

    A prompt that ends with a space is the usual case: in training the space and the answer's first word are one token, so a
    model that is asked sees tokens that it never saw in training, and says anything. More white space before the same last
    character does no such harm: LLaVA-OneVision's template has a space before its line break in training alone.
    """
    question, answer = ({"role": role, "content": [{"type": "text", "text": "Water"}]} for role in ("user", "assistant"))
    prefix, conversation = (
        processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=is_prompt)
        for turns, is_prompt in (([question], True), ([question, answer], False))
    )
    tokenize = partial(processor.tokenizer, add_special_tokens=False, return_offsets_mapping=True)
    prompt, whole = tokenize(prefix)["input_ids"], tokenize(conversation)
    if whole["input_ids"][: len(prompt)] == prompt:
        return
    start = conversation.rfind("Water")
    is_same_text = conversation[:start].split() == prefix.split() and conversation[start - 1] == prefix[-1]
    if not is_same_text or start not in (first for first, _ in whole["offset_mapping"]):
        raise ConfigError(
            f"the processor's chat template ends a prompt with {prefix[-12:]!r}, but in training "
            f"{conversation[:start][-12:]!r} stands before an answer, with other tokens: "
            "let both be the same, and end before a space (chat_template.jinja)"
        )


def check_first_samples(config: TrainConfig, loaded: Loaded, dialect: str) -> None:
    """Show the model the split's first samples. ConfigError, SnapshotError where they cannot be collated, or the model refuses
    what its processor made."""
    data = config.data
    batch = stream(
        config.root, data.split, _CHECKED_SAMPLES, shuffle=False, dialect=dialect, tasks=data.tasks, sensors=data.sensors,
        max_samples=_CHECKED_SAMPLES, rank=0, world_size=1,
    )  # fmt: skip
    made, *_ = make_collate(data, loaded.processor)(list(batch))
    check_prompt_tokens(loaded.processor)
    try:
        with torch.autocast(loaded.device, torch.bfloat16, enabled=config.precision == "bfloat16"):
            loaded.run(loaded.model.forward, _Movable(made.inputs))
    except (ValueError, IndexError, TypeError) as error:
        kinds = f"{type(loaded.model).__name__} refuses what {type(loaded.processor).__name__} made of the first samples"
        raise ConfigError(f"{config.base_model}: {kinds}: {' '.join(str(error).split())[:300]}") from error
    except RuntimeError as error:
        raise RsflowError(f"{config.base_model}: the first samples fail: {' '.join(str(error).split())[:300]}") from error


class _Movable(dict[str, Any]):
    """A batch that moves like a processor's own: floating tensors also take the number type."""

    def to(self, device: str, dtype: torch.dtype) -> _Movable:
        moved = {
            name: value.to(device, dtype=dtype if value.is_floating_point() else value.dtype) for name, value in self.items()
        }
        return _Movable(moved)
