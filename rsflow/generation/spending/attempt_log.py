"""Attempts on disk: a file per attempt from before it is sent until its answer is recorded.

What stays in `<root>/spending/` is what no recorded answer accounts for: attempts that failed at a cost, and attempts whose
cost nobody knows, because their process was ended or the server did not answer in time. So recorded answers and these files
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
from rsflow.generation.contract import FREE, Cost, Request, Response, field_values
from rsflow.generation.spending.allowance import Allowance

FOLDER = "spending"
NOTES = "batches"
UNANSWERED = "unanswered"


@dataclass(slots=True)
class _Sent:
    """An attempt without an outcome yet."""

    place: str
    at_most: Cost


@dataclass(slots=True)
class AttemptLog:
    """The `Attempts` of one worker. `names`: the engine and the model, as costs are listed by them. `write_record` writes the
    record of an outcome."""

    root: str
    names: dict[str, str]
    allowance: Allowance
    write_record: Callable[[Request, dict[str, Any]], None]
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
        self._is_stopped = False

    def begin(self, request: Request, at_most: Cost = FREE) -> bool:
        if self._is_stopped or not self.allowance.begin():
            return False
        place = storage.join(self.root, FOLDER, f"{request.digest}-{uuid.uuid4().hex[:8]}.json")
        _write(place, self._entry(request, at_most, UNANSWERED))
        with self._lock:
            self._sent[request.digest].append(_Sent(place, at_most))
        return True

    def adopt(self, requests: Sequence[Request]) -> None:
        folder, digests = storage.join(self.root, FOLDER), {request.digest for request in requests}
        names = [name for name in storage.list_files(folder) if name.partition("-")[0] in digests] if requests else []
        places = {name.partition("-")[0]: storage.join(folder, name) for name in names if _is_unanswered(folder, name)}
        for digest in sorted(digests):
            with self._lock:
                self._sent[digest].append(_Sent(places.get(digest, storage.join(folder, f"{digest}-adopted.json")), FREE))

    def fail(self, request: Request, cost: Cost = FREE, is_known: bool = True) -> None:
        sent = self._pop(request)
        counted = cost if is_known else sent.at_most
        self.allowance.add(counted)
        if not is_known:
            return  # its file says already that it is unanswered
        with self._lock:
            self._charged[request.digest] = self._charged.get(request.digest, FREE) + cost
        if cost == FREE:
            storage.remove(sent.place)
        else:
            _write(sent.place, self._entry(request, cost, "failed"))

    def answer(self, request: Request, response: Response) -> None:
        with self._lock:
            own = response.cost - self._charged.pop(request.digest, FREE)  # failed attempts have files of their own
        self.write_record(request, {"response": field_values(response), "cost": field_values(own)})
        self.allowance.add(own)
        storage.remove(self._pop(request).place)

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

    def _entry(self, request: Request, cost: Cost, outcome: str) -> dict[str, Any]:
        tags = {"source": request.source, "kind": request.kind, "request": request.digest}
        return {**self.names, **tags, "outcome": outcome, "cost": field_values(cost)}


def _is_unanswered(folder: str, name: str) -> bool:
    return bool(json.loads(storage.read_bytes(storage.join(folder, name)))["outcome"] == UNANSWERED)


def _write(place: str, entry: dict[str, Any]) -> None:
    storage.write_bytes(place, json.dumps(entry).encode())
