"""Why a checkpoint cannot be loaded, and what to do about it.

One idea: transformers reports a fault deep in its own code and in its own terms. The user has to do one of
a few things: take another labeller, fetch a file again or at all, make room, or get the model here; the texts say which.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rsflow.pretrained.device import is_out_of_memory

# By Auto class of transformers: its table of model families there, and the labellers that use it here.
_CLASSES_BY_TASK = {
    "AutoModelForObjectDetection": ("MODEL_FOR_OBJECT_DETECTION_MAPPING", "detector"),
    "AutoModelForSemanticSegmentation": ("MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING", "segmenter, land_cover"),
    "AutoModelForUniversalSegmentation": ("MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING", "segmenter, land_cover"),
    "AutoModelForImageClassification": ("MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING", "classifier"),
    "AutoModelForZeroShotObjectDetection": ("MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING", "zero_shot_detector"),
    "AutoModelForZeroShotImageClassification": ("MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING", "zero_shot_classifier"),
    "AutoModelForImageTextToText": ("MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING", "captioner, answerer, a generation engine"),
    "AutoModelForMaskGeneration": ("MODEL_FOR_MASK_GENERATION_MAPPING", "outliner"),
    "AutoModel": ("MODEL_MAPPING", "embedder"),
}
_PICTURES = ("preprocessor_config.json", "processor_config.json")
_WORDS = ("tokenizer.json", "vocab.*", "*.model", "*.spm", "*.tiktoken", "tekken.json")  # what a tokenizer's words are kept in
_POINTER = b"version https://git-lfs"


def find_wrong_architecture(model: str, model_class: str, config: Any) -> str | None:
    """What to say where a checkpoint is of a family that an Auto class does not have; None where it fits."""
    import transformers

    kinds = [name for name, (table, _) in _CLASSES_BY_TASK.items() if type(config) in getattr(transformers, table)]
    if model_class in kinds:
        return None
    fitting = ", ".join(_CLASSES_BY_TASK[name][1] for name in kinds)
    return f"{model}: is of type {config.model_type}, which {model_class} lacks; it can be used as: {fitting or 'no labeller'}"


def find_missing_weights(model: str, loaded: Any, report: Any, spare: tuple[str, ...]) -> str | None:
    """What to say where the weights are not those of the model that the configuration describes; None where they are."""
    name = type(loaded).__name__
    missing = sorted(weights for weights in report["missing_keys"] if not weights.startswith(spare))
    if missing:
        return f"{model}: lacks weights that {name} has ({len(missing)}, as {missing[0]})"
    if report["mismatched_keys"]:
        weights, found, expected = min(report["mismatched_keys"])
        shapes = f"{weights} is {tuple(found)} there and {tuple(expected)} in {name}"
        return f"{model}: config.json and the weights do not belong together: {shapes}; fetch both from one revision"
    return None


def describe_load_error(model: str, model_class: str, error: Exception) -> str:
    """The message for an error that loading a checkpoint raised."""
    from safetensors import SafetensorError

    message = _first_line(error)
    if is_out_of_memory(error):
        return (
            f"{model}: there is not enough memory to load it: {message}\nSet dtype: bfloat16 where it was saved in float32, "
            "let fewer workers share the machine or the GPU (cpus, gpus), or take a smaller model"
        )
    if isinstance(error, ImportError):
        return f"{model}: a library is missing that this model needs: {' '.join(str(error).split())}"
    folder = Path(model).expanduser()
    if isinstance(error, SafetensorError):
        return f"{model}: {_describe_damage(folder)} ({message}): fetch it again, with `hf download --force-download`"
    lacking = _missing_files(folder) if folder.is_dir() else []
    fetch = f"\nThe folder lacks {', '.join(lacking)}: fetch the whole checkpoint, as `hf download` does" if lacking else ""
    return f"{model}: transformers cannot load it as {model_class}: {message}{fetch}"


def describe_hub_error(model: str, revision: str, error: Exception) -> str:
    """The message for a hub id that is not in the local cache and that the hub does not give."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return f"{model}: is gated: accept its terms at https://huggingface.co/{model} and set HF_TOKEN on every machine"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{model}: the hub has no such model, or it is private: check the name, or set HF_TOKEN on every machine"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{model}: the hub has no revision {revision} of it: take one of https://huggingface.co/{model}/commits"
    folder = f"models/{model.rpartition('/')[2]}"
    message = _first_line(error)
    return (
        f"{model} at {revision}: is not in the local cache and cannot be downloaded here as safetensors: {message}\n"
        f"On a machine with a connection: hf download {model} --revision {revision} --local-dir {folder}\n"
        f"Then put that folder here and set model: {folder} (and no revision)"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(": ")


def _describe_damage(folder: Path) -> str:
    """Which of a folder's weights cannot be read, and how."""
    from safetensors import SafetensorError, safe_open

    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, "pt"):
                continue
        except SafetensorError:
            with open(file, "rb") as stream:
                pointer = stream.read(len(_POINTER)) == _POINTER
            return (
                f"{file.name} is a pointer of Git LFS and not the weights" if pointer else f"{file.name} is cut off or damaged"
            )
    return "its weights are cut off or damaged"


def _missing_files(folder: Path) -> list[str]:
    """Files that such a checkpoint usually has and this one has not."""
    index = folder / "model.safetensors.index.json"
    shards = set(json.loads(index.read_text())["weight_map"].values()) if index.is_file() else set()
    lacking = sorted(name for name in shards if not (folder / name).is_file())
    if not any((folder / name).is_file() for name in _PICTURES):
        lacking.append(_PICTURES[0])
    settings, words = (folder / "tokenizer_config.json").is_file(), any(any(folder.glob(name)) for name in _WORDS)
    if words and not settings:
        lacking.append("tokenizer_config.json")
    if settings and not words:
        lacking.append("tokenizer.json")
    return lacking
