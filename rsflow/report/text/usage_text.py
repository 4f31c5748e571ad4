"""What models use, in words."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = {
    "requests": "requests",
    "tokens_in": "tokens in",
    "tokens_out": "tokens out",
    "money": "money",
    "device_seconds": "s of the device",
    "worker_seconds": "s of the workers",
    "wait_seconds": "s of waiting",
    "read_seconds": "s of reading pictures",
    "load_seconds": "s of loading",
    "workers": "workers",
    "texts": "texts asked for",
    "failed_texts": "of them without a usable answer",
    "claimed_sentences": "sentences with claims",
    "claimed_replaced": "of them replaced by the composer's",
    "claimed_dropped": "of them dropped",
    "free_sentences": "sentences without claims",
    "unread_sentences": "of them unread: no rule could compare anything",
    "replayed": "answers from the record",
    "retries": "retries",
    "failures": "failed requests (--retry-rejects asks them again)",
}


def usage_text(amounts: Mapping[str, float]) -> str:
    """Amounts by name as one line: `120 requests, 61,440 tokens in, 12.5 s of the device`; what has no words keeps its name."""
    known = [name for name in _WORDS if name in amounts]
    others = sorted(set(amounts) - set(_WORDS))
    return ", ".join(f"{_number(amounts[name])} {_WORDS.get(name, name)}" for name in [*known, *others]) or "nothing"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.3g}"
