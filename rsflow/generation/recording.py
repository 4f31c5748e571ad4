"""Recorded answers: a request that a model has answered once is read from the lake from then on.

An answer is stored with its cost under the digest of its request and its engine, as a JSON record that is on the disk before
the answer is used (rsflow.files.record_store: on a local disk a line of a log in `<root>/responses/log`, in an object store an
object). An interrupted run continues at the request where it stopped, a repeated run sends and pays nothing, and an engine
whose answers are all recorded is never opened: no model, no GPU, no key. A refusal of the model itself is recorded too; other
failures are not, and too many in a row end the run, because an outage must not turn a dataset into rejects. Equal requests in
one call are sent once; two workers that send the same request at the same moment may both pay.

Whatever ends a call early (the reader, an error, an allowance that is spent), requests in flight are waited for and recorded.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from rsflow.errors import LakeError, RsflowError
from rsflow.files.record_store import RecordStore, open_records
from rsflow.generation.contract import Engine, Failure, Generate, Outcome, Request, Response
from rsflow.generation.spending.allowance import Allowance, LocalAllowance
from rsflow.generation.spending.attempt_log import AttemptLog
from rsflow.stage import fingerprint

FOLDER = "responses"
MAX_CONSECUTIVE_FAILURES = 20
LOG = f"{FOLDER}/log"
READERS = 8  # looking an answer up in an object store is mostly waiting
REFUSED = "refused"  # the model's own decision, which it would repeat


@dataclass(slots=True)
class RecordedEngine:
    """A `Generate` that asks the engine only what was never answered. `root` is the lake's.

    `model_identity` is the engine's, computed by the driver: a worker may lack the folder that it names.
    `load_seconds`: what opening the engine took, 0 as long as it was not needed.
    """

    engine: Engine
    root: str
    model_identity: str
    allowance: Allowance = field(default_factory=LocalAllowance)
    load_seconds: float = field(default=0.0, init=False)
    attempts: AttemptLog = field(init=False)
    records: RecordStore = field(init=False)
    _generate: Generate | None = field(default=None, init=False)
    _failed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        names = {"engine": self.engine.name, "model": self.model_identity}
        self.records = open_records(self.root, LOG)
        self.attempts = AttemptLog(self.root, self.records, names, self.allowance, self._record)

    def __call__(self, requests: Sequence[Request]) -> Iterator[tuple[int, Outcome]]:
        """Outcomes in the order of completion. Requests that the allowance leaves unsent have none."""
        positions: dict[str, list[int]] = {}
        for position, request in enumerate(requests):
            positions.setdefault(request.digest, []).append(position)
        firsts = [same[0] for same in positions.values()]
        new = []
        self.records.refresh()
        with ThreadPoolExecutor(READERS) as pool:
            for first, found in zip(firsts, pool.map(lambda i: self._read_record(requests[i]), firsts), strict=True):
                if found:
                    yield from ((position, found) for position in positions[requests[first].digest])
                else:
                    new.append(first)
        if new and not self.attempts.is_stopped:
            for first, outcome in self._ask([(i, requests[i]) for i in new]):
                yield first, outcome
                yield from ((position, _as_replayed(outcome)) for position in positions[requests[first].digest][1:])

    def record_name(self, request: Request) -> str:
        """Of the answer to a request."""
        key = fingerprint(self.engine, self.model_identity, request.digest)
        return f"{FOLDER}/{key[:2]}/{key}.json"

    def _ask(self, new: Sequence[tuple[int, Request]]) -> Iterator[tuple[int, Outcome]]:
        outcomes = self._open_engine()([request for _, request in new], self.attempts)
        try:
            for position, outcome in outcomes:
                self._count_failure(new[position][1], outcome)
                yield new[position][0], outcome
        finally:
            self.attempts.stop()
            deque(outcomes, maxlen=0)  # wait for requests in flight; they are recorded as they are answered
            self.attempts.resume()

    def _open_engine(self) -> Generate:
        if self._generate is None:
            start = time.perf_counter()
            self._generate = self.engine.open()
            self.load_seconds = time.perf_counter() - start
        return self._generate

    def _count_failure(self, request: Request, outcome: Outcome) -> None:
        if isinstance(outcome, Response):
            self._failed = 0
            return
        self.attempts.forget(request)
        if outcome.reason == REFUSED:
            self.records.write(dict([self._record(request, {"failure": dataclasses.asdict(outcome)})]))
        self._failed += 1
        if self._failed >= MAX_CONSECUTIVE_FAILURES:
            raise RsflowError(
                f"engine {self.engine.name}: {self._failed} requests failed one after another, the last with {outcome.reason}: "
                f"{outcome.detail}. What was answered is recorded: run again when it works"
            )

    def _read_record(self, request: Request) -> Outcome | None:
        name = self.record_name(request)
        record = self.records.read(name)
        if record is None:
            return None
        try:
            found = json.loads(record)
            whole = Failure(**found["failure"]) if "failure" in found else Response(**found["response"])
        except (ValueError, TypeError, KeyError) as error:
            raise LakeError(
                f"{self.root}: {name} is not a recorded response ({error}): delete it to have it asked again"
            ) from error
        return _as_replayed(whole)

    def _record(self, request: Request, outcome: dict[str, Any]) -> tuple[str, bytes]:
        """Name and content of the record of an outcome."""
        record: dict[str, Any] = {"engine": self.engine.name, "model": self.model_identity}
        record |= {"request": _request_record(request), **outcome}
        return self.record_name(request), json.dumps(record, ensure_ascii=False).encode()


def _as_replayed(outcome: Outcome) -> Outcome:
    """The same once more, for which nothing was paid now."""
    outcome = replace(outcome, tokens_in=0, tokens_out=0, money=0.0, retries=0, replayed=True)
    return replace(outcome, seconds=0.0) if isinstance(outcome, Response) else outcome


def _request_record(request: Request) -> dict[str, Any]:
    fields = {f.name: getattr(request, f.name) for f in dataclasses.fields(request)}
    return {**fields, "pictures": [hashlib.sha256(picture).hexdigest() for picture in request.pictures]}
