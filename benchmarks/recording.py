"""How many answers a second are recorded: python benchmarks/recording.py [FOLDER] [ANSWERS]

Each request is counted before it is sent, and its answer is recorded with its cost, as in a build; the model answers at once,
so this is what recording can keep up with. FOLDER may be an address such as s3://bucket/folder. On a local disk an answer is
recorded when it is written through to the disk; the answers of all threads share these writes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

from rsflow.files import append_log
from rsflow.generation import Attempts, RecordedEngine, Request, Response
from rsflow.generation.contract import Cost, Outcome
from rsflow.stage import Resources

THREADS = 32
TEXT = "Two ships lie in the upper left corner of the harbour. " * 20


@dataclass(frozen=True)
class InstantModel:
    name: ClassVar[str] = "instant"
    version: ClassVar[int] = 1
    seconds_counted_as: ClassVar[str] = "wait_seconds"
    resources: ClassVar[Resources] = Resources()
    requests_in_flight: ClassVar[int] = THREADS
    model_identity: ClassVar[str] = "instant@1"

    def open(self) -> Any:
        return self._answer

    def _answer(self, requests: Sequence[Request], attempts: Attempts) -> Iterator[tuple[int, Outcome]]:
        def one(position: int) -> tuple[int, Outcome]:
            attempts.begin(requests[position], Cost(1000, 300, 0.01))
            response = Response(TEXT, 900, 280, 0.009)
            attempts.answer(requests[position], response)
            return position, response

        with ThreadPoolExecutor(THREADS) as pool:
            yield from pool.map(one, range(len(requests)))


def main() -> None:
    folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    requests = [Request("system", f"question {i}", (b"picture",), max_tokens=1024) for i in range(number)]
    for what in ("recorded", "replayed"):
        before, start, cpu = len(SYNCS), time.perf_counter(), time.process_time()
        count = sum(1 for _ in RecordedEngine(InstantModel(), folder, "instant@1")(requests))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        rates = f"{count / seconds:,.0f} answers/s, {count / cpu:,.0f} per second of CPU time"
        print(f"{what}: {rates}, {len(SYNCS) - before:,} writes through to the disk")


SYNCS: list[int] = []


def count_sync(descriptor: int) -> None:
    SYNCS.append(descriptor)
    os.fdatasync(descriptor)


if __name__ == "__main__":
    append_log.sync_to_disk = count_sync
    main()
