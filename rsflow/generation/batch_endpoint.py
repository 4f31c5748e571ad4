"""Batch interfaces in OpenAI's form: requests go up as a file, answers come down within a day, at a lower price.

What was sent is remembered in the lake (rsflow.generation.batch.batch_notes), so a run that ends meanwhile, in whatever way, is
resumed by the next one, which waits for the same batches. Ctrl-C does not wait for a batch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rsflow.errors import RsflowError
from rsflow.generation.api.api_access import ApiModel, open_access
from rsflow.generation.api.chat_api import Answer, AttemptFailure, estimate_tokens
from rsflow.generation.batch.batch_client import BatchClient
from rsflow.generation.batch.batch_files import join_lines, read_results, split_files
from rsflow.generation.batch.batch_notes import BatchNote, read_notes, remove_note, write_note
from rsflow.generation.contract import Attempts, Failure, Generate, Outcome, Request, Response, report_outcome
from rsflow.stage import Resources, fingerprint

Positive = Annotated[int, Field(gt=0)]

ENDED = {"completed", "expired", "cancelled"}
SLICE_S = 0.5
MISSING = AttemptFailure("batch_without_answer", "the batch ended without an answer to this request")


@dataclass(frozen=True)
class BatchEndpoint(ApiModel):
    """`requests`: how many are gathered before they are sent; larger files are divided as the interface asks for."""

    name: ClassVar[str] = "openai_batch"
    version: ClassVar[int] = 1

    requests: Positive = field(default=5000, compare=False)
    poll_seconds: Annotated[float, Field(gt=0)] = field(default=60.0, compare=False)

    @property
    def resources(self) -> Resources:
        return Resources(cpus=0.5, workers=1)

    @property
    def requests_in_flight(self) -> int:
        return self.requests

    def open(self) -> Generate:
        return BatchSender(self, BatchClient(open_access(self.address, self.key)))


@dataclass(frozen=True, slots=True)
class BatchSender:
    settings: BatchEndpoint
    client: BatchClient

    def __call__(self, requests: Sequence[Request], attempts: Attempts) -> Iterator[tuple[int, Outcome]]:
        positions = {request.digest: position for position, request in enumerate(requests)}
        waiting = [note for note in self._resume(attempts) if not positions.keys().isdisjoint(note.requests)]
        sent = {digest for note in waiting for digest in note.requests}
        attempts.adopt([request for request in requests if request.digest in sent])
        waiting += self._send([request for request in requests if request.digest not in sent], attempts)
        while waiting and not attempts.is_stopped:
            for note in list(waiting):
                batch = self.client.poll(note.batch)
                if batch["status"] == "failed":
                    self._give_up(note, batch, [request for request in requests if request.digest in note.requests], attempts)
                if batch["status"] not in ENDED:
                    continue
                results = self._results(batch)
                waiting.remove(note)
                for digest in note.requests:
                    if digest in positions:
                        yield positions[digest], self._outcome(requests[positions[digest]], results.get(digest), attempts)
                if positions.keys() >= set(note.requests):
                    remove_note(attempts.notes_folder, note)
            self._pause(attempts, bool(waiting))

    def _resume(self, attempts: Attempts) -> list[BatchNote]:
        """The batches of earlier runs. A note whose batch the vendor does not know is removed: nothing was sent."""
        notes = []
        for note in read_notes(attempts.notes_folder, self._fingerprint):
            found = note if note.batch else replace(note, batch=self.client.find(note.name))
            if not found.batch:
                remove_note(attempts.notes_folder, note)
                continue
            if found != note:
                write_note(attempts.notes_folder, found)
            notes.append(found)
        return notes

    def _send(self, requests: Sequence[Request], attempts: Attempts) -> list[BatchNote]:
        allowed = [request for request in requests if attempts.begin(request, self._at_most(request))]
        notes = []
        for lines in split_files(allowed, self.settings):
            file_id = self.client.upload(join_lines(lines))
            note = BatchNote.new(self._fingerprint, [request.digest for request, _ in lines])
            write_note(attempts.notes_folder, note)
            note = replace(note, batch=self.client.create(file_id, note.name))
            write_note(attempts.notes_folder, note)
            notes.append(note)
        return notes

    @property
    def _fingerprint(self) -> str:
        return fingerprint(self.settings)

    def _at_most(self, request: Request) -> Any:
        return self.settings.prices.cost_of(estimate_tokens(request) - request.max_tokens, request.max_tokens)

    def _give_up(self, note: BatchNote, batch: dict[str, Any], requests: Sequence[Request], attempts: Attempts) -> None:
        """RsflowError with the reason for which the vendor refused a batch as a whole, which costs nothing."""
        for request in requests:
            attempts.fail(request)
        remove_note(attempts.notes_folder, note)
        faults = (batch.get("errors") or {}).get("data") or [{}]
        raise RsflowError(f"batch {note.batch} was refused: {faults[0].get('message', 'no reason is given')}")

    def _results(self, batch: dict[str, Any]) -> dict[str, Answer | AttemptFailure]:
        """The outcomes of the requests of a batch that has ended, by digest."""
        files = [batch.get(name) for name in ("error_file_id", "output_file_id")]
        results: dict[str, Answer | AttemptFailure] = {}
        for file_id in files:
            if file_id:
                results |= read_results(self.client.download(file_id))
        return results

    def _outcome(self, request: Request, result: Answer | AttemptFailure | None, attempts: Attempts) -> Outcome:
        result = MISSING if result is None else result
        cached_in = result.cached_in if isinstance(result, Answer) else 0
        cost = self.settings.prices.cost_of(result.tokens_in, result.tokens_out, cached_in)
        spent = (cost.tokens_in, cost.tokens_out, cost.money)
        outcome: Outcome = (
            Response(result.text, *spent, finish_reason=result.finish_reason, perplexity=result.perplexity)
            if isinstance(result, Answer)
            else Failure(result.reason, result.detail, 0, *spent)
        )
        report_outcome(attempts, request, outcome)
        return outcome

    def _pause(self, attempts: Attempts, is_waiting: bool) -> None:
        end = time.monotonic() + self.settings.poll_seconds
        while is_waiting and time.monotonic() < end and not attempts.is_stopped:
            time.sleep(min(SLICE_S, self.settings.poll_seconds))
