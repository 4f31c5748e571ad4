"""Image-text-to-text models through transformers in the worker's own process: LLaVA, Qwen-VL, InternVL, SmolVLM and others.

Requests run in batches of at most `batch_rows` requests and `batch_pixels` pixels, but at least one request. Rows are padded
on the left, and sampling uses each request's own seed (the largest of logit / temperature + Gumbel noise is a draw from the
softmax: https://arxiv.org/abs/1411.0030), so a request gives the same text in any batch, up to rounding: a wider batch may sum
floats in another order, and in 16 bits a tie can then fall the other way. A batch that runs out of memory is halved, and the
size that fitted is kept; one that fails for another reason is halved until the failing request stands alone. A lost device
raises DeviceLostError.

The next batch is prepared in a thread while the model generates.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from PIL import Image
from pydantic import Field

from rsflow.config.validation import STRICT
from rsflow.generation.contract import Attempts, Generate, Outcome, Request, Response, report_outcome
from rsflow.pretrained.checkpoint import Checkpoint, Dtype
from rsflow.pretrained.device import Device, device_for_gpus, raise_if_lost
from rsflow.stage import Resources

if TYPE_CHECKING:
    from rsflow.generation.model_batches import ModelBatches

Positive = Annotated[int, Field(gt=0)]
Indexed = list[tuple[int, Request]]


@dataclass(frozen=True)
class LocalModel:
    """`model`: a folder, or a hub id with its `revision` (a commit, so that it stays the same). `gpus` 0 runs on the CPU."""

    __pydantic_config__ = STRICT
    name: ClassVar[str] = "transformers"
    version: ClassVar[int] = 1
    seconds_counted_as: ClassVar[str] = "device_seconds"

    model: Annotated[str, Field(min_length=1)]
    revision: str = ""
    trust_remote_code: bool = False
    dtype: Dtype = field(default="auto", compare=False)
    device: Device = field(default="auto", compare=False)
    batch_rows: Positive = field(default=8, compare=False)
    batch_pixels: Positive = field(default=64 * 1024**2, compare=False)
    workers: Positive | tuple[Positive, Positive] = field(default=1, compare=False)
    gpus: Annotated[float, Field(ge=0)] = field(default=0.0, compare=False)
    cpus: Annotated[float, Field(ge=0)] = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        self._checkpoint.identity()  # refuses what is no checkpoint or is not pinned

    @property
    def resources(self) -> Resources:
        return Resources(cpus=self.cpus, gpus=self.gpus, workers=self.workers)

    @property
    def requests_in_flight(self) -> int:
        return 4 * self.batch_rows

    @property
    def model_identity(self) -> str:
        return "@".join(self._checkpoint.identity())

    @property
    def _checkpoint(self) -> Checkpoint:
        device = device_for_gpus(self.device, self.gpus)
        return Checkpoint(self.model, self.revision, self.dtype, device, self.trust_remote_code)

    def open(self) -> Generate:
        from rsflow.generation.model_batches import ModelBatches

        return BatchGenerator(
            ModelBatches(self._checkpoint.load("AutoModelForImageTextToText")), self.batch_rows, self.batch_pixels
        )


def pixel_count(picture: bytes) -> int:
    """Pixels of an encoded picture by its header; 0 where it has no readable one."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            return image.width * image.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0


@dataclass(slots=True)
class BatchGenerator:
    """Generates batch by batch. `rows`: how many fit, lowered for good when memory runs out."""

    batches: ModelBatches
    rows: int
    pixels: int

    def __call__(self, requests: Sequence[Request], attempts: Attempts) -> Iterator[tuple[int, Outcome]]:
        # A batch has one token limit for all rows; sorting by number of pictures keeps padding small.
        indexed = sorted(enumerate(requests), key=lambda item: (item[1].max_tokens, len(item[1].pictures), item[0]))
        with ThreadPoolExecutor(1) as ahead:
            cut = self._split_batches(indexed)
            following = ahead.submit(self._prepare, next(cut, []))
            while prepared := following.result():
                following = ahead.submit(self._prepare, next(cut, []))
                allowed = [item for item in prepared[0] if attempts.begin(item[1])]
                if len(allowed) < len(prepared[0]):
                    prepared = self._prepare(allowed)
                if prepared:
                    for position, outcome in self._generate(*prepared):
                        report_outcome(attempts, requests[position], outcome)
                        yield position, outcome

    def _split_batches(self, indexed: Indexed) -> Iterator[Indexed]:
        batch: Indexed = []
        pixels = 0
        for position, request in indexed:
            more = sum(map(pixel_count, request.pictures))
            full = len(batch) >= self.rows or pixels + more > self.pixels
            if batch and (full or request.max_tokens != batch[0][1].max_tokens):
                yield batch
                batch, pixels = [], 0
            batch.append((position, request))
            pixels += more
        if batch:
            yield batch

    def _prepare(self, batch: Indexed) -> tuple[Indexed, Any] | None:
        """The batch with the model's inputs, or with the error that prevented it; None for an empty batch."""
        if not batch:
            return None
        try:
            return batch, self.batches.inputs([request for _, request in batch])
        except self.batches.FAULTS as error:
            return batch, error

    def _generate(self, batch: Indexed, inputs: Any) -> Iterator[tuple[int, Outcome]]:
        start = time.perf_counter()
        try:
            if isinstance(inputs, Exception):
                raise inputs
            answers = self.batches.generate([request for _, request in batch], inputs)
        except self.batches.FAULTS as error:
            raise_if_lost(error)
            failure = self.batches.failure(error)
        else:
            seconds = (time.perf_counter() - start) / len(batch)
            for (position, _), (text, tokens_in, tokens_out, whole) in zip(batch, answers, strict=True):
                reason = "stop" if whole else "length"
                yield position, Response(text, tokens_in, tokens_out, seconds=seconds, finish_reason=reason)
            return
        if len(batch) == 1:
            yield batch[0][0], failure
            return
        del inputs  # its memory is wanted for the halves
        half = len(batch) // 2
        if failure.reason == "out_of_memory":
            self.rows = min(self.rows, half)
        for part in (batch[:half], batch[half:]):
            prepared = self._prepare(part)
            if prepared:
                yield from self._generate(*prepared)
