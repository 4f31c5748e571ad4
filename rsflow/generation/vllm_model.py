"""vLLM in the worker's own process, where vLLM is installed.

vLLM forms its own batches, so it gets all requests at once. It is not among rsflow's dependencies (it needs its own versions
of torch and CUDA); a vLLM server beside the cluster, used through the engine `openai`, needs nothing in this environment. A
request that vLLM refuses (too long) is found by halving and fails alone. When its engine has died (a lost device kills it),
DeviceLostError is raised for another process to go on.

Interface: https://docs.vllm.ai/en/latest/models/generative_models.html#llmchat
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rsflow.config.validation import STRICT
from rsflow.errors import DeviceLostError, RsflowError
from rsflow.generation.api.chat_api import chat_messages
from rsflow.generation.contract import Attempts, Failure, Generate, Outcome, Request, Response, report_outcome
from rsflow.pretrained.checkpoint import Checkpoint, Dtype
from rsflow.pretrained.device import short_message
from rsflow.stage import Resources

Positive = Annotated[int, Field(gt=0)]


@dataclass(frozen=True)
class VllmModel:
    """`model`: a folder or a hub id. `gpus`: over how many one copy is spread. `extra`: further arguments of vllm.LLM."""

    __pydantic_config__ = STRICT
    name: ClassVar[str] = "vllm"
    version: ClassVar[int] = 1
    seconds_counted_as: ClassVar[str] = "device_seconds"

    model: Annotated[str, Field(min_length=1)]
    revision: str = ""
    trust_remote_code: bool = False
    structured: bool = True  # hold the model to the answer's JSON schema
    dtype: Dtype = field(default="auto", compare=False)
    max_pictures: Positive = field(default=2, compare=False)
    extra: dict[str, Any] = field(default_factory=dict, compare=False)
    workers: Positive | tuple[Positive, Positive] = field(default=1, compare=False)
    gpus: Positive = field(default=1, compare=False)

    def __post_init__(self) -> None:
        Checkpoint(self.model, self.revision).identity()  # refuses what is no checkpoint or is not pinned

    @property
    def resources(self) -> Resources:
        return Resources(cpus=1.0, gpus=float(self.gpus), workers=self.workers)

    @property
    def requests_in_flight(self) -> int:
        return 1024  # several times what it works on at once by default (max_num_seqs)

    @property
    def model_identity(self) -> str:
        return "@".join(Checkpoint(self.model, self.revision).identity())

    def open(self) -> Generate:
        try:
            vllm = import_module("vllm")
            structured = import_module("vllm.sampling_params").StructuredOutputsParams
            dead = import_module("vllm.v1.engine.exceptions").EngineDeadError
        except (ImportError, AttributeError) as error:
            raise RsflowError(
                "engine vllm: vLLM 0.11 or newer is not installed in this environment: `pip install vllm` on a machine with a "
                "GPU, or start `vllm serve MODEL` elsewhere and use `engine: {name: openai, address: http://HOST:8000/v1, "
                "key: null}`"
            ) from error
        try:
            model = vllm.LLM(
                model=self.model,
                revision=self.revision or None,
                trust_remote_code=self.trust_remote_code,
                dtype=self.dtype,
                tensor_parallel_size=self.gpus,
                limit_mm_per_prompt={"image": self.max_pictures},
                **self.extra,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise RsflowError(
                f"engine vllm: {self.model} cannot be started, vLLM's own log says why: {short_message(error)}"
            ) from error
        return _Chat(self, model, vllm.SamplingParams, structured, dead)


@dataclass(frozen=True, slots=True)
class _Chat:
    settings: VllmModel
    model: Any
    sampling: Any
    structured: Any
    dead: type[Exception]

    def __call__(self, requests: Sequence[Request], attempts: Attempts) -> Iterator[tuple[int, Outcome]]:
        allowed = [item for item in enumerate(requests) if attempts.begin(item[1])]
        for position, outcome in self._generate(allowed) if allowed else ():
            report_outcome(attempts, requests[position], outcome)
            yield position, outcome

    def _generate(self, batch: list[tuple[int, Request]]) -> Iterator[tuple[int, Outcome]]:
        start = time.perf_counter()
        try:
            made = self.model.chat(
                [chat_messages(request) for _, request in batch], [self._sampling_parameters(r) for _, r in batch]
            )
        except self.dead as error:
            raise DeviceLostError(f"vLLM's engine died, its own log says why: {short_message(error)}") from error
        except ValueError as error:  # raised before any of them is begun
            if len(batch) == 1:
                yield batch[0][0], Failure("request_refused", " ".join(str(error).split()))
                return
            yield from self._generate(batch[: len(batch) // 2])
            yield from self._generate(batch[len(batch) // 2 :])
            return
        seconds = (time.perf_counter() - start) / max(1, len(batch))
        yield from ((position, _outcome(output, seconds)) for (position, _), output in zip(batch, made, strict=True))

    def _sampling_parameters(self, request: Request) -> Any:
        form = self.structured(json=request.schema) if request.schema and self.settings.structured else None
        seed = request.seed if request.temperature else None
        return self.sampling(temperature=request.temperature, max_tokens=request.max_tokens, seed=seed, structured_outputs=form)


def _outcome(output: Any, seconds: float) -> Outcome:
    answer = output.outputs[0]
    reason = str(answer.finish_reason or "stop")
    if not answer.text.strip():
        return Failure("empty_answer", f"expected text, found none (finish_reason {reason})")
    tokens = (len(output.prompt_token_ids or ()), len(answer.token_ids))
    return Response(answer.text.strip(), *tokens, seconds=seconds, finish_reason=reason)
