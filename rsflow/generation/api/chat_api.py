"""Request bodies and answers of chat endpoints.

Pure functions between bytes and values, so that malformed answers are tested without a server. An answer without the expected
form is retryable: proxies may put pages of their own in its place.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from rsflow.generation.contract import Request

CHARACTERS_PER_TOKEN = 4  # for the rate limit's estimate alone
TOKENS_PER_PICTURE = 1000
_SHOWN = 300


class BodySettings(Protocol):
    """The settings that decide a body."""

    @property
    def model(self) -> str: ...
    @property
    def structured(self) -> str: ...
    @property
    def max_tokens_key(self) -> str: ...
    @property
    def extra(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    tokens_in: int
    tokens_out: int
    finish_reason: str
    perplexity: float | None = None
    cached_in: int = 0  # of `tokens_in`


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """`retryable`: another attempt may succeed. `wait_s`: how long the server asks to wait. `for_all_requests`: all have to.

    Tokens are those that were charged for nothing.
    """

    reason: str
    detail: str
    retryable: bool = True
    wait_s: float | None = None
    for_all_requests: bool = False
    tokens_in: int = 0
    tokens_out: int = 0


def chat_messages(request: Request) -> list[dict[str, Any]]:
    detail = {"detail": request.detail} if request.detail else {}
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": _data_url(data), **detail}} for data in request.pictures
    ]
    messages: list[dict[str, Any]] = [{"role": "system", "content": request.system}] if request.system else []
    (role, first), *others = request.turns
    messages.append({"role": role, "content": [*content, {"type": "text", "text": first}]})
    return [*messages, *({"role": role, "content": text} for role, text in others)]


def request_body(request: Request, form: BodySettings) -> dict[str, Any]:
    body: dict[str, Any] = {"model": form.model, "messages": chat_messages(request), form.max_tokens_key: request.max_tokens}
    body["temperature"] = request.temperature
    if request.temperature:
        body["seed"] = request.seed
    if request.schema and form.structured == "schema":
        schema = {"name": "answer", "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif request.schema and form.structured == "object":
        body["response_format"] = {"type": "json_object"}
    return {**body, **form.extra}


def estimate_tokens(request: Request) -> int:
    """About how many tokens a request will use, in and out."""
    text = (len(request.system) + sum(len(turn) for _, turn in request.turns)) // CHARACTERS_PER_TOKEN
    return text + TOKENS_PER_PICTURE * len(request.pictures) + request.max_tokens


def read_answer(data: bytes) -> Answer | AttemptFailure:
    """Parse the body of an HTTP 200."""
    try:
        found = json.loads(data)
        (choice,) = found["choices"]
        text, refusal = choice["message"].get("content"), choice["message"].get("refusal")
        usage = found.get("usage") or {}
        taken, made = (int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens"))
        cached = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
        reason = str(choice.get("finish_reason") or "stop")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return AttemptFailure(
            "malformed_answer",
            f"expected one choice with a message, found {_quote(data.decode('utf-8', 'replace'))} ({type(error).__name__})",
        )
    if refusal or reason == "content_filter":
        return AttemptFailure(
            "refused",
            f"the model refused: {_quote(_drop_surrogates(str(refusal or text)))}",
            False,
            tokens_in=taken,
            tokens_out=made,
        )
    if not isinstance(text, str) or not text.strip():
        message = f"expected text, found {text!r} (finish_reason {reason})"
        return AttemptFailure("empty_answer", message, retryable=reason != "length", tokens_in=taken, tokens_out=made)
    return Answer(_drop_surrogates(text), taken, made, reason, _perplexity(choice.get("logprobs")), min(cached, taken))


def read_error(status: int, headers: dict[str, str], data: bytes) -> AttemptFailure:
    """Parse any other reply: whether to retry, and when."""
    message, code = _error_message(data)
    if code == "insufficient_quota":
        return AttemptFailure("no_credit", message, retryable=False)
    if status == 429:
        return AttemptFailure("rate_limited", message, wait_s=retry_after_s(headers), for_all_requests=True)
    if status in {408, 409, 425} or status >= 500:
        return AttemptFailure("server_failed", message, wait_s=retry_after_s(headers))
    return AttemptFailure("request_refused", message, retryable=False)


def retry_after_s(headers: dict[str, str]) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3: seconds or a date), None without a readable one."""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    try:
        seconds = float(found)
    except ValueError:
        try:
            at = parsedate_to_datetime(found)
        except (ValueError, TypeError):
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _perplexity(logprobs: Any) -> float | None:
    """Of the answer's tokens, exp of their mean negative log probability, where the server was asked for these (`logprobs`)."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    chances = [one.get("logprob") for one in tokens if isinstance(one, dict)] if isinstance(tokens, list) else []
    numbers = [float(chance) for chance in chances if isinstance(chance, (int, float)) and math.isfinite(chance)]
    return round(math.exp(min(-sum(numbers) / len(numbers), 700.0)), 4) if numbers and len(numbers) == len(chances) else None


def _error_message(data: bytes) -> tuple[str, str]:
    """(message, code) of an error body, or its beginning."""
    try:
        error = json.loads(data)["error"]
        return _quote(_drop_surrogates(str(error["message"]))), str(error.get("code") or "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _quote(data.decode("utf-8", "replace")), ""


def _drop_surrogates(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can spell and no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _quote(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _data_url(picture: bytes) -> str:
    kind = "jpeg" if picture[:2] == b"\xff\xd8" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
