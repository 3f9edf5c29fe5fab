"""What clients may send: query parameters and JSON bodies, read within limits; anything else is a Refusal."""

import asyncio
import json
from typing import Any

from starlette.requests import Request

from edge.daemon.guard import MAX_BODY_BYTES, too_large
from edge.daemon.refusal import Refusal
from edge.errors import UsageError
from edge.recommend.event import MAX_ID_CHARACTERS, NAME, Event, check, is_name
from edge.recommend.filters import Filters

DEFAULT_USER = "household"
DEFAULT_K, MAX_K = 10, 50
MAX_QUERY_CHARACTERS = 200
MOST_FILTERED = 200
"""So many artists, and items, may be kept out by one request."""
LONGEST_BODY_S = 5.0


def count(request: Request) -> int:
    """``k``: how many results, 1 to MAX_K."""
    text = request.query_params.get("k", str(DEFAULT_K))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_K):
        raise Refusal(422, "invalid_k", f"k = {text!r:.80} must be a whole number from 1 to {MAX_K}")
    return int(text)


def user(request: Request) -> str:
    return identifier("user", request.query_params.get("user", DEFAULT_USER))


def words(request: Request) -> str:
    """``q``: what to search for."""
    text = request.query_params.get("q", "")
    if len(text) > MAX_QUERY_CHARACTERS or all(character <= " " for character in text):
        said = f"q has {len(text)} characters; it must have 1 to {MAX_QUERY_CHARACTERS}, not all blank"
        raise Refusal(422, "invalid_q", said)
    return text


def filters(request: Request) -> Filters:
    """What stays out of a list: ``children``, ``block_artist`` and ``unavailable`` (both repeatable), ``repeats``."""
    artists = _several(request, "block_artist")
    for artist in artists:
        if len(artist) > MAX_QUERY_CHARACTERS or NAME.fullmatch(artist) is None:
            said = f"block_artist {artist!r:.80} must be 1 to {MAX_QUERY_CHARACTERS} characters, no control ones"
            raise Refusal(422, "invalid_block_artist", said)
    return Filters.of(
        children=_truth(request, "children", default=False),
        artists=artists,
        unavailable=[identifier("unavailable", item) for item in _several(request, "unavailable")],
        repeats=_truth(request, "repeats", default=True),
    )


def _several(request: Request, name: str) -> list[str]:
    values = request.query_params.getlist(name)
    if len(values) > MOST_FILTERED:
        raise Refusal(422, f"invalid_{name}", f"{name} is given {len(values)} times; it may be {MOST_FILTERED} times")
    return values


def _truth(request: Request, name: str, *, default: bool) -> bool:
    text = request.query_params.get(name)
    if text not in (None, "true", "false"):
        raise Refusal(422, f"invalid_{name}", f"{name} = {text!r:.80} must be true or false")
    return default if text is None else text == "true"


def identifier(name: str, value: Any) -> str:
    """A user, item or event id: short text without control characters."""
    if not is_name(value):
        said = f"{name} {value!r:.80} must be text of 1 to {MAX_ID_CHARACTERS} characters, none a control character"
        raise Refusal(422, f"invalid_{name}", said)
    return value


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. A browser's form cannot send this content type, so no foreign page can."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "not_json", f"send Content-Type: application/json, not {kind!r:.80}")
    try:
        document = json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "malformed_json", f"the body is not JSON: {error!s:.120}") from error
    if not isinstance(document, dict):
        raise Refusal(422, "not_an_object", f"the body must be a JSON object, not {document!r:.80}")
    return document


async def feedback(request: Request) -> Event:
    """The event in a feedback request's body; ``user``, ``value`` and ``time_s`` may be left out."""
    body = await json_object(request)
    _known_keys(body, {"id", "user", "item", "event", "value", "time_s"})
    fields = {"user": DEFAULT_USER, "id": None, "item": None, "event": None, **body}
    sent = Event(**fields)
    try:
        check(sent)
    except UsageError as error:
        raise Refusal(422, "invalid_event", str(error)) from error
    return sent


async def muted(request: Request) -> bool:
    body = await json_object(request)
    _known_keys(body, {"muted"})
    if not isinstance(body.get("muted"), bool):
        raise Refusal(422, "invalid_muted", f"muted must be true or false, not {body.get('muted')!r:.80}")
    return body["muted"]


def _known_keys(body: dict[str, Any], known: set[str]) -> None:
    for key in body.keys() - known:
        raise Refusal(422, "unknown_key", f"unknown key {key!r:.80}; known: {', '.join(sorted(known))}")


async def _body(request: Request) -> bytes:
    received = bytearray()
    try:
        async with asyncio.timeout(LONGEST_BODY_S):
            async for part in request.stream():
                received += part
                if len(received) > MAX_BODY_BYTES:
                    raise too_large()
    except TimeoutError as error:
        raise Refusal(408, "too_slow", f"the body did not arrive within {LONGEST_BODY_S:g} s") from error
    return bytes(received)
