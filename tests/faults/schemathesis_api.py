"""Run schemathesis, all checks, against a daemon that hears the sample clip: python tests/faults/schemathesis_api.py.

/v1/events never ends, so it is left to tests/edge/daemon/test_stream.py.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "edge" / "assets" / "clips" / "in-the-catalogue.ogg"
START_S = 30


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200, help="inputs for each operation and phase (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            daemon = subprocess.Popen(
                [sys.executable, "-m", "edge.cli", "daemon", "--audio", f"file:{CLIP}", "--state", f"{folder}/state",
                 "--listen", "127.0.0.1:0"], cwd=ROOT, stdout=file, stderr=file)
        try:
            return subprocess.run(
                ["schemathesis", "run", f"{_url(log)}openapi.json", "--checks", "all", "-n", str(args.examples),
                 "--seed", str(args.seed), "--request-timeout", "5", "--exclude-path", "/v1/events",
                 "--continue-on-failure", "--rate-limit", "400/s"], cwd=folder, check=False).returncode
        finally:
            daemon.terminate()
            daemon.wait(10)


def _url(log):
    until_s = time.monotonic() + START_S
    while "ready in" not in log.read_text():
        assert time.monotonic() < until_s, log.read_text()
        time.sleep(0.05)
    line = next(line for line in log.read_text().splitlines() if "ready in" in line)
    return line.rpartition(" s: ")[2]


if __name__ == "__main__":
    sys.exit(main())
