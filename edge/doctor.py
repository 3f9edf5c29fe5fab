"""``roomtone doctor``: whether this device has what it needs, each check with its fix."""

import argparse
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass

from edge.catalog.snapshot import open_snapshot
from edge.commands import open_history, open_trusted, print_json
from edge.engine.open import open_engine
from edge.errors import RoomtoneError
from edge.firmware import FirmwareProfile, load
from edge.memory import plan


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str


def doctor(args: argparse.Namespace) -> int:
    """Exit code 0 when every check is passed, 1 otherwise."""
    profile = load(args.profile)
    checks = [Check("machine", *_machine())]
    bundle = _tried(checks, "bundle", lambda: open_trusted(args), lambda b: f"{b.name} {b.version}")
    spaces = bundle.spaces() if bundle else None
    snapshot = _tried(checks, "catalogue", lambda: open_snapshot(args.catalog, spaces=spaces),
                      lambda s: f"{s.name} {s.version}, {len(s.items)} items")
    _tried(checks, "state", lambda: open_history(args.state).close(), lambda _: str(args.state))
    if profile.audio.enabled:
        _tried(checks, "microphone", _microphones, lambda found: found)
    if bundle:
        for kind in _kinds(profile):
            _tried(checks, f"{kind} model", lambda kind=kind: _run(bundle, kind, profile), lambda found: found)
    planned = plan(profile, bundle, snapshot) if bundle and snapshot else None
    if planned:
        _tried(checks, "memory plan", planned.check, lambda _: f"{planned.total_bytes} of {planned.budget_bytes} bytes")
    ok = all(check.ok for check in checks if check.name != "microphone")
    if args.json:
        print_json({"ok": ok, "checks": [asdict(check) for check in checks], "profile": profile.name,
                    "plan_bytes": planned.parts if planned else {}, "budget_bytes": profile.memory.budget_bytes})
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
    return 0 if ok else 1


def _tried(checks: list[Check], name: str, attempt: Callable, say: Callable):
    try:
        result = attempt()
    except RoomtoneError as error:
        checks.append(Check(name, False, str(error)))
        return None
    checks.append(Check(name, True, say(result)))
    return result


def _machine() -> tuple[bool, str]:
    machine = platform.machine()
    if machine in ("aarch64", "x86_64", "arm64"):
        return True, f"{machine}, Python {platform.python_version()}"
    return False, f"{machine}: not tried; the runtimes are made for aarch64 and x86_64"


def _kinds(profile: FirmwareProfile) -> list[str]:
    return [kind for kind, used in (("audio", profile.audio.enabled), ("video", profile.video.enabled)) if used]


def _run(bundle, kind: str, profile: FirmwareProfile) -> str:
    import numpy as np

    model = bundle.model(kind)
    runtime = profile.engine.runtime
    with open_engine(runtime, model.file(runtime), threads=profile.engine.threads) as engine:
        engine.run(np.zeros(engine.input.shape, np.int8))
        return f"{engine.version}, input {engine.input.shape}"


def _microphones() -> str:
    from edge.audio.devices import microphone_names

    return ", ".join(microphone_names())
