"""The device that a model runs on: which one, and what an error of it means for the process that holds it.

One idea: three faults look alike, an exception with a text, and want opposite answers. Memory that does not suffice wants less
at a time. A fault of the input wants that input left out. A fault inside the device wants another process: CUDA calls such a
context inconsistent, and every later call in the process fails alike
(https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html, the errors after which "the process must be terminated
and relaunched"). Those are known by their texts, which ROCm shares; of any other fault the device itself is asked whether it
still answers.
"""

from __future__ import annotations

import gc
import sys
from typing import Any, Literal

from rsflow.errors import DeviceLostError, RsflowError

Device = Literal["auto", "cpu", "cuda"]

_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "alloc_failed",
    "nvml_success == r",  # torch fails to tell what took the memory: https://github.com/pytorch/pytorch/issues/112377
)
_LOST = (
    "device-side assert",
    "illegal memory access",
    "illegal instruction",
    "misaligned address",
    "operation not supported on global/shared address space",
    "invalid program counter",
    "hardware stack error",
    "unspecified launch failure",
    "the launch timed out",
    "uncorrectable ecc error",
    "uncorrectable nvlink error",
    "cuda error: unknown error",
    "gpu is lost",
    "gpu requires reset",
    "fallen off the bus",
)
_MAX_MESSAGE = 300


def select_device(requested: Device) -> str:
    """The device's name for torch. Raises RsflowError where a GPU is wanted and none is there."""
    import torch

    has_cuda = torch.cuda.is_available()
    if requested == "cuda" and not has_cuda:
        raise RsflowError("a GPU is wanted, and torch sees none here: to run on the CPU set device: cpu, and gpus: 0")
    return "cuda" if has_cuda and requested != "cpu" else "cpu"


def device_for_gpus(requested: Device, gpus: float) -> Device:
    """`auto` with `gpus` requires a GPU: where it is missing, a build must not run on the CPU for days without notice."""
    return "cuda" if requested == "auto" and gpus else requested


def short_message(error: BaseException) -> str:
    """The error on one line, shortened."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_MAX_MESSAGE]}"


def is_out_of_memory(error: BaseException) -> bool:
    message = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in message for sign in _OUT_OF_MEMORY)


def raise_if_lost(error: Exception) -> None:
    """Raise DeviceLostError where this error means that nothing will work in this process any more."""
    message = str(error).lower()
    if not is_out_of_memory(error) and (any(sign in message for sign in _LOST) or _is_lost()):
        raise DeviceLostError(
            f"the device failed, and this process cannot use it any more: {short_message(error)}\n"
            "One piece of data may have caused it (an index outside the model's tables), or the device itself is broken (see "
            "`nvidia-smi`, and Xid in the kernel's log). What is done is kept: run again on Ray, where another worker goes "
            "on, and data that fails repeatedly is rejected"
        ) from error


def free_memory() -> None:
    """Give back what a GPU's allocator keeps; memory of the CPU comes back by itself."""
    cuda = _cuda()
    if cuda is not None:
        gc.collect()
        cuda.empty_cache()


def _is_lost() -> bool:
    cuda = _cuda()
    if cuda is None:
        return False
    try:
        cuda.synchronize()
    except RuntimeError:
        return True
    return False


def _cuda() -> Any:
    """torch.cuda where this process uses it, else None."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
