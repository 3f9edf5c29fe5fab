"""Every route of the real daemon, its answers and refusals, against the OpenAPI document."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from edge.daemon import api

DOCUMENT = json.loads(api.OPENAPI.read_text(encoding="utf-8"))
BELLS = "track:tiny/bells"
LIKE = {"id": "like-1", "user": "anna", "item": BELLS, "event": "like", "value": None, "time_s": 1700000000.0}


def check(answer, path, method="get"):
    """The answer is one that the document announces; returns its JSON."""
    announced = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    if "$ref" in announced:
        announced = DOCUMENT["components"]["responses"][announced["$ref"].rpartition("/")[2]]
    kind = answer.headers["content-type"].partition(";")[0]
    schema = announced["content"][kind]["schema"]
    if kind != "application/json":
        return answer.text
    validate(answer.json(), schema)
    return answer.json()


def validate(document, schema):
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(document)


def refused(answer, path, method="get"):
    error = check(answer, path, method)["error"]
    assert error["message"]
    return answer.status_code, error["code"]


def test_the_document_lists_exactly_the_routes():
    routes = {}
    for route in api.Api(None).routes():
        if hasattr(route, "methods"):
            path = re.sub(r":anything}", "}", route.path)
            routes[path] = {method.lower() for method in route.methods} - {"head"}
    assert routes == {path: set(methods) for path, methods in DOCUMENT["paths"].items()}


def test_the_document_is_served(client):
    assert check(client.get("/openapi.json"), "/openapi.json") == DOCUMENT
    jsonschema.Draft202012Validator.check_schema({"$defs": DOCUMENT["components"]["schemas"]})


def test_recommendations_say_why(client):
    found = check(client.get("/v1/recommendations?user=nobody&k=2"), "/v1/recommendations")
    assert found["user"] == "nobody"
    assert [row["rank"] for row in found["recommendations"]] == [1, 2]
    assert all(row["reasons"] for row in found["recommendations"])


@pytest.mark.parametrize("k", ["0", "51", "-1", "many", "1.5", "٣", "", "9" * 5000])
def test_recommendations_refuse_an_impossible_k(client, k):
    answer = client.get("/v1/recommendations", params={"k": k})
    assert refused(answer, "/v1/recommendations") == (422, "invalid_k")


@pytest.mark.parametrize("user", ["", "x" * 129, "a\nb", "\x00"])
def test_recommendations_refuse_an_impossible_user(client, user):
    answer = client.get("/v1/recommendations", params={"user": user})
    assert refused(answer, "/v1/recommendations") == (422, "invalid_user")


def test_recommendations_keep_out_what_is_filtered(client):
    def items(**query):
        found = check(client.get("/v1/recommendations", params={"user": "fay", **query}), "/v1/recommendations")
        return {row["item"] for row in found["recommendations"]}

    drone, rattle = "track:tiny/drone", "track:tiny/rattle"  # the bells come and go: they are what is heard
    assert {drone, rattle} <= items()
    blocked = items(block_artist="DRONE ensemble")
    assert drone not in blocked
    assert rattle in blocked
    unavailable = items(unavailable=[rattle, "track:nothing"])
    assert drone in unavailable
    assert rattle not in unavailable
    assert {drone, rattle} <= items(children="true")  # none of the tiny catalogue is marked
    client.post("/v1/feedback", json={"id": "fay-1", "user": "fay", "item": drone, "event": "play"})
    assert drone in items()
    unheard = items(repeats="false")
    assert drone not in unheard
    assert rattle in unheard


@pytest.mark.parametrize(("name", "value"), [
    ("children", "yes"), ("children", ""), ("repeats", "1"), ("block_artist", ""), ("block_artist", "a\nb"),
    ("block_artist", "x" * 201), ("block_artist", ["a"] * 201),
    ("unavailable", "x" * 129), ("unavailable", ["i"] * 201),
])
def test_recommendations_refuse_an_impossible_filter(client, name, value):
    answer = client.get("/v1/recommendations", params={name: value})
    assert refused(answer, "/v1/recommendations") == (422, f"invalid_{name}")


def test_now_names_what_plays(client, wait_until):
    playing = wait_until(lambda: client.get("/v1/now").json()["recognition"])
    assert playing["item"] == BELLS
    now = check(client.get("/v1/now"), "/v1/now")
    assert now["context"]["audio"]
    assert now["similar"]["audio"][0]["item"] == BELLS


def test_an_item_is_shown_whole(client):
    item = check(client.get(f"/v1/items/{BELLS}"), "/v1/items/{item}")
    assert (item["title"], item["artist"], item["kind"]) == ("Bells", "Bells Ensemble", "track")


@pytest.mark.parametrize(
    ("item", "status", "code"), [("nothing", 404, "unknown_item"), ("x" * 200, 422, "invalid_item")]
)
def test_an_item_that_is_not_there(client, item, status, code):
    assert refused(client.get(f"/v1/items/{item}"), "/v1/items/{item}") == (status, code)


def test_search_finds_words(client):
    found = check(client.get("/v1/search?q=rattle&k=3"), "/v1/search")
    assert [row["item"] for row in found["results"]] == ["track:tiny/rattle"]


@pytest.mark.parametrize("words", ["* NEAR (", '"', "钟", "🎵", "-", "' OR 1=1 --", "a" * 200])
def test_search_takes_any_words(client, words):
    assert check(client.get("/v1/search", params={"q": words}), "/v1/search")["results"] == []


@pytest.mark.parametrize("words", ["", "  ", "a" * 201])
def test_search_refuses_nothing_and_too_much(client, words):
    assert refused(client.get("/v1/search", params={"q": words}), "/v1/search") == (422, "invalid_q")


def test_feedback_is_kept_once(client):
    first = client.post("/v1/feedback", json=LIKE)
    again = client.post("/v1/feedback", json=LIKE)
    assert check(first, "/v1/feedback", "post") == {"id": "like-1", "new": True}
    assert check(again, "/v1/feedback", "post") == {"id": "like-1", "new": False}
    other = client.post("/v1/feedback", json={**LIKE, "event": "skip"})
    assert refused(other, "/v1/feedback", "post") == (409, "id_used_before")


def test_feedback_may_leave_out_user_value_and_time(client):
    answer = client.post("/v1/feedback", json={"id": "short", "item": BELLS, "event": "play"})
    assert check(answer, "/v1/feedback", "post")["new"]


def test_feedback_of_a_stay_says_how_long_it_was(client):
    body = {"id": "stay", "item": BELLS, "event": "dwell", "value": 12.5}
    jsonschema.Draft202012Validator(DOCUMENT["components"]["schemas"]["Feedback"]).validate(body)
    assert check(client.post("/v1/feedback", json=body), "/v1/feedback", "post")["new"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"item": "nothing"}, 404, "unknown_item"),
        ({"event": "adore"}, 422, "invalid_event"),
        ({"event": ["like"]}, 422, "invalid_event"),
        ({"event": "dwell"}, 422, "invalid_event"),
        ({"event": "dwell", "value": None}, 422, "invalid_event"),
        ({"id": ""}, 422, "invalid_event"),
        ({"id": 7}, 422, "invalid_event"),
        ({"user": "x" * 129}, 422, "invalid_event"),
        ({"item": "a\u202eb"}, 422, "invalid_event"),
        ({"value": -1}, 422, "invalid_event"),
        ({"value": True}, 422, "invalid_event"),
        ({"time_s": -1}, 422, "invalid_event"),
        ({"time_s": 1e300}, 422, "invalid_event"),
        ({"time_s": 10**400}, 422, "invalid_event"),
        ({"volume": 11}, 422, "unknown_key"),
    ],
)
def test_feedback_refuses_what_is_no_event(client, change, status, code):
    body = {**LIKE, "id": "refused", **change}
    assert refused(client.post("/v1/feedback", json=body), "/v1/feedback", "post") == (status, code)
    described = jsonschema.Draft202012Validator(DOCUMENT["components"]["schemas"]["Feedback"])
    assert described.is_valid(body) == (status == 404), "the document forbids what is refused for its form"


@pytest.mark.parametrize("key", ["id", "item", "event"])
def test_feedback_refuses_an_event_with_a_part_missing(client, key):
    answer = client.post("/v1/feedback", json={name: value for name, value in LIKE.items() if name != key})
    assert refused(answer, "/v1/feedback", "post") == (422, "invalid_event")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"[" * 10000, 400, "malformed_json"),
        (b'{"value": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
        (b'{"value": NaN}', 422, "invalid_event"),
        (b"[]", 422, "not_an_object"),
        (b'"\\ud800"', 422, "not_an_object"),
        (b"x" * 20000, 413, "too_large"),
    ],
)
def test_feedback_refuses_a_body_that_is_not_json(client, body, status, code):
    answer = client.post("/v1/feedback", content=body, headers={"Content-Type": "application/json"})
    assert refused(answer, "/v1/feedback", "post") == (status, code)


def test_a_large_body_that_hides_its_size_is_refused(client):
    chunks = (b" " * 1000 for _ in range(40))
    answer = client.post("/v1/feedback", content=chunks, headers={"Content-Type": "application/json"})
    assert refused(answer, "/v1/feedback", "post") == (413, "too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_foreign_form_can_send_is_refused(client, kind):
    answer = client.post("/v1/feedback", content=json.dumps(LIKE), headers={"Content-Type": kind})
    assert refused(answer, "/v1/feedback", "post") == (415, "not_json")


def test_a_user_is_forgotten(client):
    client.post("/v1/feedback", json={**LIKE, "id": "ben-1", "user": "ben/of:the house"})
    answer = client.delete("/v1/users/ben/of:the%20house")
    assert check(answer, "/v1/users/{user}", "delete") == {"user": "ben/of:the house", "forgotten": 1}
    again = client.delete("/v1/users/ben/of:the%20house")
    assert check(again, "/v1/users/{user}", "delete")["forgotten"] == 0


def test_status_says_what_it_hears_and_costs(client, wait_until):
    wait_until(lambda: client.get("/v1/status").json()["audio"]["frames"])
    status = check(client.get("/v1/status"), "/v1/status")
    assert status["audio"]["description"] == "file Bells.wav"
    assert status["video"]["state"] == "off"
    assert 0 < status["memory"]["pss_bytes"] < status["memory"]["budget_bytes"] == 512 << 20
    assert (status["bundle"], status["snapshot"], status["items"]) == ("tiny 1", "tiny 1", 3)


def test_metrics_are_prometheus_text(client, daemon):
    text = check(client.get("/metrics"), "/metrics")
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? -?[\d.e+-]+', line), line
    assert 'roomtone_frames_total{sense="audio"}' in text
    assert 'roomtone_http_answers_total{status="200"}' in text


def test_health_is_ok_while_frames_arrive(client, wait_until):
    wait_until(lambda: client.get("/v1/status").json()["audio"]["state"] in ("live", "ended"))
    health = check(client.get("/healthz"), "/healthz")
    assert health["ok"]
    assert health["senses"]["video"] == "off"


def test_the_page_and_all_that_it_names_are_served(client):
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    named = set(re.findall(r'(?:src|href)="(/[^"]+)"', page.text))
    for script in Path(api.PAGE).glob("*.js"):
        named |= {f"/page/{name}" for name in re.findall(r'from "\./(\w+\.js)"', script.read_text())}
    assert {"/page/app.js", "/page/style.css", "/page/link.js"} <= named
    for path in named:
        assert client.get(path).status_code == 200, path


def test_the_page_has_nothing_that_its_policy_forbids():
    text = "".join(path.read_text() for path in Path(api.PAGE).iterdir())
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", text)
    assert not [url for url in re.findall(r"https?://[\w.]+", text) if "w3.org" not in url]


@pytest.mark.parametrize("path", ["/page/../api.py", "/page/..%2fapi.py", "/page/nothing.js", "/nothing"])
def test_nothing_else_is_served(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/now"), ("GET", "/v1/mute"), ("PUT", "/v1/feedback")])
def test_a_wrong_method_is_said(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_no_answer_names_the_server(client):
    assert "server" not in client.get("/v1/now").headers


def test_a_rebound_name_and_a_foreign_page_are_refused(client):
    assert client.get("/v1/now", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/v1/now", headers={"Origin": "http://evil.example"}).status_code == 403


def test_nothing_of_the_history_is_logged(daemon):
    assert "anna" not in daemon.log
    assert BELLS not in daemon.log
