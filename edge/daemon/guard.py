"""The gate in front of the API: who may ask, how much, and what every answer says to a browser.

- Host: only names that no foreign DNS server can point here (listen.py).
- Origin: a page of another site may not ask at all, not even blindly.
- Token: when there is one, everything but the page's own files, its API description and /healthz needs it.
- Rate and number of requests at once are bounded; a body's declared size too (its real one in requests.py).
"""

import hmac
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.daemon.listen import Address
from edge.daemon.refusal import RETRY_SOON, Refusal

MAX_BODY_BYTES = 16 << 10
MAX_REQUESTS_AT_ONCE = 64
REQUESTS_PER_S = 500.0
OPEN_TO_ALL = ("/", "/page/", "/healthz", "/openapi.json")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class RateLimit:
    """A token bucket: ``per_s`` on average, a second's worth at once."""

    def __init__(self, per_s: float, *, clock: Callable[[], float] = time.monotonic):
        self._per_s, self._clock = per_s, clock
        self._left, self._at = per_s, clock()

    def take(self) -> bool:
        now = self._clock()
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Guard:
    """ASGI middleware around the whole application. Used from the event loop only."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        address: Address,
        token: str | None,
        on_answer: Callable[[int], None],
        rate: RateLimit | None = None,
    ):
        self._app, self._address, self._token, self._on_answer = app, address, token, on_answer
        self._rate = rate or RateLimit(REQUESTS_PER_S)
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = self._answer(send)
        try:
            self._check(scope["path"], Headers(scope=scope))
        except Refusal as refusal:
            response = JSONResponse(refusal.document(), refusal.status, refusal.headers)
            return await response(scope, receive, answer)
        self._running += 1
        try:
            await self._app(scope, receive, answer)
        finally:
            self._running -= 1

    def _check(self, path: str, headers: Headers) -> None:
        check_host(headers, self._address)
        if not self._rate.take():
            raise Refusal(
                429,
                "too_many_requests",
                f"more than {REQUESTS_PER_S:g} requests a second; slow down",
                RETRY_SOON,
            )
        if self._running >= MAX_REQUESTS_AT_ONCE:
            raise Refusal(503, "busy", f"{MAX_REQUESTS_AT_ONCE} requests are being answered; ask again", RETRY_SOON)
        check_token(path, headers, self._token)
        check_length(headers)

    def _answer(self, send: Send) -> Send:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
                self._on_answer(message["status"])
            await send(message)

        return secured


def check_host(headers: Headers, address: Address) -> None:
    """Raises Refusal unless Host, and Origin where a browser sends one, are this daemon's own."""
    host = headers.get("host", "")
    if not address.answers_to(host):
        raise Refusal(421, "unknown_host", f"the Host header {host!r:.200} is not an address of this daemon")
    origin = headers.get("origin")
    if origin not in (None, f"http://{host}", f"https://{host}"):
        raise Refusal(403, "foreign_origin", f"a page of {origin!r:.200} may not use this daemon")


def check_token(path: str, headers: Headers, token: str | None) -> None:
    """Raises Refusal unless the bearer token fits or the path needs none (RFC 6750)."""
    public = path in OPEN_TO_ALL or path.startswith("/page/")
    if token is None or public:
        return
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), token.encode()):
        raise Refusal(
            401,
            "unauthorized",
            "send the daemon's token as Authorization: Bearer TOKEN",
            {"WWW-Authenticate": "Bearer"},
        )


def check_length(headers: Headers) -> None:
    """Raises Refusal when the declared body is larger than any request needs."""
    declared = headers.get("content-length", "0")
    if not declared.isdigit() or len(declared) > 12 or int(declared) > MAX_BODY_BYTES:
        raise too_large()


def too_large() -> Refusal:
    return Refusal(413, "too_large", f"a request's body may have {MAX_BODY_BYTES} bytes")
