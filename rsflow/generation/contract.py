"""The interface of an engine: settings that open into a function from requests to answers.

A request holds all that decides an answer except the model; the engine holds the rest (its fingerprint and `model_identity`).
Together they identify an answer independently of machine, batch and order, and `recording` stores answers under that identity.
A problem with one request is a counted `Failure`. A problem that every request would have (no such model, a refused key) is an
RsflowError and ends the run.

An engine reports every attempt before it sends it and when it has its outcome (`Attempts`), so that what is spent is on disk at
any time and a run can be stopped between two requests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

from rsflow.stage import Resources, fingerprint


@dataclass(frozen=True)
class Request:
    """One question to a model. `pictures` are encoded files (JPEG or PNG), in the order that the text refers to them.
    `history`: the turns before `prompt`, (role, text), the user's and the assistant's in turn; pictures stand before the first.

    `schema`: the JSON schema that the answer has to keep, where the engine can see to that; None asks for free text.
    `temperature` 0 takes the likeliest token each time; above it, the same `seed` gives the same choice. `detail`: how finely
    an endpoint is to look at the pictures (low, high, auto). `source` and `kind` say for what it is asked: costs are listed by
    them, answers do not depend on them.
    """

    system: str
    prompt: str
    pictures: tuple[bytes, ...] = ()
    schema: dict[str, Any] | None = None
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int = 0
    detail: str = ""
    source: str = ""
    kind: str = ""
    history: tuple[tuple[str, str], ...] = ()

    @property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """All turns, (role, text), the prompt last."""
        return (*self.history, ("user", self.prompt))

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits of all that decides an answer; pictures count by their content."""
        pictures = [hashlib.sha256(picture).hexdigest() for picture in self.pictures]
        # At temperature 0 the seed has no effect, so equal requests must have equal digests.
        sampling = [self.max_tokens, self.temperature, self.seed if self.temperature else 0]
        # Left out where empty, for records that are older than these fields.
        added = [value for value in (self.detail, self.history) if value]
        return fingerprint(self.system, self.prompt, pictures, self.schema, sampling, *added)


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens, and money in the unit of the engine's prices."""

    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out, self.money + other.money)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.tokens_in - other.tokens_in, self.tokens_out - other.tokens_out, self.money - other.money)


FREE = Cost()


def field_values(value: Cost | Response) -> dict[str, Any]:
    """The fields by name: `dataclasses.asdict` of flat values, in a fifth of its time."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer and its cost, failed attempts included.

    `seconds`: of the device, or of waiting for an endpoint; `money` in the settings' currency. `finish_reason` "stop" is a
    whole answer, "length" one that `max_tokens` cut off. `replayed`: it was recorded before and took nothing now.
    `perplexity` is of the whole answer, where the engine was asked for it.
    """

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0
    seconds: float = 0.0
    finish_reason: str = "stop"
    retries: int = 0
    replayed: bool = False
    perplexity: float | None = None

    @property
    def cost(self) -> Cost:
        return Cost(self.tokens_in, self.tokens_out, self.money)


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer: `reason` is a short stable phrase that is counted, `detail` says what was found. A failure can have a cost:
    endpoints charge for empty answers.
    """

    reason: str
    detail: str
    retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0
    replayed: bool = False

    @property
    def cost(self) -> Cost:
        return Cost(self.tokens_in, self.tokens_out, self.money)


Outcome = Response | Failure


class Attempts(Protocol):
    """What an engine reports of its attempts. Safe to call from several threads.

    `notes_folder`: a folder of the lake for what an engine has to remember from one run to the next.
    """

    @property
    def notes_folder(self) -> str: ...

    @property
    def is_stopped(self) -> bool:
        """Whether nothing more may be sent: what is in flight is waited for, everything else is left."""
        ...

    def begin(self, request: Request, at_most: Cost = FREE) -> bool:
        """Count an attempt as sent, durably. False, and nothing is counted, where it must not be sent."""
        ...

    def adopt(self, requests: Sequence[Request]) -> None:
        """Take over attempts that an earlier run has sent and counted, and whose outcome is still to come."""
        ...

    def fail(self, request: Request, cost: Cost = FREE, is_known: bool = True) -> None:
        """Count the attempt as failed at this cost. Without `is_known` the server may have charged up to `at_most` for it."""
        ...

    def answer(self, request: Request, response: Response) -> None:
        """Record the answer with its cost, durably. Its `cost` is of all attempts at this request together."""
        ...


def report_outcome(attempts: Attempts, request: Request, outcome: Outcome) -> None:
    """Report the only attempt at a request."""
    if isinstance(outcome, Response):
        attempts.answer(request, outcome)
    else:
        attempts.fail(request, outcome.cost)


# Yields (position in the requests, outcome) in the order of completion: once for each request, but for those that `begin`
# refused. Every attempt was reported before.
Generate = Callable[[Sequence[Request], Attempts], Iterator[tuple[int, Outcome]]]

# The same with somebody else to report to.
Ask = Callable[[Sequence[Request]], Iterator[tuple[int, Outcome]]]


class Engine(Protocol):
    """A frozen dataclass: `name` is its row in the table, `version` is raised when its answers change.

    Fields that say where it runs, how many at a time or what it costs, and not what it answers, have `compare=False`: they
    are no part of its fingerprint (see rsflow.stage).
    """

    name: ClassVar[str]
    version: ClassVar[int]
    seconds_counted_as: ClassVar[str]  # what a response's `seconds` measure: "device_seconds" or "wait_seconds"

    @property
    def resources(self) -> Resources: ...

    @property
    def requests_in_flight(self) -> int:
        """How many requests at a time keep one copy of it busy."""
        ...

    @property
    def model_identity(self) -> str:
        """`model@revision`, as provenance names it; of a local folder the digest of its content."""
        ...

    def open(self) -> Generate:
        """Load the model, or the client. RsflowError that says what is missing and how to get it."""
        ...
