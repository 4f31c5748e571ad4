"""Chat endpoints: what is sent, and that every misbehaviour ends in an answer, a counted failure or a plain error."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import ConfigError, RsflowError
from rsflow.generation import Failure, Request, Response, from_settings
from rsflow.generation.api.chat_api import Answer, AttemptFailure, read_answer, read_error, retry_after_s
from tests.generation.attempts import counted
from tests.generation.chat_server import Chat, Reply, refused, said, serving

JPEG = b"\xff\xd8 a picture"
LIMITS = {"attempts": 3, "first_wait_seconds": 0.01, "timeout_seconds": 5.0}
ANY = Request("system", "question", (JPEG,))


def engine(chat: Chat, **own: Any) -> Any:
    limits = {**LIMITS, **own.pop("limits", {})}
    return from_settings({"name": "openai", "model": "m", "address": chat.address, "key": None, "limits": limits, **own})


def ask(chat: Chat, *requests: Request, **own: Any) -> list[Any]:
    """The outcomes in the order of the requests."""
    found = dict(engine(chat, **own).open()(requests, counted()))
    assert sorted(found) == list(range(len(requests)))
    return [found[i] for i in range(len(requests))]


def first(*replies: Reply) -> Callable[[dict[str, Any], int], Reply]:
    """These replies one after another; the last one for ever."""
    return lambda _, number: replies[min(number, len(replies) - 1)]


def test_what_is_sent() -> None:
    schema = {"type": "object"}
    turns = (("user", "is it a ship?"), ("assistant", "no"))
    request = Request("be brief", "what is it?", (JPEG, b"\x89PNG"), schema, 7, temperature=0.5, seed=3, history=turns)
    with serving(first(said("a ship", tokens=(12, 3)))) as chat:
        (found,) = ask(chat, request, prices={"per_million_in": 2.0, "per_million_out": 10.0}, extra={"top_p": 0.9})
    assert (found.text, found.tokens_in, found.tokens_out, found.finish_reason) == ("a ship", 12, 3, "stop")
    assert found.money == pytest.approx((12 * 2 + 3 * 10) / 1e6)
    (body,) = chat.bodies
    assert body["messages"][0] == {"role": "system", "content": "be brief"}
    *pictures, text = body["messages"][1]["content"]
    assert [picture["image_url"]["url"] for picture in pictures] == [
        f"data:image/{kind};base64,{base64.b64encode(data).decode()}" for kind, data in [("jpeg", JPEG), ("png", b"\x89PNG")]
    ]
    assert text == {"type": "text", "text": "is it a ship?"}
    assert body["messages"][2:] == [{"role": "assistant", "content": "no"}, {"role": "user", "content": "what is it?"}]
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert (body["max_tokens"], body["temperature"], body["seed"], body["top_p"]) == (7, 0.5, 3, 0.9)


def test_without_chance_no_seed_is_sent_and_forms_can_be_left_out() -> None:
    with serving(first(said("a"))) as chat:
        ask(chat, Request("", "q", schema={"type": "object"}), structured="none", max_tokens_key="max_completion_tokens")
        ask(chat, Request("", "q", schema={"type": "object"}), structured="object")
    assert "seed" not in chat.bodies[0]
    assert "response_format" not in chat.bodies[0]
    assert chat.bodies[0]["max_completion_tokens"] == 1024
    assert chat.bodies[1]["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (refused(500), "server_failed"),
        (refused(503, retry_after="0"), "server_failed"),
        (refused(429, retry_after="0"), "rate_limited"),
        (refused(429), "rate_limited"),
        (Reply(said("x").body, cut=20), "connection_failed"),
        (Reply(said("x").body, length=100_000), "connection_failed"),
        (Reply(b'{"choices": [{"message"'), "malformed_answer"),
        (Reply(b"<html>gateway</html>"), "malformed_answer"),
        (Reply(b'{"choices": []}'), "malformed_answer"),
        (Reply(b'{"choices": [1, 2]}'), "malformed_answer"),
        (Reply(b"[" * 100_000), "malformed_answer"),
        (said(None), "empty_answer"),
        (said("  "), "empty_answer"),
    ],
)
def test_a_fault_is_tried_again_and_then_counted(reply: Reply, reason: str) -> None:
    with serving(first(reply, said("at last"))) as chat:
        (found,) = ask(chat, ANY)
    assert (found.text, found.retries, len(chat.bodies)) == ("at last", 1, 2)
    with serving(first(reply)) as chat:
        (found,) = ask(chat, ANY)
    assert isinstance(found, Failure)
    assert (found.reason, found.retries, len(chat.bodies)) == (reason, 2, 3)


@pytest.mark.parametrize("reply", [refused(400, "too long"), refused(422), said("", "content_filter"), said(None, refusal="no"),
                                   refused(307, Location="http://127.0.0.1:1/")])  # fmt: skip
def test_a_refusal_is_not_tried_again(reply: Reply) -> None:
    with serving(first(reply)) as chat:
        (found,) = ask(chat, ANY)
    assert found.reason in {"request_refused", "refused"}
    assert len(chat.bodies) == 1


@pytest.mark.parametrize("reply", [Reply(said("x").body, wait=1.0), Reply(said("x").body, drip=0.1)], ids=["slow", "drip"])
def test_a_deadline_holds_for_the_whole_answer(reply: Reply) -> None:
    start = time.monotonic()
    with serving(first(reply)) as chat:
        (found,) = ask(chat, ANY, limits={"timeout_seconds": 0.2, "attempts": 2})
    assert found.reason == "timeout"
    assert time.monotonic() - start < 10  # dripping, the answer would take longer


def test_nobody_there_is_a_failure() -> None:
    with serving(first(said("x"))) as chat:
        pass
    (found,) = ask(chat, ANY)
    assert found.reason == "connection_failed"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refused(401, "wrong key: sk-secret"), "RSFLOW_TEST_KEY was refused"),
        (refused(404, "no such model"), "Check `address` and `model`"),
        (refused(402, "pay"), "no credit"),
        (refused(429, "pay", "insufficient_quota"), "no credit"),
    ],
)
def test_what_no_request_would_survive_ends_the_run(reply: Reply, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_TEST_KEY", "sk-secret")
    with serving(first(reply)) as chat, pytest.raises(RsflowError, match=words) as caught:
        ask(chat, *[Request("", f"q{i}") for i in range(20)], key="RSFLOW_TEST_KEY")
    assert "sk-secret" not in str(caught.value)
    assert chat.headers[0]["authorization"] == "Bearer sk-secret"


def test_what_is_said_of_one_request_ends_no_run() -> None:
    with serving(first(said("x"), refused(403, "not this picture"), refused(404, "nor this one"), said("y"))) as chat:
        found = ask(chat, *[Request("", f"q{i}") for i in range(4)], limits={"concurrency": 1})
    assert [getattr(one, "reason", "") for one in found] == ["", "request_refused", "request_refused", ""]


def test_answers_that_are_worth_nothing_are_paid_for_all_the_same() -> None:
    prices = {"per_million_in": 1e6}
    with serving(first(said("", tokens=(5, 1)), said("x", tokens=(7, 2)))) as chat:
        (found,) = ask(chat, ANY, prices=prices)
    assert (found.tokens_in, found.tokens_out, found.money) == (12, 3, 12.0)
    with serving(first(said("", tokens=(5, 1)))) as chat:
        (found,) = ask(chat, ANY, prices=prices)
    assert isinstance(found, Failure)
    assert (found.tokens_in, found.tokens_out, found.money) == (15, 3, 15.0)


def test_a_missing_key_is_told_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RSFLOW_TEST_KEY", raising=False)
    found = from_settings({"name": "openai", "model": "m", "key": "RSFLOW_TEST_KEY"})
    with pytest.raises(RsflowError, match="RSFLOW_TEST_KEY holds no key"):
        found.open()


def test_tokens_that_the_server_had_kept_have_a_price_of_their_own() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 800}}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}
    reply = Reply(json.dumps({"choices": [choice], "usage": usage}).encode())
    prices = {"per_million_in": 2.0, "per_million_out": 10.0}
    with serving(first(reply)) as chat:
        (plain,) = ask(chat, ANY, prices=prices)
        (cached,) = ask(chat, ANY, prices={**prices, "per_million_cached": 0.5})
    assert plain.money == pytest.approx((1000 * 2.0 + 100 * 10.0) / 1e6)
    assert cached.money == pytest.approx((200 * 2.0 + 800 * 0.5 + 100 * 10.0) / 1e6)
    assert (cached.tokens_in, cached.tokens_out) == (1000, 100)


def test_the_key_is_in_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_TEST_KEY", "sk-secret")
    with serving(first(refused(400, "your key sk-secret is fine but the text is not"))) as chat:
        (found,) = ask(chat, ANY, key="RSFLOW_TEST_KEY")
    assert "the text is not" in found.detail
    assert "sk-secret" not in repr(found)


def test_half_a_character_does_no_harm() -> None:
    with serving(first(said("a \ud800 ship"))) as chat:
        (found,) = ask(chat, ANY)
    assert found.text == "a ? ship"
    with serving(first(said(None, refusal="\ud800 no"))) as chat:
        (found,) = ask(chat, ANY)
    assert found.detail.encode()


def test_settings_that_hold_a_key_are_refused() -> None:
    with pytest.raises(ConfigError, match="key"):
        from_settings({"name": "openai", "model": "m", "key": "sk-abc-123"})


def test_requests_go_out_together_and_come_back_as_they_are_ready() -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        number = int(body["messages"][-1]["content"][-1]["text"])
        return Reply(said(str(number)).body, wait=1.0 if number == 0 else 0.05)

    with serving(answer) as chat:
        order = [
            i for i, _ in engine(chat, limits={"concurrency": 4}).open()([Request("", str(i)) for i in range(8)], counted())
        ]
    assert sorted(order) == list(range(8))
    assert order[-1] == 0
    assert chat.most_at_once == 4


def test_retry_after_holds_everybody_back() -> None:
    with serving(first(refused(429, retry_after="0.4"), said("x"))) as chat:
        found = ask(chat, *[Request("", str(i)) for i in range(3)], limits={"concurrency": 1})
    assert all(isinstance(one, Response) for one in found)
    assert chat.times[1] - chat.times[0] >= 0.39


def test_a_server_that_says_tomorrow_is_not_waited_for() -> None:
    with serving(first(refused(429, retry_after="86400"))) as chat:
        (found,) = ask(chat, ANY)
    assert (found.reason, len(chat.bodies)) == ("rate_limited", 1)


def test_the_rate_stays_below_the_limit() -> None:
    with serving(first(said("x"))) as chat:
        # 120 a minute: two a second, after the tenth of a minute that a bucket starts with.
        start = time.monotonic()
        ask(chat, *[Request("", str(i)) for i in range(14)], limits={"requests_per_minute": 120, "concurrency": 14})
    assert time.monotonic() - start >= 0.95
    assert len(chat.bodies) == 14


def test_tokens_count_as_they_were_used() -> None:
    long, short = Request("", "q", max_tokens=5900), Request("", "q", max_tokens=100)
    with serving(first(said("x", tokens=(50, 50)))) as chat:
        start = time.monotonic()
        asker = engine(chat, limits={"tokens_per_minute": 60_000}).open()
        for request in (long, long, long, short):
            list(asker([request], counted()))
    assert time.monotonic() - start < 10  # of 17,700 expected tokens 300 were used


def test_leaving_early_ends_the_work() -> None:
    with serving(first(Reply(said("x").body, wait=0.05))) as chat:
        found = engine(chat, limits={"concurrency": 2}).open()([Request("", str(i)) for i in range(200)], counted())
        next(found)
        found.close()
        time.sleep(1.0)  # what was under way may still arrive
        asked = len(chat.bodies)
        time.sleep(0.5)
        assert len(chat.bodies) == asked < 150


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_can_break_the_reader(data: bytes) -> None:
    assert isinstance(read_answer(data), AttemptFailure | Answer)
    assert isinstance(read_error(500, {"Retry-After": data.decode("latin-1")}, data), AttemptFailure)


def test_retry_after_in_both_forms() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after_s({"retry-after": "7"}) == 7
    assert 25 < (retry_after_s({"Retry-After": soon}) or 0) <= 30
    assert [retry_after_s({"Retry-After": text}) for text in ("", "soon", "nan", "inf")] == [None] * 4


def test_perplexity_is_told_where_the_server_was_asked_for_probabilities() -> None:
    def answered(logprobs: object) -> float | None:
        choice = {"finish_reason": "stop", "message": {"content": "calm water"}, "logprobs": logprobs}
        answer = read_answer(json.dumps({"choices": [choice]}).encode())
        assert isinstance(answer, Answer)
        return answer.perplexity

    assert answered({"content": [{"logprob": -0.5}, {"logprob": -1.5}]}) == pytest.approx(math.e, abs=1e-3)
    assert answered(None) is answered({"content": []}) is answered({"content": [{"logprob": None}]}) is None
