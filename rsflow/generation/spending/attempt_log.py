"""Attempts on disk: a record for each attempt from before it is sent until its answer is recorded.

What stays below `spending/` is what no recorded answer accounts for: attempts that failed at a cost, and attempts whose cost
nobody knows, because their process was ended or the server did not answer in time. So recorded answers and these records
together are all that was ever spent (rsflow.generation.spending.costs).
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsflow.files import storage
from rsflow.files.record_store import RecordStore
from rsflow.generation.contract import FREE, Cost, Request, Response, field_values
from rsflow.generation.spending.allowance import Allowance

FOLDER = "spending"
NOTES = "batches"
UNANSWERED = "unanswered"


@dataclass(slots=True)
class _Sent:
    """An attempt without an outcome yet. `name`: of its record."""

    name: str
    at_most: Cost


@dataclass(slots=True)
class AttemptLog:
    """The `Attempts` of one worker. `names`: the engine and the model, as costs are listed by them. `answer_record`: name and
    content of the record of an answer."""

    root: str
    records: RecordStore
    names: dict[str, str]
    allowance: Allowance
    answer_record: Callable[[Request, dict[str, Any]], tuple[str, bytes]]
    _sent: dict[str, list[_Sent]] = field(default_factory=lambda: defaultdict(list))  # by request
    _charged: dict[str, Cost] = field(default_factory=dict)  # by request: what its failed attempts have cost
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_stopped: bool = False

    @property
    def notes_folder(self) -> str:
        return storage.join(self.root, FOLDER, NOTES)

    @property
    def is_stopped(self) -> bool:
        return self._is_stopped or bool(self.allowance.reason())

    def stop(self) -> None:
        """Send nothing more from this worker."""
        self._is_stopped = True

    def resume(self) -> None:
        """Send again, when nothing is in flight. What failed attempts have cost so far is no part of an answer to come."""
        with self._lock:
            self._charged.clear()
        self._is_stopped = False

    def begin(self, request: Request, at_most: Cost = FREE) -> bool:
        if self._is_stopped or not self.allowance.begin():
            return False
        name = f"{FOLDER}/{request.digest}-{uuid.uuid4().hex[:8]}.json"
        self.records.write({name: self._entry(request, at_most, UNANSWERED)})
        with self._lock:
            self._sent[request.digest].append(_Sent(name, at_most))
        return True

    def adopt(self, requests: Sequence[Request]) -> None:
        digests = {request.digest for request in requests}
        names = self.records.names(FOLDER) if requests else []
        unanswered = {_digest(name): name for name in names if _digest(name) in digests and self._is_unanswered(name)}
        for digest in sorted(digests):
            with self._lock:
                self._sent[digest].append(_Sent(unanswered.get(digest, f"{FOLDER}/{digest}-adopted.json"), FREE))

    def fail(self, request: Request, cost: Cost = FREE, is_known: bool = True) -> None:
        sent = self._pop(request)
        counted = cost if is_known else sent.at_most
        self.allowance.add(counted)
        if not is_known:
            return  # its record says already that it is unanswered
        with self._lock:
            self._charged[request.digest] = self._charged.get(request.digest, FREE) + cost
        self.records.write({sent.name: None if cost == FREE else self._entry(request, cost, "failed")})

    def answer(self, request: Request, response: Response) -> None:
        with self._lock:
            own = response.cost - self._charged.pop(request.digest, FREE)  # failed attempts have records of their own
        sent = self._pop(request).name
        content = {"response": field_values(response), "cost": field_values(own), "attempt": sent}
        name, record = self.answer_record(request, content)
        self.records.write({name: record, sent: None})
        self.allowance.add(own)

    def forget(self, request: Request) -> None:
        """The request has failed for good."""
        with self._lock:
            self._charged.pop(request.digest, None)

    def _pop(self, request: Request) -> _Sent:
        with self._lock:
            sent = self._sent[request.digest].pop()
            if not self._sent[request.digest]:
                del self._sent[request.digest]
            return sent

    def _entry(self, request: Request, cost: Cost, outcome: str) -> bytes:
        tags = {"source": request.source, "kind": request.kind, "request": request.digest}
        return json.dumps({**self.names, **tags, "outcome": outcome, "cost": field_values(cost)}).encode()

    def _is_unanswered(self, name: str) -> bool:
        return bool(json.loads(self.records.read(name) or b"{}").get("outcome") == UNANSWERED)


def _digest(name: str) -> str:
    """Of the request, from the name of an attempt's record."""
    return name.removeprefix(f"{FOLDER}/").partition("-")[0]
