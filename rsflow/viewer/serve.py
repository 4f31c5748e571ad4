"""Serving the page: the port, what is printed, and the loop."""

from __future__ import annotations

import errno
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn

from rsflow.errors import RsflowError, UsageError
from rsflow.lake.tables import open_lake
from rsflow.viewer.security import LOOPBACK, Access
from rsflow.viewer.server import LakeView, make_app

FIRST_PORT = 8600
_TRIED = 20  # ports after a busy one


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """`port`: 0 takes FIRST_PORT or the next one that is free. `token`: empty makes one where the host is not loopback.
    `background`: the address of map tiles with {z}, {x} and {y}. `review`: the page may add decisions to the lake."""

    root: str
    host: str = "127.0.0.1"
    port: int = 0
    token: str = ""
    background: str = ""
    review: bool = False


def serve(settings: ViewSettings) -> int:
    """Serve the page of a lake until it is interrupted. UsageError for a busy port or an address that is none."""
    image_origin = _origin(settings.background)
    lake = open_lake(settings.root, writable=settings.review)
    listening = listen(settings.host, settings.port)
    with listening:
        print(f"{settings.root}: reading …", flush=True)
        view = LakeView(lake, settings.review)
        port = listening.getsockname()[1]
        token = settings.token or ("" if settings.host in LOOPBACK else secrets.token_urlsafe(16))
        app = make_app(view, Access(settings.host, port, token, image_origin), settings.background)
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        print(f"http://{name}:{port}/{f'?token={token}' if token else ''}   (Ctrl-C ends it)", flush=True)
        config = uvicorn.Config(app, log_level="warning", server_header=False, access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket at `port`, or at the first free one where it is 0."""
    for number in [port] if port else range(FIRST_PORT, FIRST_PORT + _TRIED):
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, number), family=family)
        except socket.gaierror as error:
            raise UsageError(f"--host is {host!r}: this machine has no such address ({error})") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UsageError(f"{host}:{number}: cannot listen there: {error}") from error
    if port:
        raise UsageError(f"--port is {port}: it is in use on {host}: choose another one, or none to take the next that is free")
    raise RsflowError(f"ports {FIRST_PORT} to {FIRST_PORT + _TRIED - 1} of {host} are all in use: choose one with --port")


def _origin(background: str) -> str:
    """The origin of the map's background, which the page's policy lets it ask."""
    if not background:
        return ""
    found = urlsplit(background)
    if found.scheme not in {"http", "https"} or not all(f"{{{part}}}" in background for part in "zxy") or "{" in found.netloc:
        raise UsageError(f"--background is {background!r}: expected an http(s) address with {{z}}, {{x}} and {{y}}")
    return f"{found.scheme}://{found.netloc}"
