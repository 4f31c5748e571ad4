"""A pretrained model from a local folder or the Hugging Face hub: what identifies it, and how it is loaded.

One idea: a checkpoint is pinned. A folder is identified by the content of its files, wherever it lies; a hub id by the commit
that the configuration names, because a branch moves. Everything else is transformers' own: the Auto classes choose the model
and the processor (rsflow.pretrained.processor).

Refused: weights that are no safetensors (pickled weights run code when they are read), code that comes with a checkpoint unless
`trust_remote_code` is set, and a hub id without a full commit. Where nothing can be downloaded, the error says what to fetch on
another machine and where to put it.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rsflow.errors import RsflowError
from rsflow.pretrained.device import Device, select_device
from rsflow.pretrained.load_errors import describe_hub_error, describe_load_error, find_missing_weights, find_wrong_architecture
from rsflow.pretrained.processor import load_processor

Dtype = Literal["auto", "float32", "bfloat16", "float16"]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CONTENT = {".safetensors", ".json", ".jinja", ".txt", ".model", ".py"}  # what changes what a checkpoint does
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_ANSWER_SECONDS = 20
_LARGE_BYTES = 64 * 2**20  # a digest of a larger file is kept on disk


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`model`: a folder or a hub id (`owner/name`); `revision`: the hub's commit, empty for a folder.

    dtype `auto` is the one that the weights were saved in. device `auto`: a GPU where there is one.
    """

    model: str
    revision: str = ""
    dtype: Dtype = "auto"
    device: Device = "auto"
    trust_remote_code: bool = False

    def identity(self) -> tuple[str, str]:
        """(name, revision): of a folder its last part and a digest of its content, of a hub id the two as they are.

        Raises ValueError for a folder that is no checkpoint and for what is neither folder nor pinned hub id.
        """
        folder = Path(self.model).expanduser()
        if folder.is_dir():
            _check_folder(folder)
            return folder.resolve().name, _content_digest(folder)
        if not _HUB_ID.fullmatch(self.model):
            raise ValueError(f"model is {self.model!r}: there is no such folder, and it is no hub id (owner/name)")
        if not _COMMIT.fullmatch(self.revision):
            raise ValueError(
                f"revision is {self.revision!r}: {self.model} is no folder here, and a hub id needs the full commit (40 "
                f"hexadecimal digits, https://huggingface.co/{self.model}/commits), because a branch moves"
            )
        return self.model, self.revision

    def load(self, model_class: str, processor_class: str = "AutoProcessor", spare: tuple[str, ...] = ()) -> Loaded:
        """The model (in evaluation mode, on its device) by an Auto class of transformers, and its processor.

        Weights missing from the checkpoint would be initialised at random: only those whose names begin with one of `spare`
        may be. Raises RsflowError that says what is missing and what to do.
        """
        torch, auto, shared = self._prepare()
        device = select_device(self.device)
        dtype: Any = self.dtype if self.dtype == "auto" else getattr(torch, self.dtype)
        with self._translate_errors(model_class):
            self._check_architecture(auto, model_class, shared)
            processor = load_processor(processor_class, shared)
            # Weights of another shape would be an error there too, but one that names none of them.
            model, report = getattr(auto, model_class).from_pretrained(
                **shared, dtype=dtype, use_safetensors=True, output_loading_info=True, ignore_mismatched_sizes=True
            )
            unfit = find_missing_weights(self.model, model, report, spare)
            if unfit:
                raise RsflowError(unfit)
            if self._is_folder:
                from rsflow.models.tuning import restore_tuning

                restore_tuning(model, Path(self.model).expanduser())
            model = model.to(device).eval()
        return Loaded(model, processor, device, model.dtype)

    def first_fitting(self, *model_classes: str) -> str:
        """The first of these Auto classes that has the checkpoint's family; the first of all where none has."""
        _, auto, shared = self._prepare()
        with self._translate_errors(model_classes[0]):
            self._register_own_type()
            config = auto.AutoConfig.from_pretrained(**shared)
        fitting = (each for each in model_classes if find_wrong_architecture(self.model, each, config) is None)
        return next(fitting, model_classes[0])

    def load_for_training(self, model_class: str, classes: dict[str, Any]) -> tuple[Any, Any]:
        """The model in float32 on the CPU with these classes (`id2label`, `label2id`), and its image processor.

        What depends on the classes begins at random. Raises RsflowError as `load` does.
        """
        torch, auto, shared = self._prepare()
        with self._translate_errors(model_class):
            self._check_architecture(auto, model_class, shared)
            processor = load_processor("AutoImageProcessor", shared)
            model = getattr(auto, model_class).from_pretrained(
                **shared, dtype=torch.float32, use_safetensors=True, ignore_mismatched_sizes=True, **classes
            )
        return model, processor

    def _prepare(self) -> tuple[Any, Any, dict[str, Any]]:
        """torch, transformers, and what `from_pretrained` takes."""
        try:
            import torch
            import transformers
        except ImportError as error:
            raise RsflowError(f"{self.model}: needs torch and transformers: pip install 'rsflow[vlm]' ({error})") from error
        silence_libraries()
        folder = Path(self.model).expanduser()
        place = {"pretrained_model_name_or_path": str(folder)} if self._is_folder else self._on_the_hub()
        auto: Any = transformers  # whose Auto classes have no types
        return torch, auto, {**place, "trust_remote_code": self.trust_remote_code}

    def _check_architecture(self, auto: Any, model_class: str, shared: dict[str, Any]) -> None:
        self._register_own_type()
        config = auto.AutoConfig.from_pretrained(**shared)
        unfit = None if self.trust_remote_code else find_wrong_architecture(self.model, model_class, config)
        if unfit:
            raise RsflowError(unfit)

    def _register_own_type(self) -> None:
        """Register a family that rsflow brings with transformers, where the checkpoint is one."""
        from rsflow.models import register_model_type

        if self._is_folder:
            config_file = Path(self.model).expanduser() / "config.json"
            register_model_type(json.loads(config_file.read_text()).get("model_type", ""))

    @contextlib.contextmanager
    def _translate_errors(self, model_class: str) -> Iterator[None]:
        from safetensors import SafetensorError

        try:
            yield
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, MemoryError, SafetensorError) as error:
            raise RsflowError(self._describe_error(model_class, error)) from error

    @property
    def _is_folder(self) -> bool:
        return Path(self.model).expanduser().is_dir()

    def _describe_error(self, model_class: str, error: Exception) -> str:
        if isinstance(error, OSError) and not Path(self.model).expanduser().is_dir():
            return describe_hub_error(self.model, self.revision, error)
        return describe_load_error(self.model, model_class, error)

    def _on_the_hub(self) -> dict[str, str]:
        import huggingface_hub

        hub: Any = huggingface_hub
        if not hub.try_to_load_from_cache(self.model, "config.json", revision=self.revision):
            try:  # one request, because a download is tried for minutes before it gives up
                hub.HfApi().model_info(self.model, revision=self.revision, timeout=_ANSWER_SECONDS)
            except (OSError, hub.errors.HTTPError) as error:
                raise RsflowError(describe_hub_error(self.model, self.revision, error)) from error
        return {"pretrained_model_name_or_path": self.model, "revision": self.revision}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to run. Calls are made in inference mode; what they take is moved to the model's device first."""

    model: Any
    processor: Any
    device: str
    dtype: Any

    def __call__(self, inputs: Any) -> Any:
        """The model's output for a processor's batch, its floating tensors as float32."""
        return self.run(self.model, inputs)

    def run(self, function: Any, inputs: Any, **settings: Any) -> Any:
        """`function(**inputs, **settings)` in inference mode, the batch on the device and in the model's number type."""
        import torch

        with torch.inference_mode():
            # A copy: `to` moves a batch in place, and one that is kept for another try must not keep device memory.
            out = function(**copy.copy(inputs).to(self.device, dtype=self.dtype), **settings)
            if isinstance(out, dict):
                for name, value in out.items():
                    if torch.is_tensor(value) and value.is_floating_point():
                        out[name] = value.float()
            elif torch.is_tensor(out) and out.is_floating_point():
                out = out.float()
            return out


