"""The HTTP API and the TV page: thin handlers over the room. openapi.json describes every route."""

import asyncio
import logging
from pathlib import Path

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from edge.daemon import events, metrics, requests
from edge.daemon.guard import Guard
from edge.daemon.listen import Address
from edge.daemon.refusal import RETRY_SOON, Refusal
from edge.daemon.room import Room
from edge.daemon.stream import EventStream
from edge.errors import RoomtoneError
from edge.recommend.signals import SEEN_ONLY

HERE = Path(__file__).resolve().parent
PAGE = HERE / "page"
OPENAPI = HERE / "openapi.json"

log = logging.getLogger(__name__)


class Anything(StringConvertor):
    """The rest of a path, line ends too: what they are refused with names them."""

    regex = r"[\s\S]*"


class Api:
    """One method per route; each returns what openapi.json says or raises a Refusal."""

    def __init__(self, room: Room):
        self._room = room

    async def recommendations(self, request: Request) -> Response:
        user, k, filters = requests.user(request), requests.count(request), requests.filters(request)
        return _json(await self._room.desk.recommend(user, k, filters))

    async def feedback(self, request: Request) -> Response:
        event = await requests.feedback(request)
        new = await self._room.desk.add(event)
        self._room.feedback[event.event] += new
        if event.event not in SEEN_ONLY:  # or what a list shows would make the next list, and so on
            self._room.refresher.wake()
        return _json({"id": event.id, "new": new})

    async def now(self, request: Request) -> Response:
        return _json(await self._room.desk.now())

    async def item(self, request: Request) -> Response:
        return _json(await self._room.desk.item(requests.identifier("item", request.path_params["item"])))

    async def search(self, request: Request) -> Response:
        return _json(await self._room.desk.search(requests.words(request), requests.count(request)))

    async def status(self, request: Request) -> Response:
        return _json(await self._room.status())

    async def mute(self, request: Request) -> Response:
        self._room.mute.turn(await requests.muted(request))
        self._room.broadcaster.publish("status", self._room.senses_status())
        return _json({"muted": self._room.mute.muted})

    async def forget(self, request: Request) -> Response:
        user = requests.identifier("user", request.path_params["user"])
        forgotten = await self._room.desk.forget(user)
        self._room.refresher.wake()
        return _json({"user": user, "forgotten": forgotten})

    async def events(self, request: Request) -> EventStream:
        user, room = requests.user(request), self._room
        first = [
            events.encode("status", room.senses_status()),
            events.encode("now", await room.desk.now()),
            events.encode("recommendations", await room.desk.recommend(user, requests.DEFAULT_K)),
        ]
        if room.broadcaster.full:
            raise Refusal(503, "too_many_readers", "too many readers of events; close one", RETRY_SOON)
        return EventStream(room.broadcaster, room.broadcaster.subscribe(user), first)

    async def metrics(self, request: Request) -> Response:
        memory = await asyncio.to_thread(self._room.memory)
        return PlainTextResponse(metrics.render(self._room, memory), media_type=metrics.CONTENT_TYPE)

    async def healthz(self, request: Request) -> Response:
        health = self._room.health()
        return _json(health, 200 if health["ok"] else 503)

    async def openapi(self, request: Request) -> Response:
        return FileResponse(OPENAPI, media_type="application/json")

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    def routes(self) -> list[Route | Mount]:
        register_url_convertor("anything", Anything())
        return [
            Route("/", self.page),
            Mount("/page", StaticFiles(directory=PAGE)),
            Route("/healthz", self.healthz),
            Route("/metrics", self.metrics),
            Route("/openapi.json", self.openapi),
            Route("/v1/recommendations", self.recommendations),
            Route("/v1/feedback", self.feedback, methods=["POST"]),
            Route("/v1/now", self.now),
            Route("/v1/items/{item:anything}", self.item),
            Route("/v1/search", self.search),
            Route("/v1/status", self.status),
            Route("/v1/mute", self.mute, methods=["POST"]),
            Route("/v1/events", self.events),
            Route("/v1/users/{user:anything}", self.forget, methods=["DELETE"]),
        ]


def build(room: Room, *, address: Address, token: str | None) -> ASGIApp:
    """The whole application, guard in front."""
    inner = Starlette(
        routes=Api(room).routes(),
        exception_handlers={
            Refusal: _refused,
            HTTPException: _http_error,
            RoomtoneError: _unavailable,
            OSError: _system_refuses,
            ClientDisconnect: _left,
            Exception: _failed,
        },
    )
    return Guard(inner, address=address, token=token, on_answer=room.count_answer)


def _json(document: object, status: int = 200) -> JSONResponse:
    return JSONResponse(document, status, {"Cache-Control": "no-store"})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse(error.document(), error.status, error.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    said = f"{request.method} {request.url.path!r:.200}: {error.detail}; see /openapi.json"
    return await _refused(request, Refusal(error.status_code, code, said, dict(error.headers or {})))


async def _unavailable(request: Request, error: Exception) -> Response:
    """The catalogue or the state cannot answer just now: a full disk, an unreadable file."""
    log.warning("a request cannot be answered: %s", error)
    return await _refused(request, Refusal(503, "unavailable", str(error)))


async def _system_refuses(request: Request, error: Exception) -> Response:
    """As when no descriptor is left; names of files are for the log only."""
    assert isinstance(error, OSError)
    log.warning("a request cannot be answered: %s", error)
    said = f"the system refuses: {error.strerror or type(error).__name__}; ask again"
    return await _refused(request, Refusal(503, "unavailable", said, RETRY_SOON))


async def _left(request: Request, error: Exception) -> Response:
    """Nobody reads this: the client went in the middle of its request."""
    return Response(status_code=400)


async def _failed(request: Request, error: Exception) -> Response:
    return await _refused(request, Refusal(500, "internal", "the daemon met an error; its log says which"))
