"""Chat endpoints with OpenAI's interface: commercial APIs, and own servers (vLLM, SGLang, llama.cpp, Ollama).

Every request ends, whatever the server does: it has a deadline over all of its bytes and a number of attempts with waiting in
between (the server's Retry-After, else doubled each time); after that it is a counted failure. What every request would fail
with (the key is refused, the model is not there, the account is empty) ends the run with the reason.

The client is aiohttp, which fsspec already requires: hundreds of open requests in one thread, and a deadline that a server
which sends a byte a minute cannot exceed. The `openai` package would hide its own retries and send parameters that other
servers do not know. The key is read from the environment when the engine is opened; it is in no setting, record, message or
log.

Interface: https://platform.openai.com/docs/api-reference/chat/create and
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from rsflow.config.validation import STRICT
from rsflow.errors import RsflowError
from rsflow.files.storage import mask_secrets
from rsflow.generation.api.api_access import ApiModel, open_access
from rsflow.generation.api.async_results import iterate_results
from rsflow.generation.api.chat_api import Answer, AttemptFailure, estimate_tokens, read_answer, read_error, request_body
from rsflow.generation.api.rate_limits import RateLimiter, TokenBucket, sleep_unless
from rsflow.generation.contract import Attempts, Cost, Failure, Generate, Outcome, Request, Response
from rsflow.stage import Resources

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")
Positive = Annotated[int, Field(gt=0)]

LONGEST_WAIT_S = 300.0  # longest Retry-After that is waited for
UNANSWERED = {
    "timeout",
    "connection_failed",
    "malformed_answer",
}  # failures of which nobody knows whether the server charged for them


@dataclass(frozen=True)
class Limits:
    """Requests and tokens per minute are the account's: all workers together keep to them."""

    __pydantic_config__ = STRICT
    concurrency: Positive = 16  # requests at a time, per worker
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    attempts: Positive = 5
    timeout_seconds: Annotated[float, Field(gt=0)] = 120.0  # for one attempt, from connecting to the last byte
    first_wait_seconds: Annotated[float, Field(gt=0)] = 1.0  # before the second attempt; doubled each time


@dataclass(frozen=True)
class Endpoint(ApiModel):
    """A model that answers request by request."""

    name: ClassVar[str] = "openai"
    version: ClassVar[int] = 1

    limits: Limits = field(default_factory=Limits, compare=False)
    workers: Positive | tuple[Positive, Positive] = field(default=1, compare=False)

    @property
    def resources(self) -> Resources:
        return Resources(cpus=0.5, workers=self.workers)

    @property
    def requests_in_flight(self) -> int:
        return 4 * self.limits.concurrency

    def open(self) -> Generate:
        return EndpointClient(self)


@dataclass(frozen=True, slots=True)
class ThreadedAttempts:
    """`Attempts` for an event loop: what waits for storage runs in a pool. `fatal`: errors that every other request would have
    too, after which nothing more is sent."""

    attempts: Attempts
    pool: ThreadPoolExecutor
    fatal: list[RsflowError] = field(default_factory=list)

    def is_stopped(self) -> bool:
        return bool(self.fatal) or self.attempts.is_stopped

    async def begin(self, request: Request, at_most: Cost) -> bool:
        return not self.fatal and await self._run(self.attempts.begin, request, at_most)

    async def fail(self, request: Request, cost: Cost, is_known: bool) -> None:
        await self._run(self.attempts.fail, request, cost, is_known)

    async def answer(self, request: Request, response: Response) -> None:
        await self._run(self.attempts.answer, request, response)

    async def _run(self, report: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.pool, report, *values)