def silence_libraries() -> None:
    """Switch off progress bars and tables of weights: faults of weights are reported in one line."""
    from transformers.utils import logging

    hide: Callable[[], None] = logging.disable_progress_bar
    quiet: Callable[[], None] = logging.set_verbosity_error
    hide()
    quiet()


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ValueError(f"model is {folder}: the folder has no config.json, so it is no checkpoint of transformers")
    if any(folder.glob("*.safetensors")):
        return
    pickled = sorted(name.name for pattern in _PICKLED for name in folder.glob(pattern))
    if pickled:
        raise ValueError(
            f"model is {folder}: it holds pickled weights ({pickled[0]}), which run code when they are read; save them as "
            "safetensors (model.save_pretrained does) or fetch a revision that has them"
        )
    raise ValueError(f"model is {folder}: the folder has no weights (*.safetensors)")


def _content_digest(folder: Path) -> str:
    """16 hexadecimal digits of the names and contents of the files that a model is made of."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path for path in folder.rglob("*") if path.suffix in _CONTENT and path.is_file()):
        state = file.stat()
        content = _file_digest(str(file.resolve()), state.st_size, state.st_mtime_ns)
        digest.update(f"{file.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


@functools.lru_cache(maxsize=4096)
def _file_digest(path: str, size: int, mtime_ns: int) -> str:
    """Of a file's content, worked out once per size and time of change; of a large one also across processes."""
    key = hashlib.blake2b(f"{path} {size} {mtime_ns}".encode(), digest_size=16).hexdigest()
    note = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rsflow" / "digests" / key
    if size >= _LARGE_BYTES and note.is_file():
        return note.read_text()
    with open(path, "rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if size >= _LARGE_BYTES:
        _write_note(note, found)
    return found


def _write_note(note: Path, text: str) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        part = note.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(note)
    except OSError:  # a home that cannot be written: the next process reads the weights again
        return
