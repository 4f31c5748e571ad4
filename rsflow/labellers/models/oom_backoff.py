"""Run a model over batches so that one bad picture, or too little memory, costs only the pictures concerned.

A batch that fails is split in halves until the failing picture stands alone. Out of memory: the halves are run again, and the
number of rows that fitted is kept for pictures of that size. Any other error: the halves are run separately, so a picture that
the model rejects costs its batch a few more runs. A picture that fails alone gives a DataError: `out_of_memory`,
`model_failed`, or the reason that the model itself states (`not_finite`).

Where every picture of a batch fails, the model is run on a plain grey picture. If that fails too, the set-up is at fault and
not the data, and the run ends with the reason. After an error inside the device nothing is retried: DeviceLostError passes to
the caller, which has to start another process.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from rsflow.errors import DataError, RsflowError
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel
from rsflow.pretrained.device import free_memory, is_out_of_memory, raise_if_lost, short_message
from rsflow.records import Label, Provenance, Raster, Shape

# What a model or its processor may raise about a picture; an RsflowError is about the set-up and passes.
FAULTS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip

GREY_PX = 64
_BOX = Label("box", "square", Provenance("annotation", "grey"), Shape((16.0, 16.0, 48.0, 48.0)))  # for what works on boxes


class OomBackoff:
    """Calls never raise about a picture. `prepare` may run in another thread than the call."""

    def __init__(self, opened: OpenedModel) -> None:
        self._model = opened
        self._max_rows: dict[tuple[int, ...], int] = {}
        self._preparing = threading.Lock()  # tokenizers keep the padding of the call that they are in

    def prepare(self, batch: Sequence[LabellerInput]) -> Any:
        """What the model takes of a batch of pictures of one size, or None where it must be prepared in parts."""
        if not 0 < len(batch) <= self._max_batch(batch):
            return None
        try:
            return self._prepare(batch)
        except FAULTS:  # raised again, and reported, when the batch is halved
            return None

    def __call__(self, batch: Sequence[LabellerInput], prepared: Any = None) -> list[LabellerOutput | DataError]:
        """For each picture what the model sees, or why it cannot. The pictures are of one size."""
        found = self._infer(batch, prepared)
        if batch and not any(isinstance(one, LabellerOutput) or one.reason == "not_finite" for one in found):
            self._check_on_grey_picture(batch[0], found[0])
        return found

    def _infer(self, batch: Sequence[LabellerInput], prepared: Any = None) -> list[LabellerOutput | DataError]:
        most = self._max_batch(batch)
        if len(batch) > most:
            return [one for start in range(0, len(batch), most) for one in self._infer(batch[start : start + most])]
        fault: DataError
        try:
            return [*self._model.infer(batch, self._prepare(batch) if prepared is None else prepared)]
        except DataError as error:  # one of the pictures: the halves will show which
            fault = error
        except FAULTS as error:
            raise_if_lost(error)
            fault = DataError("out_of_memory" if is_out_of_memory(error) else "model_failed", short_message(error))
        # Outside of the handler: the error's traceback holds the tensors of the call that failed.
        del prepared
        is_oom = fault.reason == "out_of_memory"
        if is_oom:
            free_memory()
        if len(batch) == 1:
            return [fault]
        half = len(batch) // 2
        if is_oom:
            self._max_rows[batch[0].picture.shape] = half
        return [*self._infer(batch[:half]), *self._infer(batch[half:])]

    def _max_batch(self, batch: Sequence[LabellerInput]) -> int:
        return self._max_rows.get(batch[0].picture.shape, len(batch)) if batch else 0

    def _prepare(self, batch: Sequence[LabellerInput]) -> Any:
        with self._preparing:
            return self._model.prepare(batch)

    def _check_on_grey_picture(self, like: LabellerInput, fault: LabellerOutput | DataError) -> None:
        grey = LabellerInput(
            np.full((GREY_PX, GREY_PX, 3), 128, np.uint8), like.sensor, like.gsd_m, (_BOX,), _flat(like), like.unit
        )
        (found,) = self._infer([grey])
        if isinstance(found, DataError):
            raise RsflowError(
                f"the model fails on every picture, a plain grey one too: {found}\nOf the data it said: {fault}\n"
                "This is the set-up and not the data: check the model's settings, its device and the memory there"
            )


def _flat(like: LabellerInput) -> Raster | None:
    """Bands without content, of the size of the grey picture, where the model takes bands."""
    if like.raster is None:
        return None
    pixels = np.zeros((len(like.raster.bands), GREY_PX, GREY_PX), np.float32)
    return Raster(pixels, np.ones((GREY_PX, GREY_PX), np.bool_), like.raster.bands)
