"""vLLM in the worker, as far as it can be told without vLLM: what becomes of what its engine raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from rsflow.errors import DeviceLostError
from rsflow.generation import Failure, Request, Response, from_settings
from rsflow.generation.vllm_model import VllmModel, _Chat
from tests.generation.attempts import counted


class EngineDeadError(Exception):
    """Stands for vllm.v1.engine.exceptions.EngineDeadError."""


def chat(answer: Callable[[str], str]) -> _Chat:
    """The engine around a model that has vLLM's `chat`."""
    settings = from_settings({"name": "vllm", "model": "a/b", "revision": "0" * 40})
    assert isinstance(settings, VllmModel)

    def output(messages: Any) -> Any:
        text = answer(str(messages))
        said = SimpleNamespace(text=text, finish_reason="stop", token_ids=text.split())
        return SimpleNamespace(outputs=[said], prompt_token_ids=[1, 2])

    def model(conversations: Sequence[Any], sampling: Sequence[Any]) -> list[Any]:
        assert len(sampling) == len(conversations)
        return [output(messages) for messages in conversations]

    return _Chat(settings, SimpleNamespace(chat=model), lambda **settings: settings, lambda **form: form, EngineDeadError)


def test_a_request_that_is_refused_fails_alone() -> None:
    def answer(text: str) -> str:
        if "too long" in text:
            raise ValueError("The prompt is longer than the maximum model length")
        return "two ships"

    found = dict(chat(answer)([Request("", f"{'too long' if i == 2 else 'short'} {i}") for i in range(5)], counted()))
    assert [type(found[i]) for i in range(5)] == [Response, Response, Failure, Response, Response]
    assert found[2].reason == "request_refused"
    assert (found[0].text, found[0].tokens_in, found[0].tokens_out) == ("two ships", 2, 2)


def test_an_engine_that_died_wants_another_process() -> None:
    def answer(text: str) -> str:
        raise EngineDeadError("EngineCore encountered an issue")

    with pytest.raises(DeviceLostError, match=r"vLLM's engine died.*EngineCore encountered an issue"):
        list(chat(answer)([Request("", "a"), Request("", "b")], counted()))
