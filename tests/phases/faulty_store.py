"""A proxy in front of an S3 server that fails as networks and stores do."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Of a path: a status, "reset", or None to let it through. "done" is 503 to a request that was carried out: its answer is lost.
Fault = Callable[[str, random.Random], "int | str | None"]


@contextmanager
def faulty_store(endpoint: str, fault: Fault, seed: int = 3) -> Iterator[tuple[str, list[str]]]:
    """The proxy's address, and the paths of the requests that it failed."""
    failed: list[str] = []
    chance = random.Random(seed)
    target = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self._body()
            found = fault(self.path, chance)
            if found is None:
                self._forward(body)
                return
            failed.append(self.path)
            if found == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            if found == "done":
                self._request(body)
                found = 503
            code = {503: "SlowDown", 500: "InternalError", 403: "AccessDenied"}[int(found)]
            self._answer(int(found), {}, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data

        def _forward(self, body: bytes) -> None:
            answer, data = self._request(body)
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OURS}
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._answer(answer.status, kept, data, length)

        def _request(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
            client = http.client.HTTPConnection(target)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "transfer-encoding"}
            client.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
            answer = client.getresponse()
            data = answer.read()
            client.close()
            return answer, data

        def _answer(self, status: int, headers: dict[str, str], data: bytes, length: str | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", failed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_OURS = {"content-length", "transfer-encoding", "connection", "date", "server"}
