"""A day of sound, fed as fast as it can be understood: does the process grow?

    python -m tests.faults.day --hours 24 --plot build/day.svg

The real daemon hears the sample clip over and over from one long file, is asked for a list twice a simulated minute and
told of an event once. Its memory is read every half hour of sound. Growth is the last reading less the one after the
first two hours, when every buffer and cache has been filled; exits 1 when anonymous or resident memory grew by more
than GROWTH_BYTES. The proportional size is shown, too; it also changes when other processes come and go.
"""

import argparse
import json
import re
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from edge.audio.source import open_audio
from edge.demo import clips
from edge.memory import measured
from tests.edge.daemon.process import Daemon, running

GROWTH_BYTES = 1_000_000
RATE_HZ = 16000
SETTLED_H, EVERY_H = 2.0, 0.5


def write_day(path: Path, hours: float) -> None:
    """The sample clip until the time is full, as a WAV file of 115 MB an hour."""
    clip = next(clip for clip in clips() if clip.suffix in (".ogg", ".flac", ".wav"))
    with open_audio(f"file:{clip}", sample_rate_hz=RATE_HZ) as source:
        sound = np.concatenate([block.samples for block in iter(source.read, None)]).astype("<i2").tobytes()
    left = int(hours * 3600 * RATE_HZ) * 2
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.setnframes(left // 2)
        while left > 0:
            file.writeframesraw(sound[:left])
            left -= len(sound)


def watch(daemon: Daemon) -> list[dict]:
    """Readings by the hour of sound."""
    readings: list[dict] = []
    process, minutes = Path(f"/proc/{daemon.process.pid}"), 0
    with daemon.client() as client:
        item = client.get("/v1/recommendations").json()["recommendations"][0]["item"]
        while True:
            audio = client.get("/v1/status").json()["audio"]
            heard_h = audio["frames"] / RATE_HZ / 3600
            while minutes < heard_h * 60:
                minutes += 1
                event = {"id": f"minute-{minutes}", "item": item, "event": "play", "user": f"user-{minutes % 4}"}
                client.post("/v1/feedback", json=event).raise_for_status()
                for user in (minutes % 4, (minutes + 1) % 4):
                    client.get("/v1/recommendations", params={"user": f"user-{user}"}).raise_for_status()
            if heard_h >= len(readings) * EVERY_H or audio["state"] == "ended":
                readings.append({"hour": round(heard_h, 2), **measured(process)})
                print(f"{heard_h:5.1f} h  PSS {readings[-1]['pss_bytes'] / 1e6:.2f} MB  anonymous "
                      f"{readings[-1]['anonymous_bytes'] / 1e6:.2f} MB", file=sys.stderr)
            if audio["state"] == "ended":
                return readings
            time.sleep(0.05)


def growth(readings: list[dict]) -> dict[str, int]:
    """Bytes by which each measure grew after the start had settled."""
    settled = next((row for row in readings if row["hour"] >= SETTLED_H), readings[0])
    return {key: readings[-1][key] - settled[key] for key in ("pss_bytes", "anonymous_bytes", "resident_bytes")}


def plot(readings: list[dict]) -> str:
    """Both measures by the hour, as SVG, 0 to a round number of MB."""
    width, height, left, below = 640, 240, 48, 28
    top_mb = 20 * (1 + int(max(row["pss_bytes"] for row in readings) / 20e6))
    end_h = readings[-1]["hour"]

    def line(key: str, colour: str) -> str:
        points = " ".join(f"{left + row['hour'] / end_h * (width - left - 8):.1f},"
                          f"{(height - below) * (1 - row[key] / 1e6 / top_mb) + 4:.1f}" for row in readings)
        return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'

    marks = "".join(f'<text x="{left - 6}" y="{(height - below) * (1 - mb / top_mb) + 8:.0f}" '
                    f'text-anchor="end">{mb}</text>' for mb in range(0, top_mb + 1, 20))
    hours = "".join(f'<text x="{left + hour / end_h * (width - left - 8):.0f}" y="{height - 6}" '
                    f'text-anchor="middle">{hour} h</text>' for hour in range(0, int(end_h) + 1, 4))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
            f'font-size="11" fill="#555">{marks}{hours}{line("pss_bytes", "#0969da")}'
            f'{line("anonymous_bytes", "#bc4c00")}<text x="{left + 8}" y="16" fill="#0969da">PSS, MB</text>'
            f'<text x="{left + 70}" y="16" fill="#bc4c00">anonymous, MB</text></svg>\n')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--profile", default="rpi-zero-2w-speaker")
    parser.add_argument("--plot", type=Path, help="write the readings as SVG")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sound = Path(name) / "day.wav"
        write_day(sound, args.hours)
        began_s = time.monotonic()
        arguments = ("--profile", args.profile, "--audio", f"file:{sound}", "--fast", "--state", Path(name) / "state",
                     "--listen", f"unix:{name}/api.sock")
        with running(Path(name), *arguments) as daemon:
            readings = watch(daemon)
            faults = re.findall(r"(?:ERROR|Traceback).*", daemon.log)
    grown = growth(readings)
    result = {"hours": args.hours, "took_s": round(time.monotonic() - began_s), "grown_bytes": grown,
              "peak_bytes": readings[-1]["peak_bytes"], "readings": readings, "faults": faults}
    if args.plot:
        args.plot.parent.mkdir(parents=True, exist_ok=True)
        args.plot.write_text(plot(readings), encoding="utf-8")
    print(json.dumps(result if args.json else {key: result[key] for key in result if key != "readings"}))
    return 1 if faults or max(grown["resident_bytes"], grown["anonymous_bytes"]) > GROWTH_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
