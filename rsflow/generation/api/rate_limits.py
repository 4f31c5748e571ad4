"""Rate limits of an endpoint: requests and tokens per minute, and pauses that the endpoint asks for.

A token bucket that fills with time and may be overdrawn: who takes more than it holds waits until it would be full enough
again, so the rate holds over any stretch whatever the sizes are. A bucket starts with a tenth of a minute: a full one would
let two minutes' worth through in the first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

BURST_MINUTES = 0.1
POLL_SECONDS = 0.5


async def sleep_unless(is_stopped: Callable[[], bool], seconds: float) -> None:
    """Sleep, or less where `is_stopped` becomes true meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not is_stopped():
        await asyncio.sleep(min(left, POLL_SECONDS))


@dataclass(slots=True)
class TokenBucket:
    """`per_minute` None: no limit."""

    per_minute: float | None
    _level: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._level, self._at = (self.per_minute or 0) * BURST_MINUTES, time.monotonic()

    def take(self, amount: float) -> float:
        """Take an amount; returns the seconds to wait before using it. A negative amount is given back."""
        if not self.per_minute:
            return 0.0
        now = time.monotonic()
        filled = self._level + (now - self._at) * self.per_minute / 60
        self._level, self._at = min(filled, self.per_minute * BURST_MINUTES) - amount, now
        return max(0.0, -self._level * 60 / self.per_minute)


@dataclass(slots=True)
class RateLimiter:
    """Limits all requests to one endpoint. Kept between calls, so that they hold over the actor's life."""

    requests: TokenBucket
    tokens: TokenBucket
    _closed_until: float = 0.0

    async def acquire(self, tokens: float, is_stopped: Callable[[], bool]) -> None:
        """Wait until one more request of about so many tokens may be sent, or nothing may be sent any more."""
        await sleep_unless(is_stopped, max(self.requests.take(1), self.tokens.take(tokens)))
        while (closed := self._closed_until - time.monotonic()) > 0 and not is_stopped():
            await sleep_unless(is_stopped, closed)

    def close(self, seconds: float) -> None:
        """Block all requests for so long, because the endpoint answered that it gets too many."""
        self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    def correct(self, expected: float, used: float) -> None:
        """Replace the `expected` tokens that `acquire` took by the `used` ones."""
        self.tokens.take(used - expected)
