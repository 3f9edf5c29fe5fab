"""From a folder to a snapshot with the real models: found again, resumed, unchanged, nothing fatal."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.bundle import open_bundle
from edge.catalog.snapshot import open_snapshot
from edge.errors import ExportError
from edge.video.source import Frame
from export.catalog.build import build_catalog, build_from
from export.catalog.choice import ModelChoice
from export.catalog.embed import bundle_embedders
from export.catalog.local import LocalEngine
from export.catalog.scan import media_file
from export.catalog.shots import look_through
from export.catalog.work import FILE_NAME as WORK_FILE
from export.catalog.work import WorkFolder
from export.cli import main
from export.data.decode import decode

ROOT = Path(__file__).parents[3]
COLOURS = [(250, 40, 40), None, (60, 60, 240)]


@pytest.fixture(scope="module")
def embedders():
    return bundle_embedders(open_bundle())


@pytest.fixture
def media(tmp_path, write_track, write_film):
    folder = tmp_path / "media"
    for number, frequencies in enumerate([(220, 277, 330), (440, 550), (100, 1500), (700,)]):
        write_track(folder / "music" / f"tone {number}.flac", *frequencies, seconds=6.0)
    write_film(folder / "film.mp4", COLOURS)
    (folder / "bad.mp3").write_bytes(b"not music")
    (folder / "empty.mkv").write_bytes(b"")
    write_track(folder / "sound only.mp4.wav", 900)
    return folder


class NoEngine:
    """Understands nothing: the build must not need it."""

    def __init__(self, choice, identity):
        pass

    def understand(self, wanted):
        assert list(wanted) == []
        return iter(())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def built(media, out, engine=LocalEngine, **options):
    return build_catalog(media, choice=ModelChoice(), engine=engine, out=out, **options)


def built_from(files, out):
    return build_from(lambda _: files, choice=ModelChoice(), engine=LocalEngine, out=out, name="mine")


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_becomes_a_catalogue(media, tmp_path, embedders):
    report = built(media, tmp_path / "c")
    assert (report.files, report.tracks, report.shots, report.reused, report.unchanged) == (8, 5, 3, 0, False)
    assert [skipped.file for skipped in report.skipped] == ["bad.mp3", "empty.mkv"]
    assert all(skipped.file in skipped.reason for skipped in report.skipped)
    with open_snapshot(tmp_path / "c", spaces=open_bundle().spaces()) as snapshot:
        assert snapshot.name == "media"
        ids = [item.item for item in snapshot.items]
        assert ids[:3] == ["shot:film.mp4/0000", "shot:film.mp4/0001", "shot:film.mp4/0002"]
        track = snapshot.items.by_id("track:music/tone 2.flac")
        assert (track.title, track.duration_s) == ("Tone 2", 6.0)
        assert snapshot.views["audio"].vector(0) is not None, "a shot has sound"
        assert snapshot.views["video"].vector(1) is None, "a black shot has no picture"
        assert snapshot.views["video"].vector(track.row) is None
        heard = embedders.hear(decode(media / "music" / "tone 2.flac")[16_000:])
        windows = np.stack([embedding.vectors["recording"] for embedding in heard["recording"]])
        assert snapshot.recordings.match(windows, 1)[0].tolist() == [track.row]
        assert snapshot.shots.size == 12, "two shots of a second and a half, four pictures a second"
        *_, (_, _, picture) = look_through(media / "film.mp4", every_s=0.0)
        seen = embedders.pictures.embed(Frame(picture, 0.0)).vectors["shot"]
        assert snapshot.shots.match(seen[np.newaxis], 1)[0].tolist() == [2]


def test_a_second_build_does_nothing(media, tmp_path):
    first = built(media, tmp_path / "c")
    before = content(tmp_path / "c")
    second = built(media, tmp_path / "c", engine=None)
    assert (second.unchanged, second.version, second.tracks) == (True, first.version, first.tracks)
    assert second.skipped == first.skipped
    assert content(tmp_path / "c") == before


def test_a_snapshot_that_was_lost_is_written_from_what_is_known(media, tmp_path):
    built(media, tmp_path / "c")
    before = content(tmp_path / "c")
    shutil.rmtree(tmp_path / "c")
    for name in ("bad.mp3", "empty.mkv"):
        (media / name).unlink()
    report = built(media, tmp_path / "c", engine=NoEngine)
    assert report.reused == report.files == 6
    assert content(tmp_path / "c") == before


def test_only_what_changed_is_understood_again(media, tmp_path, write_track):
    built(media, tmp_path / "c")
    write_track(media / "music" / "tone 1.flac", 123, 456, seconds=4.0)
    (media / "music" / "tone 3.flac").unlink()
    report = built(media, tmp_path / "c")
    assert (report.files, report.reused, report.tracks) == (7, 4, 4)
    built(media, tmp_path / "anew", name="media")
    assert content(tmp_path / "c") == content(tmp_path / "anew")


def test_killed_at_any_moment_it_goes_on(media, tmp_path):
    """The process is killed while it works, again and again, until it comes to an end by itself."""
    command = [sys.executable, "-m", "export.cli", "catalog", str(media), "--out", str(tmp_path / "c"), "--json"]
    for wait_s in (0.9, 1.2, 1.5, None):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
        if wait_s is not None:
            time.sleep(wait_s)
            process.send_signal(signal.SIGKILL)
        output = process.communicate()[0]
    assert process.returncode == 0
    assert json.loads(output)["tracks"] == 5
    built(media, tmp_path / "anew")
    assert content(tmp_path / "c") == content(tmp_path / "anew")
    assert {path.name for path in tmp_path.iterdir()} == {"media", "c", "c.work", "anew", "anew.work"}


def test_damaged_results_are_made_anew(media, tmp_path):
    built(media, tmp_path / "c")
    before = content(tmp_path / "c")
    with sqlite3.connect(tmp_path / "c.work" / WORK_FILE) as database:
        database.execute("UPDATE results SET content = x'00'")
        database.execute("DELETE FROM state")
    database.close()
    assert built(media, tmp_path / "c").reused == 0
    assert content(tmp_path / "c") == before


def test_files_may_be_known_better(media, tmp_path):
    files = [media_file(media / "music" / "tone 0.flac", name="a", known={"artist": "Ana", "licence": "CC0-1.0"})]
    built_from(files, tmp_path / "c")
    with open_snapshot(tmp_path / "c") as snapshot:
        assert (snapshot.items.by_row(0).artist, snapshot.items.by_row(0).licence) == ("Ana", "CC0-1.0")


def test_nothing_to_be_had_is_an_error(tmp_path):
    (tmp_path / "media").mkdir()
    with pytest.raises(ExportError, match="none of 0 media files gave anything"):
        built(tmp_path / "media", tmp_path / "c")
    (tmp_path / "media" / "x.mp3").write_bytes(b"x")
    with pytest.raises(ExportError, match=r"none of 1 media files gave anything .* the first: .*x\.mp3"):
        built(tmp_path / "media", tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_silence_is_skipped(tmp_path, write_track):
    write_track(tmp_path / "media" / "a.wav")
    soundfile.write(tmp_path / "media" / "silence.wav", np.zeros(100_000), 16_000)
    report = built(tmp_path / "media", tmp_path / "c")
    assert [(skipped.file, "silent" in skipped.reason) for skipped in report.skipped] == [("silence.wav", True)]


def test_the_same_recording_is_there_once_and_says_what_any_copy_says(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    sweep = np.cumsum(np.linspace(150, 2500, 20 * 16_000)) / 16_000
    sound = 0.3 * np.sin(2 * np.pi * sweep) * (0.6 + 0.4 * np.sin(np.arange(len(sweep)) / 9_000))
    soundfile.write(folder / "a song.flac", sound, 16_000)
    with soundfile.SoundFile(folder / "b.ogg", "w", 16_000, 1) as file:
        file.title, file.artist = "The Song", "Ana"
        file.write(sound * 0.5)
    soundfile.write(folder / "c.flac", sound[::-1], 16_000)
    report = built(folder, tmp_path / "c")
    assert [(merged.file, merged.same_as) for merged in report.merged] == [("b.ogg", "a song.flac")]
    assert (report.tracks, report.merged_files) == (2, 1)
    with open_snapshot(tmp_path / "c") as snapshot:
        first = snapshot.items.by_row(0)
        assert (first.item, first.title, first.artist) == ("track:a song.flac", "The Song", "Ana")


def test_names_that_are_no_text_do_no_harm(tmp_path, write_track, capsys):
    folder = tmp_path / "media"
    write_track(folder / "a.flac")
    (folder / "a.flac").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.flac"))
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.mp3")).write_bytes(b"no music")
    assert main(["catalog", str(folder), "--out", str(tmp_path / "c"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"][0]["file"] == r"bad\udcff.mp3"


def test_two_builds_do_not_share_a_work_folder(media, tmp_path):
    with WorkFolder(tmp_path / "c.work"), pytest.raises(ExportError, match="another build is at work there"):
        built(media, tmp_path / "c")


def test_an_out_that_is_no_snapshot_is_kept(media, tmp_path):
    with pytest.raises(ExportError, match="is no snapshot"):
        built(media, media / "music")


def test_the_command_says_what_it_did(media, tmp_path, capsys):
    assert main(["catalog", str(media), "--out", str(tmp_path / "c"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["tracks"], report["shots"], report["skipped_files"]) == (5, 3, 2)
    assert main(["catalog", str(media / "none"), "--out", str(tmp_path / "c")]) == 1
    assert "is not a folder" in capsys.readouterr().err
    assert main(["catalog", str(media), "--out", str(tmp_path / "c"), "--teacher", "musicnn-msd"]) == 2
    assert "go together" in capsys.readouterr().err


def test_the_command_says_each_file_on_one_line(write_track, tmp_path, capsys):
    write_track(tmp_path / "media" / "a.wav")
    (tmp_path / "media" / "b\n\u202ec.mp3").write_bytes(b"")
    (tmp_path / "media" / "d.flac").write_bytes(b"no music\n" * 100)
    assert main(["catalog", str(tmp_path / "media"), "--out", str(tmp_path / "c"), "--workers", "1"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("skipped: ")]
    assert said[0].endswith("b\\n\\u202ec.mp3: is empty; copy it again, or take it out of the folder")
    assert said[1].endswith("d.flac: not a sound or film file, or a damaged one")


def test_the_command_says_that_it_was_stopped(media, tmp_path, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("export.catalog.build.build_catalog", stop)
    assert main(["catalog", str(media), "--out", str(tmp_path / "c")]) == 130
    assert "run it again to go on" in capsys.readouterr().err
