"""Recorded answers: a request that a model has answered once is read from the lake from then on.

An answer is stored under the digest of its request and its engine, in `<root>/responses/`, as a small JSON file that is
written atomically. An interrupted run continues at the request where it stopped, a repeated run sends and pays nothing, and an
engine whose answers are all recorded is never opened: no model, no GPU, no key. Failures are not recorded; too many in a row
end the run, because an outage must not turn a dataset into rejects. Equal requests in one call are sent once; two workers that
send the same request at the same moment may both pay.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from rsflow.errors import LakeError, RsflowError
from rsflow.files import storage
from rsflow.generation.contract import Engine, Failure, Generate, Outcome, Request, Response
from rsflow.stage import fingerprint

FOLDER = "responses"
MAX_CONSECUTIVE_FAILURES = 20
READERS = 8  # looking an answer up in an object store is mostly waiting


@dataclass(slots=True)
class RecordedEngine:
    """A `Generate` that asks the engine only what was never answered. `root` is the lake's.

    `model_identity` is the engine's, computed by the driver: a worker may lack the folder that it names.
    `load_seconds`: what opening the engine took, 0 as long as it was not needed.
    """

    engine: Engine
    root: str
    model_identity: str
    load_seconds: float = field(default=0.0, init=False)
    _generate: Generate | None = field(default=None, init=False)
    _failed: int = field(default=0, init=False)

    def __call__(self, requests: Sequence[Request]) -> Iterator[tuple[int, Outcome]]:
        positions: dict[str, list[int]] = {}
        for position, request in enumerate(requests):
            positions.setdefault(request.digest, []).append(position)
        firsts = [same[0] for same in positions.values()]
        new = []
        with ThreadPoolExecutor(READERS) as pool:
            for first, found in zip(firsts, pool.map(lambda i: self._read_record(requests[i]), firsts), strict=True):
                if found:
                    yield from ((position, found) for position in positions[requests[first].digest])
                else:
                    new.append(first)
        if new:
            for place, outcome in self._open_engine()([requests[i] for i in new]):
                first, *others = positions[requests[new[place]].digest]
                self._record_outcome(requests[first], outcome)
                yield first, outcome
                yield from ((position, _as_replayed(outcome)) for position in others)

    def response_path(self, request: Request) -> str:
        """Where the answer to a request lies, or would."""
        key = fingerprint(self.engine, self.model_identity, request.digest)
        return storage.join(self.root, FOLDER, key[:2], f"{key}.json")

    def _open_engine(self) -> Generate:
        if self._generate is None:
            start = time.perf_counter()
            self._generate = self.engine.open()
            self.load_seconds = time.perf_counter() - start
        return self._generate

    def _record_outcome(self, request: Request, outcome: Outcome) -> None:
        if isinstance(outcome, Response):
            self._write_record(request, outcome)
            self._failed = 0
            return
        self._failed += 1
        if self._failed >= MAX_CONSECUTIVE_FAILURES:
            raise RsflowError(
                f"engine {self.engine.name}: {self._failed} requests failed one after another, the last with {outcome.reason}: "
                f"{outcome.detail}. What was answered is recorded: run again when it works"
            )

    def _read_record(self, request: Request) -> Outcome | None:
        place = self.response_path(request)
        if not storage.exists(place):
            return None
        try:
            found = json.loads(storage.read_bytes(place))["response"]
            whole = Response(**found)
        except (ValueError, TypeError, KeyError) as error:
            raise LakeError(f"{place}: is not a recorded response ({error}): delete it to have it asked again") from error
        return _as_replayed(whole)

    def _write_record(self, request: Request, response: Response) -> None:
        record: dict[str, Any] = {"engine": self.engine.name, "model": self.model_identity}
        record |= {"request": _request_record(request), "response": dataclasses.asdict(response)}
        storage.write_bytes(self.response_path(request), json.dumps(record, indent=1, ensure_ascii=False).encode())


def _as_replayed(outcome: Outcome) -> Outcome:
    """The same once more, for which nothing was paid now."""
    if isinstance(outcome, Failure):
        return replace(outcome, tokens_in=0, tokens_out=0, money=0.0, retries=0)
    return replace(outcome, tokens_in=0, tokens_out=0, money=0.0, retries=0, seconds=0.0, replayed=True)


def _request_record(request: Request) -> dict[str, Any]:
    fields = {f.name: getattr(request, f.name) for f in dataclasses.fields(request)}
    return {**fields, "pictures": [hashlib.sha256(picture).hexdigest() for picture in request.pictures]}
