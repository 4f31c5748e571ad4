"""Files of a batch interface: requests as lines of JSON, and the lines that come back. Pure functions.

Format: https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from rsflow.generation.api.chat_api import Answer, AttemptFailure, BodySettings, read_answer, read_error, request_body
from rsflow.generation.contract import Request

URL = "/v1/chat/completions"
MAX_FILE_BYTES = 190 * 1000**2  # the interface takes 200 MB
MAX_FILE_LINES = 50_000

Line = tuple[Request, bytes]


def split_files(requests: Iterable[Request], form: BodySettings) -> Iterator[list[Line]]:
    """The requests with their lines, in as many files as the limits of a file ask for. A request's digest is its custom id."""
    lines: list[Line] = []
    size = 0
    for request in requests:
        entry = {"custom_id": request.digest, "method": "POST", "url": URL, "body": request_body(request, form)}
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        if lines and (size + len(line) > MAX_FILE_BYTES or len(lines) == MAX_FILE_LINES):
            yield lines
            lines, size = [], 0
        lines.append((request, line))
        size += len(line)
    if lines:
        yield lines


def read_results(data: bytes) -> dict[str, Answer | AttemptFailure]:
    """The outcomes of an output file or an error file by custom id. Lines that cannot be read are left out: their requests have
    no outcome, as those that the batch never reached."""
    found: dict[str, Answer | AttemptFailure] = {}
    for line in data.splitlines():
        try:
            entry = json.loads(line)
            custom_id, reply = str(entry["custom_id"]), entry.get("response")
            found[custom_id] = _read_error_line(entry) if reply is None else _read_reply(reply)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
    return found


def _read_reply(reply: dict[str, object]) -> Answer | AttemptFailure:
    body = json.dumps(reply["body"]).encode()
    status = int(str(reply["status_code"]))
    return read_answer(body) if status == 200 else read_error(status, {}, body)


def _read_error_line(entry: dict[str, dict[str, object]]) -> AttemptFailure:
    error = entry["error"]
    return AttemptFailure(str(error.get("code") or "batch_failed"), str(error.get("message") or "no message"))


def join_lines(lines: Sequence[Line]) -> bytes:
    return b"".join(line for _, line in lines)
