"""A batch interface on this machine: files, batches, and what it charges for them."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rsflow.generation.contract import FREE, Cost
from tests.generation.asking_process import PRICES


@dataclass
class Vendor:
    """`status`: what unfinished batches become when they are next polled. `on_create`: called between taking a batch and the
    reply. `unanswered`, `faulty`: custom ids' texts that get no line, or an error line."""

    address: str = ""
    status: str = "in_progress"
    on_create: Callable[[], None] = lambda: None
    unanswered: str = "never"
    faulty: str = "never"
    write: Callable[[dict[str, Any]], str] | None = None  # of a request's body; by default the question is repeated
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    paid: Cost = FREE
    asked: Counter[str] = field(default_factory=Counter)
    polls: int = 0

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        number = f"batch_{len(self.batches)}"
        self.batches[number] = {"id": number, "object": "batch", "status": "validating", **body}
        self.on_create()
        return self.batches[number]

    def poll(self, number: str) -> dict[str, Any]:
        self.polls += 1
        batch = self.batches[number]
        if batch["status"] in {"validating", "in_progress"}:
            batch["status"] = self.status
            if self.status in {"completed", "expired"}:
                self.finish(batch)
            if self.status == "failed":
                batch["errors"] = {"data": [{"message": "the file is not what it should be"}]}
        return batch

    def finish(self, batch: dict[str, Any]) -> None:
        good, bad = [], []
        for line in self.files[batch["input_file_id"]].splitlines():
            entry = json.loads(line)
            text = entry["body"]["messages"][-1]["content"][-1]["text"]
            self.asked[text] += 1
            if self.unanswered in text:
                continue
            if self.faulty in text:
                bad.append(
                    {"custom_id": entry["custom_id"], "response": None, "error": {"code": "batch_expired", "message": "late"}}
                )
                continue
            said = self.write(entry["body"]) if self.write else f"answer to {text}"
            usage = {"prompt_tokens": 90 + len(text), "completion_tokens": len(text) % 7 + 1}
            money = usage["prompt_tokens"] * PRICES["per_million_in"] + usage["completion_tokens"] * PRICES["per_million_out"]
            self.paid += Cost(usage["prompt_tokens"], usage["completion_tokens"], money / 1e6)
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
            body = {"choices": [choice], "usage": usage}
            good.append({"custom_id": entry["custom_id"], "response": {"status_code": 200, "body": body}, "error": None})
        for name, lines in (("output_file_id", good[::-1]), ("error_file_id", bad)):
            if lines:
                batch[name] = f"{name}_{batch['id']}"
                self.files[batch[name]] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@contextmanager
def vending() -> Iterator[Vendor]:
    vendor, lock = Vendor(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                if self.path == "/v1/files":
                    (content,) = re.findall(rb'filename="requests.jsonl"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', data, re.DOTALL)
                    assert b'name="purpose"' in data
                    number = f"file_{len(vendor.files)}"
                    vendor.files[number] = content
                    self.reply({"id": number})
                else:
                    self.reply(vendor.create(json.loads(data)))

        def do_GET(self) -> None:
            kind, _, rest = self.path.removeprefix("/v1/").partition("/")
            with lock:
                if kind.startswith("batches?"):
                    self.reply({"data": [*vendor.batches.values()], "has_more": False})
                elif kind == "batches":
                    self.reply(vendor.poll(rest))
                else:
                    self.send(vendor.files[rest.removesuffix("/content")])

        def reply(self, document: dict[str, Any]) -> None:
            self.send(json.dumps(document).encode())

        def send(self, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads, block_on_close = True, False

        def handle_error(self, *_: Any) -> None:
            """A client that was killed."""

    server = Server(("127.0.0.1", 0), Handler)
    vendor.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
