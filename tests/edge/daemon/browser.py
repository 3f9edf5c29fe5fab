"""A headless Chromium through chromedriver, spoken to in plain WebDriver (https://www.w3.org/TR/webdriver2/)."""

import contextlib
import re
import subprocess
import time
from pathlib import Path

import httpx

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size=1920,1080"
)
KEYS = {"down": "\ue015", "up": "\ue013", "left": "\ue012", "right": "\ue014", "enter": "\ue007"}


class Browser:
    def __init__(self, client: httpx.Client, session: str):
        self._client, self._session = client, session

    def open(self, url: str) -> None:
        self._ask("url", {"url": url})

    def run(self, script: str, *arguments: object) -> object:
        """The value of ``return ...`` in the page."""
        return self._ask("execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script: str, *, seconds: float = 20) -> object:
        deadline_s = time.monotonic() + seconds
        while not (value := self.run(f"return {script}")):
            assert time.monotonic() < deadline_s, f"never true: {script}\n{self.run('return document.body.innerText')}"
            time.sleep(0.05)
        return value

    def resize(self, width: int, height: int) -> None:
        """Show pages as a screen of this size would."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < height}
        self._ask("goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": size})

    def press(self, *keys: str) -> None:
        for key in keys:
            actions = [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")]
            self._ask("actions", {"actions": [{"type": "key", "id": "remote", "actions": actions}]})

    def errors(self) -> list[str]:
        """What the page logged as an error since the last call."""
        return [entry["message"] for entry in self._ask("se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def _ask(self, command: str, body: dict) -> object:
        answer = self._client.post(f"/session/{self._session}/{command}", json=body).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer


@contextlib.contextmanager
def browsing(folder: Path):
    log = (folder / "chromedriver.log").open("wb+")
    with log, subprocess.Popen(["chromedriver", "--port=0"], stdout=log, stderr=log) as driver:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{_port(log.name)}", timeout=60) as client:
                options = {"args": [*FLAGS.split(), f"--user-data-dir={folder / 'profile'}"]}
                wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
                answer = client.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
                try:
                    yield Browser(client, answer["sessionId"])
                finally:
                    client.delete(f"/session/{answer['sessionId']}")  # or the browser outlives its driver
        finally:
            driver.terminate()


def _port(log: str) -> str:
    deadline_s = time.monotonic() + 20
    while not (found := re.search(r"successfully on port (\d+)", Path(log).read_text())):
        assert time.monotonic() < deadline_s, "chromedriver did not start"
        time.sleep(0.02)
    return found.group(1)
