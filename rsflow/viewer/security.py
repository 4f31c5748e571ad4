"""Who may ask what of the page's server: hosts, the token, forged requests, and the headers of every answer.

One idea: one guard stands before every route. On loopback an address that is none of this machine's names is refused, so that
no other site can reach the server by a name of its own (DNS rebinding). Elsewhere a token is required. What changes anything
needs JSON, the page's own origin and a secret that only the page is given (cross-site request forgery).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "rsflow_view"
FORGERY_HEADER = "x-rsflow-review"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Access:
    """`token`: required where it is not empty. `image_origin`: of the map's background, the one other site that the page may
    ask for pictures. `secret`: of this process, what the page sends with whatever changes something."""

    host: str
    port: int
    token: str = ""
    image_origin: str = ""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def policy(self) -> str:
        """The content security policy: nothing but the page's own files, no inline scripts or styles, no frames."""
        images = " ".join(["img-src 'self' data:", self.image_origin]).strip()
        own = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
        return f"{own}; {images}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Guard:
    """ASGI middleware that lets through what `access` allows, and writes the security headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {"content-security-policy": self.access.policy, **_HEADERS}

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in headers.items())]
            await send(message)

        refusal = self._refusal(Request(scope))
        await (refusal or self.app)(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        if not self.access.token and not self._is_own_host(request.headers.get("host", "")):
            return _refuse(403, "this server answers to the names of this machine only")
        if self.access.token and not self.has_token(request):
            return _refuse(401, "a token is required: open the address that `rsflow view` printed")
        if request.method in {"GET", "HEAD"}:
            return None
        return self._forgery(request)

    def _is_own_host(self, host: str) -> bool:
        try:
            found = urlsplit(f"//{host}")
            return found.hostname in {*LOOPBACK, self.access.host} and (found.port or 80) == self.access.port
        except ValueError:
            return False

    def has_token(self, request: Request) -> bool:
        """Whether the request brings the token, as a cookie, a header or (the first time) in its address."""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        offered = (request.cookies.get(COOKIE, ""), bearer, request.query_params.get("token", ""))
        return any(hmac.compare_digest(each.encode(), self.access.token.encode()) for each in offered if each)

    def _forgery(self, request: Request) -> Response | None:
        origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
        if not host or origin.partition("://")[2] != host:
            return _refuse(403, "the request does not come from the page of this server")
        if not hmac.compare_digest(request.headers.get(FORGERY_HEADER, "").encode(), self.access.secret.encode()):
            return _refuse(403, "the page is of an earlier server: reload it")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refuse(415, "expected application/json")
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BODY_BYTES:
            return _refuse(413, f"expected a body of at most {MOST_BODY_BYTES} bytes with its length")
        return None


_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def _refuse(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status)
