"""A chat endpoint on this machine that answers as it is told, and misbehaves as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """`cut`: the connection ends after so many bytes. `length`: as Content-Length has it. `drip`: seconds a byte."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    cut: int | None = None
    length: int | None = None
    drip: float = 0.0


def said(text: Any, finish_reason: str = "stop", tokens: tuple[int, int] = (100, 10), **message: Any) -> Reply:
    """An answer in the right form."""
    text = text if isinstance(text, str) or text is None else json.dumps(text)
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return Reply(json.dumps({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}).encode())


def refused(status: int, message: str = "no", code: str = "", **headers: str) -> Reply:
    body = {"error": {"message": message, "type": "error", "code": code}}
    return Reply(json.dumps(body).encode(), status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Chat:
    """What the server was asked, and the most it was asked at a time."""

    address: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def texts(self) -> list[str]:
        """The questions' texts, in the order of arrival."""
        return [body["messages"][-1]["content"][-1]["text"] for body in self.bodies]


@contextmanager
def serving(answer: Callable[[dict[str, Any], int], Reply]) -> Iterator[Chat]:
    """A server on a free port; `answer(body, number)` says what the number-th request (from 0) gets."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                number = len(chat.bodies)
                chat.bodies.append(json.loads(data))
                chat.headers.append({name.lower(): value for name, value in self.headers.items()})
                chat.times.append(time.monotonic())
                chat.at_once += 1
                chat.most_at_once = max(chat.most_at_once, chat.at_once)
            try:
                self.reply(answer(chat.bodies[number], number))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with lock:
                    chat.at_once -= 1

        def reply(self, reply: Reply) -> None:
            time.sleep(reply.wait)
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.end_headers()
            body = reply.body[: reply.cut]
            if reply.drip:
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(reply.drip)
            else:
                self.wfile.write(body)
            self.close_connection = reply.cut is not None or reply.length is not None

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # connections that wait on a busy machine are not cut
        daemon_threads, block_on_close = True, False

        def handle_error(self, *_: Any) -> None:
            """Clients that hang up are what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    chat = Chat(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
