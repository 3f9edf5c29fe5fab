"""200 requests a second for a minute beside live sound: does it lose a sample, and how long does an answer take?

    python -m tests.faults.load --seconds 60 --per-second 200

Real capture through PortAudio from a private PulseAudio, the shipped catalogue. Requests are sent when they are due,
whether or not the last ones were answered; a latency counts from when it was due. Exits 1 above P99_MS or at a gap.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import numpy as np

from tests.edge.audio.pulse import VirtualMicrophone, missing
from tests.edge.daemon.process import running

P99_MS = 50.0
CONNECTIONS = 32
MIX = ("recommendations", "now", "feedback", "search", "recommendations", "status", "item", "healthz")


class Connection:
    """One kept-alive connection: a client this small takes little of the processor that it shares with the daemon."""

    @classmethod
    async def open(cls, path: Path) -> "Connection":
        made = cls()
        made._reader, made._writer = await asyncio.open_unix_connection(str(path))
        return made

    async def ask(self, method: str, path: str, body: bytes = b"") -> int:
        """The status; the answer is read to its end."""
        self._writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        await self._reader.readexactly(int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE).group(1)))
        return int(head.split(None, 2)[1])


async def ask(connection: Connection, kind: str, item: str, number: int) -> int:
    if kind == "feedback":
        event = {"id": str(uuid.uuid4()), "item": item, "event": "play", "user": f"user-{number % 3}"}
        return await connection.ask("POST", "/v1/feedback", json.dumps(event).encode())
    path = {"recommendations": f"/v1/recommendations?user=user-{number % 3}", "now": "/v1/now",
            "search": "/v1/search?q=battle", "status": "/v1/status", "item": f"/v1/items/{quote(item)}",
            "healthz": "/healthz"}[kind]
    return await connection.ask("GET", path)


async def load(socket: Path, item: str, seconds: float, per_s: float) -> tuple[dict[str, list[float]], Counter[int]]:
    """Milliseconds by kind of request, and how many answers of each status there were."""
    took_ms: dict[str, list[float]] = {kind: [] for kind in MIX}
    statuses: Counter[int] = Counter()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection.open(socket))
    began_s = time.monotonic()

    async def one(number: int, due_s: float) -> None:
        connection, kind = await free.get(), MIX[number % len(MIX)]
        statuses[await ask(connection, kind, item, number)] += 1
        took_ms[kind].append((time.monotonic() - due_s) * 1e3)
        free.put_nowait(connection)

    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * per_s)):
            due_s = began_s + number / per_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            group.create_task(one(number, due_s))
    return took_ms, statuses


def run(seconds: float, per_s: float) -> dict:
    with tempfile.TemporaryDirectory() as name, VirtualMicrophone(Path(name)) as room:
        room.play(np.random.default_rng(3).integers(-9000, 9000, 80_000).astype(np.int16))
        arguments = ("--profile", "rpi-zero-2w-speaker", "--audio", "mic", "--state", Path(name) / "state",
                     "--listen", f"unix:{name}/api.sock")
        with running(Path(name), *arguments, environment=room.environment) as daemon, daemon.client() as client:
            while client.get("/healthz").json()["senses"]["audio"] != "live":
                time.sleep(0.1)
            item = client.get("/v1/recommendations").json()["recommendations"][0]["item"]
            before, fed_before = client.get("/v1/status").json(), room.fed_samples
            took_ms, statuses = asyncio.run(load(Path(name) / "api.sock", item, seconds, per_s))
            after, fed_after = client.get("/v1/status").json(), room.fed_samples
    everything = np.concatenate([np.array(values) for values in took_ms.values()])
    heard_s = (after["audio"]["frames"] - before["audio"]["frames"]) / 16000
    return {
        "requests": everything.size, "statuses": dict(statuses), "seconds": seconds, "heard_s": round(heard_s, 2),
        "fed_s": round((fed_after - fed_before) / 16000, 2),
        "p50_ms": round(float(np.percentile(everything, 50)), 2),
        "p99_ms": round(float(np.percentile(everything, 99)), 2), "max_ms": round(float(everything.max()), 2),
        "p99_ms_by_kind": {kind: round(float(np.percentile(values, 99)), 2) for kind, values in took_ms.items()},
        "daemon_cpu_s": round(after["cpu_s"] - before["cpu_s"], 1),
        **{key: after["audio"][key] - before["audio"][key] for key in ("gaps", "overflows", "losses")},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--per-second", type=float, default=200.0)
    args = parser.parse_args()
    if missing():
        print(f"cannot run: {missing()}", file=sys.stderr)
        return 1
    result = run(args.seconds, args.per_second)
    print(json.dumps(result))
    heard_all = abs(result["heard_s"] - result["fed_s"]) < 0.5
    clean = heard_all and not any(result[key] for key in ("gaps", "overflows", "losses"))
    return 0 if clean and set(result["statuses"]) == {200} and result["p99_ms"] <= P99_MS else 1


if __name__ == "__main__":
    sys.exit(main())
