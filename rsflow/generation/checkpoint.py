"""Checkpoints of vision-language models: a local folder in the hub's form, or a hub id pinned by revision.

One idea: what is loaded is named exactly. A folder is named by the digest of its content, a hub id by its revision; weights are
safetensors, because pickled ones run code, and a model's own code runs only where the settings say `trust_remote_code`.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from rsflow.errors import RsflowError

_CHUNK = 1 << 24


def is_folder(model: str) -> bool:
    return Path(model).is_dir() or model.startswith(("/", "./", "../"))


def pinned(model: str, revision: str) -> None:
    """ValueError for a hub id without a revision: what it names changes, and nobody could say later what wrote a text."""
    if not revision and not is_folder(model):
        raise ValueError(f"model {model} is no folder here: a hub id needs `revision`, a commit of the hub")


def named(model: str, revision: str) -> str:
    """`model@revision` for provenance: the folder's own name and content, or the hub id as pinned."""
    if is_folder(model):
        return f"{Path(model).resolve().name}@{_content(model)[:12]}"
    return f"{model}@{revision}"


def load(model: str, revision: str, trust_remote_code: bool, dtype: str, device: str) -> tuple[Any, Any]:
    """(processor, model) of an image-text-to-text checkpoint, the model on its device and ready to generate.

    Raises RsflowError that says what to install, to download or to convert, and where it has to lie.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise RsflowError(f"engine transformers: {error.name} is not installed: pip install 'rsflow[vlm]'") from error
    where: dict[str, Any] = {"revision": revision or None, "trust_remote_code": trust_remote_code}
    if is_folder(model):
        _files(model)
        where["local_files_only"] = True
    kind = "auto" if dtype == "auto" else getattr(torch, dtype)
    processors: Any = transformers.AutoProcessor  # untyped in transformers
    models: Any = transformers.AutoModelForImageTextToText
    try:
        processor = processors.from_pretrained(model, **where)
        loaded = models.from_pretrained(model, dtype=kind, use_safetensors=True, **where)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise RsflowError(_missing(model, revision, error)) from error
    return processor, loaded.to(chosen_device(device)).eval()


def chosen_device(device: str) -> str:
    """`auto` is the first accelerator, or the CPU."""
    import torch

    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def _missing(model: str, revision: str, error: Exception) -> str:
    said = " ".join(str(error).split())[:500]
    if is_folder(model):
        return f"engine transformers: {model} cannot be loaded as an image-text-to-text model: {said}"
    pin = f" --revision {revision}" if revision else ""
    return (
        f"engine transformers: {model} cannot be loaded: {said}. On a machine without network: `hf download {model}{pin} "
        "--local-dir FOLDER` where there is one, copy the folder, and set `model` to its path"
    )


def _files(folder: str) -> list[Path]:
    files = sorted(path for path in Path(folder).glob("*") if path.is_file())
    names = {path.name for path in files}
    if "config.json" not in names:
        raise RsflowError(f"{folder}: is no checkpoint: expected a folder with config.json, a processor and *.safetensors")
    if not any(name.endswith(".safetensors") for name in names):
        raise RsflowError(f"{folder}: holds no *.safetensors: pickled weights are refused, because loading them runs code")
    return files


def _content(folder: str) -> str:
    files = [(path.name, _digest(str(path), path.stat().st_size, path.stat().st_mtime_ns)) for path in _files(folder)]
    return hashlib.sha256(repr(files).encode()).hexdigest()


@lru_cache(maxsize=1024)
def _digest(path: str, size: int, changed_ns: int) -> str:
    # Size and time are keys of the cache: a file is read once per process, unless it changes.
    found = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()
