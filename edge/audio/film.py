"""The sound track of a film, and of the sound files that only FFmpeg knows, through PyAV."""

from collections.abc import Generator, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from edge.audio.decoding import MAX_CHANNELS, Chunk, check_format
from edge.errors import MediaError


def decode_film(path: Path, *, refusal: str) -> Generator[Chunk, None, None]:
    """The first sound track. Packets that are damaged, as where a recording breaks off, are left out.

    ``refusal`` is why libsndfile does not read the file. Raises MediaError when FFmpeg cannot read it either, or
    finds no sound in it.
    """
    try:
        import av
    except ImportError as error:
        raise MediaError(
            f"{path}: not a sound file ({refusal}); if it is a film, run pip install 'roomtone[tv]'"
        ) from error
    try:
        # A playlist must not lead to other hosts or protocols; titles in old encodings must not matter.
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="ignore") as film:
            if not film.streams.audio:
                raise MediaError(f"{path}: there is no sound in it; if it is a film, use it as a video source")
            yield from _chunks(path, film, film.streams.audio[0], av)
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MediaError(f"{path}: not a sound or film file, or a damaged one: {reason}") from error


def _chunks(path: Path, film: Any, track: Any, av: Any) -> Generator[Chunk, None, None]:
    if track.codec_context is None:
        raise MediaError(f"{path}: this FFmpeg has no decoder for its sound; convert it to FLAC or WAV")
    rate_hz = track.codec_context.sample_rate
    check_format(path, rate_hz, track.codec_context.channels)
    for frame in _as_float(_frames(film, track, av), rate_hz, av):
        yield Chunk(rate_hz, frame.to_ndarray().T)


def _frames(film: Any, track: Any, av: Any) -> Iterator[Any]:
    for packet in film.demux(track):
        try:
            yield from filter(_is_whole, packet.decode())
        except av.InvalidDataError:
            continue


def _is_whole(frame: Any) -> bool:
    """PyAV counts planes and channels apart; where damage made them differ, it reads memory that is not the frame's."""
    channels = frame.layout.nb_channels
    return channels <= MAX_CHANNELS and len(frame.planes) == (channels if frame.format.is_planar else 1)


def _as_float(frames: Iterator[Any], rate_hz: int, av: Any) -> Iterator[Any]:
    """Frames of one float array per channel at one rate, though a broadcast's format may change midway."""
    for (_, layout, _), run in groupby(frames, key=_form):
        converter = av.AudioResampler(format="fltp", layout=layout, rate=rate_hz)
        for frame in run:
            yield from converter.resample(frame)
        yield from converter.resample(None)


def _form(frame: Any) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
