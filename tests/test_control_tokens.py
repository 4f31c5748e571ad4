"""Special tokens and control characters are seen, ordinary text is left alone."""

from __future__ import annotations

import pytest

from rsflow.text.control_tokens import TOKENS, find_control_token, neutralise

ORDINARY = [
    "a < b and c > d",
    "<25 m",
    "[1, 2, 3]",
    "x <5> y",
    "[[a ship|0,2]]",
    "the [north] pier",
    "a\tb\nc",
    "naïve 船 🚢",
    "5 <| 6",
]


@pytest.mark.parametrize(
    "token", [t for tokens in TOKENS.values() for t in tokens] + ["<|im_end|>", "<|eot_id|>", "<|any thing|>"]
)
def test_a_token_is_seen_and_becomes_plain_words(token: str) -> None:
    text = f"A ship {token} at sea"
    assert find_control_token(text)
    assert not find_control_token(neutralise(text))
    assert neutralise(text).startswith("A ship ")


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\u202e", "\u2066", "\u200f", "\x7f"])
def test_a_control_character_is_taken_out(sign: str) -> None:
    assert find_control_token(f"a{sign}b") == f"U+{ord(sign):04X}"
    assert neutralise(f"a{sign}b") == "ab"


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert find_control_token(text) == ""
    assert neutralise(text) == text


def test_tokens_in_tokens_leave_none() -> None:
    assert find_control_token(neutralise("<im<image>age> <|a<|b|>c|>")) == ""
