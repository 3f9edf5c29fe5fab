"""What is heard, asked and done stays inside: not in the log, and in no answer but the asker's own."""

import base64
import json
import wave
from pathlib import Path

USER, WORDS = "zebedee-quux", "xylophone nocturne"
OPENAPI = Path(__file__).parents[3] / "edge" / "daemon" / "openapi.json"
RUN_SAMPLES = 24
"""So many samples in a row, in any writing, would be sound."""


def writings(samples):
    """A run of samples as it could be written: raw, hex, base64 at each of three alignments, numbers."""
    raw = samples.tobytes()
    yield raw
    yield raw.hex().encode()
    for skipped in range(3):
        yield base64.b64encode(raw[skipped : skipped + 36])
    yield ", ".join(map(str, samples.tolist())).encode()
    yield ",".join(map(str, samples.tolist())).encode()


def loudest_runs(path):
    import numpy as np

    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    starts = range(RUN_SAMPLES, sound.size - RUN_SAMPLES, 977)
    return [sound[start : start + RUN_SAMPLES] for start in starts if sound[start : start + RUN_SAMPLES].any()]


def answers(client):
    """Every GET of the API that needs nothing of one user's, and the first events of the stream."""
    for path, operations in json.loads(OPENAPI.read_text())["paths"].items():
        if "get" in operations and "{" not in path and path not in ("/v1/events", "/v1/search"):
            yield path, client.get(path).content
    with client.stream("GET", "/v1/events") as stream:
        lines = stream.iter_lines()
        yield "/v1/events", "\n".join(next(lines) for _ in range(12)).encode()


def test_no_sound_no_user_and_no_words_in_logs_and_answers(running, home, tmp_path, wait_until):
    bells = home.tunes["track:tiny/bells"]
    with running(tmp_path, "--audio", f"file:{bells}") as daemon, daemon.client() as client:
        wait_until(lambda: client.get("/v1/status").json()["audio"]["embeddings"])
        event = {"id": "event-4711", "user": USER, "item": "track:tiny/bells", "event": "like"}
        assert client.post("/v1/feedback", json=event).json()["new"]
        assert client.post("/v1/feedback", json={**event, "event": "skip"}).status_code == 409
        assert client.post("/v1/feedback", json={**event, "id": "event-4712", "item": WORDS}).status_code == 404
        client.get("/v1/search", params={"q": WORDS}).raise_for_status()
        client.get("/v1/recommendations", params={"user": USER}).raise_for_status()
        found = dict(answers(client))
        client.delete(f"/v1/users/{USER}").raise_for_status()
        assert daemon.stop() == 0
    found["the log"] = daemon.log.encode()
    assert {"/v1/now", "/v1/status", "/metrics", "/healthz", "/v1/events", "the log"} <= found.keys()
    runs = [writing for run in loudest_runs(bells) for writing in writings(run)]
    assert len(runs) > 500
    for where, content in found.items():
        for secret in (USER, WORDS, "event-4711", "xylophone"):
            assert secret.encode() not in content, f"{where} tells {secret}"
        assert not any(run in content for run in runs), f"{where} holds sound"
    assert "track:tiny" not in daemon.log, "what was played and liked is nobody's business"