class EndpointClient:
    """A client of one endpoint; its rate limits hold over all calls."""

    def __init__(self, settings: Endpoint) -> None:
        self.settings, self.limits = settings, settings.limits
        most = settings.workers if isinstance(settings.workers, int) else settings.workers[1]
        share = [limit / most if limit else None for limit in (self.limits.requests_per_minute, self.limits.tokens_per_minute)]
        self.gate = RateLimiter(TokenBucket(share[0]), TokenBucket(share[1]))
        self.access = open_access(settings.address, settings.key)
        self._url = f"{self.access.address}/chat/completions"
        self.place = mask_secrets(self._url)
        self._has_answered = False

    def __call__(self, requests: Sequence[Request], attempts: Attempts) -> Iterator[tuple[int, Outcome]]:
        async def work(hand_over: Callable[[tuple[int, Outcome]], None]) -> None:
            waiting = iter(enumerate(requests))
            with ThreadPoolExecutor(self.limits.concurrency) as pool:
                reports = ThreadedAttempts(attempts, pool)
                async with self._session() as session:

                    async def send_one_after_another() -> None:
                        for position, request in waiting:
                            try:
                                outcome = None if reports.is_stopped() else await self._send(session, request, reports)
                            except RsflowError as error:
                                reports.fatal.append(error)
                                return
                            if outcome:
                                hand_over((position, outcome))

                    await asyncio.gather(
                        *(send_one_after_another() for _ in range(min(self.limits.concurrency, len(requests))))
                    )
            if reports.fatal:
                raise reports.fatal[0]

        return iterate_results(work)

    def _session(self) -> aiohttp.ClientSession:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=self.limits.timeout_seconds)
        connector = aiohttp.TCPConnector(limit=self.limits.concurrency)
        return aiohttp.ClientSession(timeout=timeout, connector=connector, headers=self.access.headers)

    async def _send(self, session: aiohttp.ClientSession, request: Request, attempts: ThreadedAttempts) -> Outcome | None:
        """The outcome after as many attempts as it takes; None where the run was stopped before."""
        prices, expected, spent, attempt = self.settings.prices, estimate_tokens(request), Cost(), 0
        at_most = prices.cost_of(expected - request.max_tokens, request.max_tokens)
        while True:
            await self.gate.acquire(expected, attempts.is_stopped)
            if not await attempts.begin(request, at_most):
                return None
            start = time.monotonic()
            try:
                answer = await self._send_once(session, request)
            except RsflowError:
                await attempts.fail(request, Cost(), True)
                raise
            cached_in = answer.cached_in if isinstance(answer, Answer) else 0
            cost = prices.cost_of(answer.tokens_in, answer.tokens_out, cached_in)
            spent += cost
            if isinstance(answer, Answer):
                self._has_answered = True
                self.gate.correct(expected, answer.tokens_in + answer.tokens_out)
                took = time.monotonic() - start
                own = (spent.tokens_in, spent.tokens_out, spent.money)
                response = Response(answer.text, *own, took, answer.finish_reason, attempt, perplexity=answer.perplexity)
                await attempts.answer(request, response)
                return response
            await attempts.fail(request, cost, answer.reason not in UNANSWERED)
            last = attempt + 1 == self.limits.attempts
            if last or not answer.retryable or (answer.wait_s or 0) > LONGEST_WAIT_S:
                detail = f"{answer.detail} (attempt {attempt + 1})"
                return Failure(answer.reason, detail, attempt, spent.tokens_in, spent.tokens_out, spent.money)
            await self._back_off(answer, attempt, attempts.is_stopped)
            attempt += 1

    async def _back_off(self, fault: AttemptFailure, attempt: int, is_stopped: Callable[[], bool]) -> None:
        wait = self.limits.first_wait_seconds * 2**attempt if fault.wait_s is None else fault.wait_s
        wait = min(wait, LONGEST_WAIT_S)
        if fault.for_all_requests:
            self.gate.close(wait)
        else:
            await sleep_unless(is_stopped, wait)

    async def _send_once(self, session: aiohttp.ClientSession, request: Request) -> Answer | AttemptFailure:
        """One attempt. RsflowError for what every other request would fail with too."""
        import aiohttp

        try:
            body = request_body(request, self.settings)
            # A redirect is refused: it would carry the key elsewhere.
            async with session.post(self._url, json=body, proxy=self.access.proxy, allow_redirects=False) as reply:
                data = await reply.read()
                if reply.status == 200:
                    return read_answer(data)
                return self._read_failure(reply.status, dict(reply.headers), data)
        except TimeoutError:
            return AttemptFailure("timeout", f"{self.place}: no whole answer within {self.limits.timeout_seconds:g} s")
        except aiohttp.ClientError as error:
            # A cut connection, a length that is not what was announced, a body that is no HTTP.
            return AttemptFailure("connection_failed", self.access.mask(f"{self.place}: {type(error).__name__}: {error}"))

    def _read_failure(self, status: int, headers: dict[str, str], data: bytes) -> AttemptFailure:
        fault = read_error(status, headers, data)
        detail = self.access.mask(f"{self.place}: HTTP {status}: {fault.detail}")
        # Once others were answered, 403 concerns this request alone: endpoints also use it for refused pictures or texts.
        if status == 401 or (status == 403 and not self._has_answered):
            raise RsflowError(f"{detail}. The key in the environment variable {self.settings.key} was refused")
        if status == 402 or fault.reason == "no_credit":
            raise RsflowError(f"{detail}. The account has no credit; what was answered is recorded: run again when it has")
        if status == 404 and not self._has_answered:
            raise RsflowError(f"{detail}. Check `address` and `model` ({self.settings.model!r})")
        return AttemptFailure(fault.reason, detail, fault.retryable, fault.wait_s, fault.for_all_requests)
