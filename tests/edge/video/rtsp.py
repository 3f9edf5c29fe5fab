"""A stream over RTSP that can stall, break off, end and come back."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

PACKAGES = "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
TRY = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


def missing() -> str | None:
    """What has to be installed before this can work, or None."""
    if not shutil.which(SYSTEM_PYTHON):
        return f"apt install {PACKAGES}"
    done = subprocess.run([SYSTEM_PYTHON, "-c", TRY], env=_environment(), capture_output=True, check=False)
    return f"apt install {PACKAGES}" if done.returncode else None


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


class RtspServer:
    """A context manager: ``url`` is where the film plays, while the server runs."""

    def __init__(self, film: Path):
        self._film = film
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{self._port}/film"

    def __enter__(self) -> "RtspServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self._server = subprocess.Popen([SYSTEM_PYTHON, str(SERVER), str(self._film), str(self._port)],
                                        env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self._server.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the RTSP server did not start; apt install {PACKAGES}")

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()
        self._server.stdout.close()

    @property
    def state(self) -> str:
        """Whether it runs, as the kernel says, or how it ended."""
        ended = self._server.poll()
        return Path(f"/proc/{self._server.pid}/stat").read_text().split()[2] if ended is None else f"ended with {ended}"

    def stall(self) -> None:
        self._server.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._server.send_signal(signal.SIGCONT)
