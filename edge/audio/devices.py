"""Which microphones there are, and how each can be opened."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.errors import MediaError, RuntimeMissingError

MAX_CHANNELS = 16
ALSA_CONFIG = Path("/usr/share/alsa/alsa.conf")
OUR_ALSA = Path(__file__).resolve().parent / "alsa"
NO_MICROPHONE = "there is no microphone; plug one in, or start the sound server (arecord -l lists the cards)"


def portaudio() -> Any:
    """The sounddevice module. Raises RuntimeMissingError naming what to install."""
    leave_out_unneeded_plugins()
    try:
        import sounddevice
    except ImportError as error:
        raise RuntimeMissingError(
            "sounddevice is not installed; run pip install 'roomtone[speaker]'"
        ) from error
    except OSError as error:
        raise RuntimeMissingError("PortAudio is not installed; run apt install libportaudio2") from error
    return sounddevice


def leave_out_unneeded_plugins() -> None:
    """Add edge/audio/alsa to ALSA's configuration of this process. Whoever set one of their own keeps it."""
    if ALSA_CONFIG.exists() and "ALSA_CONFIG_PATH" not in os.environ:
        os.environ["ALSA_CONFIG_PATH"] = f"{ALSA_CONFIG}:{OUR_ALSA / 'hook.conf'}"
        os.environ["ROOMTONE_ALSA_UNNEEDED"] = str(OUR_ALSA / "unneeded.conf")


def microphones(portaudio: Any) -> list[dict[str, Any]]:
    """PortAudio's devices that can capture, as sounddevice.query_devices describes them."""
    return [device for device in portaudio.query_devices() if device["max_input_channels"] > 0]


def microphone_names() -> list[str]:
    """What ``mic:NAME`` can name here. Raises MediaError when there is no microphone, RuntimeMissingError."""
    found = microphones(portaudio())
    if not found:
        raise MediaError(NO_MICROPHONE)
    return [device["name"] for device in found]


def refresh(portaudio: Any) -> None:
    """Make PortAudio look for devices again; it does so only at its start. Ends every open stream of the process."""
    portaudio._terminate()
    portaudio._initialize()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what C libraries write to stderr off it, as sounddevice does while PortAudio starts.

    For the few milliseconds of opening a device only: other threads' output is lost with it. PortAudio and ALSA
    write 20 lines for each attempt at a device that is gone, and have no setting against it.
    """
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def find_microphone(portaudio: Any, name: str | None) -> dict[str, Any]:
    """The default microphone, or the one with this name or a name that contains it, whatever the case.

    Raises MediaError listing the microphones that there are.
    """
    found = microphones(portaudio)
    if not found:
        raise MediaError(NO_MICROPHONE)
    if name is None:
        default = portaudio.default.device[0]
        return next((device for device in found if device["index"] == default), found[0])
    wanted = name.casefold()
    ranked = sorted(found, key=lambda device: device["name"].casefold() != wanted)
    for device in ranked:
        if wanted in device["name"].casefold():
            return device
    names = ", ".join(device["name"] for device in found)
    raise MediaError(f"there is no microphone named {name!r:.80}; there are: {names}")


def formats(device: dict[str, Any], sample_rate_hz: int) -> list[tuple[int, int]]:
    """(rate in Hz, channels) to try in turn: the wanted, then the device's own rate; mono, then all channels."""
    rates_hz = (sample_rate_hz, round(device["default_samplerate"]))
    channels = (1, min(device["max_input_channels"], MAX_CHANNELS))
    return list(dict.fromkeys((rate_hz, count) for count in channels for rate_hz in rates_hz))
