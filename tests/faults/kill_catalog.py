"""Kill the build of a catalogue again and again, and see that it ends in the same snapshot as one left alone.

    python tests/faults/kill_catalog.py --files 10000 --kills 5

The media are two-second chords, each of its own. The builds are killed at random moments, the last of them while the
snapshot is being written. Prints when, and the largest resident set of an undisturbed build's own process and of a
worker, which should not depend on the number of files.
"""

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.process import environment  # noqa: E402

RATE_HZ, SECONDS = 16_000, 2.0
POLL_S = 0.02


def write_media(folder, files, seed):
    rng, time_s = np.random.default_rng(seed), np.arange(int(RATE_HZ * SECONDS)) / RATE_HZ
    folder.mkdir()
    for number in range(files):
        tones = sum(np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in rng.uniform(80, 4000, 4))
        soundfile.write(folder / f"{number:06d}.wav", 0.15 * tones, RATE_HZ)


class Build:
    """One run of ``roomtone-export catalog``, watched."""

    def __init__(self, media, out, workers):
        self.partial = out.with_name(f".{out.name}.partial")
        command = [sys.executable, "-m", "export.cli", "catalog", str(media), "--out", str(out), "--name", "media",
                   "--workers", str(workers), "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT,
                                        env=environment())
        self.peak_bytes = self.worker_peak_bytes = 0

    def watch(self, until):
        """Let it run until it ends or ``until()`` says so. Returns whether it ended by itself."""
        while self.process.poll() is None:
            self.peak_bytes = max(self.peak_bytes, peak_bytes(self.process.pid))
            for child in children(self.process.pid):
                self.worker_peak_bytes = max(self.worker_peak_bytes, peak_bytes(child))
            if until():
                return False
            time.sleep(POLL_S)
        return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def report(self):
        assert self.process.returncode == 0, f"the build failed with {self.process.returncode}"
        return json.loads(self.process.stdout.read())


def peak_bytes(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def killed_builds(media, out, workers, kills, plain_s, chance):
    """When each build was killed, in seconds. One that ends before its moment is not killed."""
    moments_s = []
    for number in range(kills):
        build, after_s = Build(media, out, workers), chance.uniform(0, plain_s / kills)
        last = number == kills - 1
        if not build.watch(build.partial.exists if last else partial(is_past, time.monotonic() + after_s)):
            build.kill()
            moments_s.append("while it was written" if last else round(after_s, 1))
    return moments_s


def is_past(moment_s):
    return time.monotonic() > moment_s


def content(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_media(folder / "media", args.files, args.seed)
        plain, began_s = Build(folder / "media", folder / "plain", args.workers), time.monotonic()
        plain.watch(lambda: False)
        plain_s = time.monotonic() - began_s
        assert plain.report()["tracks"] == args.files
        done = killed_builds(folder / "media", folder / "killed", args.workers, args.kills, plain_s,
                             random.Random(args.seed))
        last = Build(folder / "media", folder / "killed", args.workers)
        last.watch(lambda: False)
        reused = last.report()["reused"]
        same = content(folder / "killed") == content(folder / "plain")
    result = {"files": args.files, "killed_after_s": done, "reused_by_the_last": reused, "same_snapshot": same,
              "plain_s": round(plain_s, 1), "build_peak_mb": round(plain.peak_bytes / 1e6, 1),
              "worker_peak_mb": round(plain.worker_peak_bytes / 1e6, 1)}
    print(json.dumps(result) if args.json else "\n".join(f"{name}: {value}" for name, value in result.items()))
    return 0 if same and len(done) == args.kills else 1


if __name__ == "__main__":
    sys.exit(main())
