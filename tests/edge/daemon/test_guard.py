import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from edge.daemon import guard, listen
from edge.daemon.guard import MAX_BODY_BYTES, Guard, RateLimit

TOKEN = "0123456789abcdef"
LOCAL, ANYWHERE = listen.parse("127.0.0.1:8765"), listen.parse("0.0.0.0:8765")


def guarded(*, address=LOCAL, token=None, rate=None, app=None):
    answers = []
    made = Guard(app or PlainTextResponse("in"), address=address, token=token, on_answer=answers.append, rate=rate)
    made.answers = answers
    return made


def get(app, path="/v1/now", host="127.0.0.1:8765", **headers):
    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return await client.get(path, headers={"Host": host, **headers})

    return asyncio.run(ask())


def refused(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_lets_its_own_host_in():
    app = guarded()
    assert get(app).text == "in"
    assert app.answers == [200]


def test_refuses_a_rebound_name():
    app = guarded()
    assert refused(get(app, host="evil.example")) == (421, "unknown_host")
    assert app.answers == [421]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8765", 200),
        ("http://evil.example", 403),
        ("http://127.0.0.1:9999", 403),
        ("null", 403),
        ("http://127.0.0.1:8765.evil.example", 403),
        ("http://[", 403),
    ],
)
def test_refuses_pages_of_other_origins(origin, status):
    assert get(guarded(), Origin=origin).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"bearer {TOKEN}"}, 200),
    ],
)
def test_a_token_must_be_shown(headers, status):
    answer = get(guarded(address=ANYWHERE, token=TOKEN), host="192.168.1.5:8765", **headers)
    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/healthz", "/openapi.json"])
def test_the_page_itself_needs_no_token(path):
    assert get(guarded(token=TOKEN), path).status_code == 200


@pytest.mark.parametrize("path", ["/v1/status", "/metrics", "/page", "/v1/page/"])
def test_everything_else_does(path):
    assert get(guarded(token=TOKEN), path).status_code == 401


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "-1", "many", "9" * 30])
def test_refuses_a_body_that_is_declared_too_large(length):
    assert refused(get(guarded(), **{"Content-Length": length})) == (413, "too_large")


def test_slows_down_a_flood():
    now_s = 0.0
    rate = RateLimit(2, clock=lambda: now_s)
    app = guarded(rate=rate)
    assert [get(app).status_code for _ in range(3)] == [200, 200, 429]
    now_s = 0.5
    assert [get(app).status_code for _ in range(2)] == [200, 429]


def test_answers_only_so_many_at_once(monkeypatch):
    monkeypatch.setattr(guard, "MAX_REQUESTS_AT_ONCE", 2)
    release = asyncio.Event()

    async def slow(scope, receive, send):
        await release.wait()
        await PlainTextResponse("in")(scope, receive, send)

    app = guarded(app=slow)

    async def ask():
        headers = {"Host": "127.0.0.1:8765"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            first = [asyncio.create_task(client.get("/", headers=headers)) for _ in range(2)]
            await asyncio.sleep(0.01)
            third = await client.get("/", headers=headers)
            release.set()
            return third, [(await task).status_code for task in first]

    third, others = asyncio.run(ask())
    assert refused(third) == (503, "busy")
    assert others == [200, 200]


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "evil.example"])
def test_every_answer_tells_the_browser_to_be_strict(host):
    headers = get(guarded(), host=host).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"
