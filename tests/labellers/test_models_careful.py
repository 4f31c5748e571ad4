"""Batches that do not fit and pictures that break a model: each costs itself, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsflow.errors import DataError, DeviceLostError, RsflowError
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel
from rsflow.labellers.models.oom_backoff import GREY_PX, OomBackoff

NO_MEMORY = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
)


def make_input(number: int, rows: int = 4) -> LabellerInput:
    return LabellerInput(np.full((rows, 5), number, np.uint8), "optical", None)


def opened(check: Callable[[Sequence[LabellerInput]], None], log: list[int] | None = None) -> OpenedModel:
    """A model that sees a picture's first pixel, once `check` lets the batch pass; `log` gets the batches' sizes."""

    def infer(batch: Sequence[LabellerInput], inputs: list[Any]) -> list[LabellerOutput]:
        if log is not None:
            log.append(len(batch))
        check(batch)
        return [LabellerOutput(vector=np.array([number], np.float32)) for number in inputs]

    return OpenedModel(lambda batch: [one.picture.flat[0] for one in batch], infer)


def numbers(found: Sequence[LabellerOutput | DataError]) -> list[Any]:
    return [int(one.vector[0]) if isinstance(one, LabellerOutput) and one.vector is not None else one.reason for one in found]  # type: ignore[union-attr]


@given(count=st.integers(1, 20), fits=st.integers(1, 20), bad=st.sets(st.integers(0, 19)), at_prepare=st.booleans())
def test_just_the_bad_ones_leave_whatever_fits(count: int, fits: int, bad: set[int], at_prepare: bool) -> None:
    def check(batch: Sequence[LabellerInput]) -> None:
        if len(batch) > fits:
            raise RuntimeError(NO_MEMORY)
        if any(int(one.picture.flat[0]) in bad for one in batch):
            raise ValueError("poison")

    made = opened(check)
    if at_prepare:
        made = OpenedModel(lambda batch: (check(batch), opened(check).prepare(batch))[1], opened(lambda _: None).infer)
    careful = OomBackoff(made)
    batch = [make_input(i) for i in range(count)]
    expected = ["model_failed" if i in bad else i for i in range(count)]
    for _ in range(2):
        assert numbers(careful(batch, careful.prepare(batch))) == expected


def test_the_number_that_fits_is_remembered_for_its_size_only() -> None:
    def check(batch: Sequence[LabellerInput]) -> None:
        if len(batch) * batch[0].size[0] > 12:
            raise MemoryError("no")

    log: list[int] = []
    careful = OomBackoff(opened(check, log))
    careful([make_input(i) for i in range(8)])
    assert log == [8, 4, 2, 2, 2, 2]  # 3 of them would fit: halves are tried
    log.clear()
    careful([make_input(i) for i in range(8)])
    assert log == [2, 2, 2, 2]
    assert careful.prepare([make_input(i) for i in range(8)]) is None
    log.clear()
    careful([make_input(i, rows=2) for i in range(6)])
    assert log == [6]


def test_a_single_picture_beyond_the_memory_is_told_as_such() -> None:
    torch = pytest.importorskip("torch")

    def check(batch: Sequence[LabellerInput]) -> None:
        if any(one.size[0] > 1000 for one in batch):
            torch.empty(1 << 60, dtype=torch.uint8)

    careful = OomBackoff(opened(check))
    (found,) = careful([make_input(1, rows=2000)])
    assert isinstance(found, DataError)
    assert found.reason == "out_of_memory"
    assert numbers(careful([make_input(2)])) == [2]


def test_one_bad_picture_of_many_costs_few_runs() -> None:
    def check(batch: Sequence[LabellerInput]) -> None:
        if any(one.picture.flat[0] == 200 for one in batch):
            raise IndexError("index out of range in self")

    log: list[int] = []
    found = OomBackoff(opened(check, log))([make_input(200 if i == 77 else 1) for i in range(128)])
    assert numbers(found) == [1] * 77 + ["model_failed"] + [1] * 50
    assert str(found[77]) == "model_failed: IndexError: index out of range in self"
    assert len(log) <= 1 + 2 * 7


def test_a_model_that_fails_on_a_grey_picture_too_ends_the_run() -> None:
    def never(batch: Sequence[LabellerInput]) -> None:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    with pytest.raises(RsflowError, match=r"(?s)a plain grey one too: model_failed: RuntimeError: CUDA error.*the set-up"):
        OomBackoff(opened(never))([make_input(1), make_input(2)])

    def only_grey(batch: Sequence[LabellerInput]) -> None:
        if batch[0].size != (GREY_PX, GREY_PX):
            raise RuntimeError("what a picture")

    assert numbers(OomBackoff(opened(only_grey))([make_input(1), make_input(2)])) == ["model_failed"] * 2


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.",
        "CUDA error: an illegal memory access was encountered",
        "HIP error: unspecified launch failure",
        "CUDA error: uncorrectable ECC error encountered",
        "NVML: GPU is lost",
    ],
)
def test_a_lost_device_is_tried_no_more(said: str) -> None:
    torch = pytest.importorskip("torch")

    def lose(batch: Sequence[LabellerInput]) -> None:
        raise torch.AcceleratorError(said)

    log: list[int] = []
    with pytest.raises(DeviceLostError, match=said.partition("\n")[0]):
        OomBackoff(opened(lose, log))([make_input(i) for i in range(8)])
    assert log == [8]


@pytest.mark.parametrize(
    "said", ["CUDA error: out of memory", 'NVML_SUCCESS == r INTERNAL ASSERT FAILED at "CUDACachingAllocator.cpp":830']
)
def test_a_device_that_is_only_full_is_not_lost(said: str) -> None:
    torch = pytest.importorskip("torch")

    def refuse(batch: Sequence[LabellerInput]) -> None:
        if len(batch) > 2:
            raise torch.AcceleratorError(said)

    log: list[int] = []
    assert numbers(OomBackoff(opened(refuse, log))([make_input(i) for i in range(8)])) == list(range(8))
    assert log == [8, 4, 2, 2, 2, 2]


def test_what_is_wrong_with_the_set_up_is_no_reject() -> None:
    def refuse(batch: Sequence[LabellerInput]) -> None:
        raise RsflowError("no such class")

    with pytest.raises(RsflowError, match="no such class"):
        OomBackoff(opened(refuse))([make_input(1), make_input(2)])
