"""The ``roomtone`` command as a user runs it, on the default assets and on what users really have."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge import cli

ASSETS = Path(cli.__file__).parent / "assets"
CLIPS = ASSETS / "clips"
KNOWN, UNKNOWN, FILM = CLIPS / "in-the-catalogue.ogg", CLIPS / "not-in-the-catalogue.ogg", CLIPS / "big-buck-bunny.mp4"
RATE_HZ = 16000


@pytest.fixture
def run(tmp_path, capsys):
    """Run a command; gives its exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        argv = [str(argument) for argument in arguments]
        if argv[0] in ("recommend", "feedback", "history", "forget", "doctor"):
            argv += ["--state", str(tmp_path / "state")]
        try:
            code = cli.main(argv)
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def tone(path: Path, seconds: float = 4.0, rate_hz: int = RATE_HZ, channels: int = 1, **how) -> Path:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    rng = np.random.default_rng(1)
    wave = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.05 * rng.standard_normal(len(t))
    soundfile.write(path, np.repeat(wave[:, None], channels, axis=1), rate_hz, **how)
    return path


def recommend(run, *arguments: object) -> dict:
    code, out, err = run("recommend", "--json", *arguments)
    assert code == 0, err
    return json.loads(out)


def test_a_track_of_the_catalogue_is_named_and_others_recommended(run):
    document = recommend(run, KNOWN)
    assert document["context"]["audio"]
    assert not document["context"]["video"]
    assert document["now_playing"]["title"]
    assert len(document["recommendations"]) == 10
    items = [row["item"] for row in document["recommendations"]]
    assert document["now_playing"]["item"] not in items
    assert len(set(items)) == 10
    assert [row["rank"] for row in document["recommendations"]] == list(range(1, 11))
    assert all(row["reasons"] for row in document["recommendations"])


def test_a_track_that_is_not_in_it_is_not_named_but_has_neighbours(run):
    document = recommend(run, UNKNOWN)
    assert document["now_playing"] is None
    assert document["recommendations"][0]["reasons"]


def test_a_film_is_seen_and_heard(run):
    document = recommend(run, FILM)
    assert document["context"]["video"]
    assert any(row["item"].startswith("shot:") for row in document["recommendations"])


@pytest.mark.parametrize("clip", [KNOWN, UNKNOWN, FILM], ids=lambda clip: clip.name)
def test_both_engines_give_the_same_list_but_for_near_ties(run, clip):
    litert, onnx = (recommend(run, clip, "--engine", engine) for engine in ("litert", "onnx"))
    one, other = ({row["item"]: row["score"] for row in found["recommendations"]} for found in (litert, onnx))
    assert one == pytest.approx(other, abs=0.01)  # the same items; what one step of int8 apart changes, no more
    assert (litert["now_playing"] or {}).get("item") == (onnx["now_playing"] or {}).get("item")


def test_embed_gives_times_and_unit_vectors(run):
    code, out, _ = run("embed", KNOWN, "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["modality"], document["dimension"]) == ("audio", 64)
    starts = [row["start_s"] for row in document["embeddings"]]
    assert starts == sorted(starts)
    for row in document["embeddings"]:
        assert np.linalg.norm(row["vector"]) == pytest.approx(1, abs=1e-3)
        assert row["end_s"] - row["start_s"] == pytest.approx(3.015, abs=0.01)


def test_search_like_feedback_history_forget(run):
    _, out, _ = run("search", "the", "--json", "-k", "3")
    found = json.loads(out)["results"]
    assert found
    item = found[0]["item"]
    code, out, _ = run("search", "--like", item, "--json", "-k", "4")
    assert code == 0
    assert item not in [row["item"] for row in json.loads(out)["results"]]
    assert run("feedback", item, "like", "--user", "ann", "--id", "one")[0] == 0
    code, out, _ = run("history", "--user", "ann")
    assert json.loads(out.splitlines()[0])["item"] == item
    assert json.loads(run("forget", "--user", "ann", "--json")[1]) == {"user": "ann", "forgotten": 1}
    assert run("history", "--user", "ann")[1] == ""


def test_feedback_said_twice_is_harmless_and_its_id_is_for_nothing_else(run):
    item = json.loads(run("search", "the", "--json", "-k", "1")[1])["results"][0]["item"]
    command = ("feedback", item, "like", "--user", "cy", "--id", "cy 1")
    assert json.loads(run(*command, "--json")[1]) == {"id": "cy 1", "new": True}
    assert run(*command)[:2] == (0, "cy 1 was there already\n")
    code, _, err = run("feedback", item, "skip", "--user", "cy", "--id", "cy 1")
    assert code == 1
    assert "other content" in err
    assert len(run("history", "--user", "cy")[1].splitlines()) == 1


def test_a_list_without_what_is_filtered(run):
    first = recommend(run, KNOWN)["recommendations"]
    artist, item = first[0]["artist"], first[1]["item"]
    again = recommend(run, KNOWN, "--block-artist", artist.upper(), "--unavailable", item, "--children", "--no-repeats")
    assert len(again["recommendations"]) == 10
    assert artist not in {row["artist"] for row in again["recommendations"]}
    assert item not in {row["item"] for row in again["recommendations"]}


def test_a_filter_that_names_nothing_there_is_said(run):
    code, out, err = run("recommend", KNOWN, "--json", "--block-artist", "No Such Band", "--unavailable", "track:none")
    assert code == 0
    assert len(json.loads(out)["recommendations"]) == 10
    assert "warning: 'no such band' is not in the catalogue" in err
    assert "warning: 'track:none' is not in the catalogue" in err


def test_a_history_moves_house(run, tmp_path):
    item = json.loads(run("search", "the", "--json")[1])["results"][0]["item"]
    for number, user in enumerate(("ann", "bo 🎧")):
        assert run("feedback", item, "like", "--user", user, "--id", f"id {number}", "--time-s", "5")[0] == 0
    saved = tmp_path / "saved.jsonl"
    assert run("history", "export", saved)[0] == 0
    assert saved.read_text(encoding="utf-8") == run("history")[1]
    assert len(run("history", "export", "-", "--user", "ann")[1].splitlines()) == 1
    assert run("forget", "--user", "ann")[0] == 0
    code, out, _ = run("history", "import", saved, "--json")
    assert (code, json.loads(out)) == (0, {"new": 1, "known": 1, "refused_count": 0, "refused": []})
    assert len(run("history")[1].splitlines()) == 2


def test_lines_that_are_no_events_are_listed_and_the_others_kept(run, tmp_path):
    saved = tmp_path / "saved.jsonl"
    saved.write_text('{"id": "1", "user": "u", "item": "i", "event": "lick"}\n\n'
                     '{"id": "2", "user": "u", "item": "i", "event": "like", "time_s": 5}\nno JSON\n')
    code, out, err = run("history", "import", saved)
    assert code == 1
    assert "1 new" in out
    assert f"{saved}, line 1: event 'lick'" in err
    assert f"{saved}, line 4: not a JSON object" in err
    assert json.loads(run("history")[1])["id"] == "2"


@pytest.mark.parametrize("arguments", [("import", "nothing.jsonl"), ("import", "."), ("export", "no/such/folder")])
def test_a_file_of_events_that_cannot_be_used_is_one_sentence(run, arguments):
    code, _, err = run("history", *arguments)
    assert code == 1
    assert len(err.strip().splitlines()) == 1


def test_an_import_is_nobodys(run):
    assert run("history", "import", "any.jsonl", "--user", "ann")[0] == 2


def test_feedback_for_an_unknown_item_is_refused_and_nothing_is_kept(run):
    code, _, err = run("feedback", "track:nothing", "like")
    assert code == 2
    assert "track:nothing" in err
    assert run("history")[1] == ""


@pytest.mark.parametrize("how", [
    {"subtype": "PCM_U8"}, {"rate_hz": 192_000}, {"channels": 8}, {"rate_hz": 8000}, {"seconds": 1.0},
])
def test_unusual_but_sound_files_work(run, tmp_path, how):
    document = recommend(run, tone(tmp_path / "tone.wav", **how))
    assert document["context"]["audio"]


def test_samples_that_are_not_numbers_are_no_crash(run, tmp_path):
    wave = np.full(4 * RATE_HZ, 0.1, np.float32)
    wave[1000:2000] = np.nan
    soundfile.write(tmp_path / "nan.wav", wave, RATE_HZ, subtype="FLOAT")
    code, _, err = run("recommend", tmp_path / "nan.wav")
    assert code in (0, 1)
    assert "Traceback" not in err


def bad_files(folder: Path) -> dict[str, Path]:
    paths = {name: folder / f"{name}.wav" for name in ("missing", "empty", "text", "header", "zero")}
    paths["empty"].write_bytes(b"")
    paths["text"].write_text("this is no sound at all\n" * 50)
    paths["header"].write_bytes(tone(folder / "whole.wav").read_bytes()[:20])
    soundfile.write(paths["zero"], np.zeros(0, np.int16), RATE_HZ)
    paths["folder"] = folder
    return paths


@pytest.mark.parametrize("name", ["missing", "empty", "text", "header", "zero", "folder"])
def test_bad_files_get_one_sentence_that_names_them(run, tmp_path, name):
    path = bad_files(tmp_path)[name]
    code, out, err = run("recommend", path)
    assert code in (1, 2)
    assert out == ""
    assert str(path) in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_a_bundle_with_a_flipped_byte_is_refused(run, tmp_path):
    import shutil

    shutil.copytree(ASSETS / "bundle", tmp_path / "bundle")
    path = tmp_path / "bundle" / "audio.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, _, err = run("recommend", KNOWN, "--bundle", tmp_path / "bundle", "--allow-unsigned")
    assert code == 1
    assert "audio.tflite" in err


def test_a_bundle_that_nobody_signed_is_refused(run, tmp_path, caplog):
    import shutil

    shutil.copytree(ASSETS / "bundle", tmp_path / "bundle")
    code, _, err = run("embed", KNOWN, "--bundle", tmp_path / "bundle")
    assert code == 1
    assert "is not signed" in err
    assert run("embed", KNOWN, "--bundle", tmp_path / "bundle", "--allow-unsigned")[0] == 0
    assert "NOT SIGNED" in caplog.text


@pytest.mark.parametrize("text", ["surprise = 1\n", "", "[memory]\nbudget_mib = -3\n"])
def test_a_wrong_profile_is_a_usage_error(run, tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text)
    code, _, err = run("recommend", KNOWN, "--profile", path)
    assert code == 2
    assert str(path) in err


def test_state_that_cannot_be_written_is_one_sentence(run, tmp_path):
    (tmp_path / "state").write_text("a file where a folder should be")
    code, _, err = run("recommend", KNOWN)
    assert code == 1
    assert "state" in err


def test_the_command_loads_nothing_of_the_workstation():
    program = (
        "import sys, contextlib, io; from edge.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    code = main(['recommend', {str(FILM)!r}, '--state', sys.argv[1]])\n"
        "bad = {'torch', 'scipy', 'onnx', 'librosa', 'python_speech_features', 'export'} & set(sys.modules)\n"
        "print(code, sorted(bad))")
    import tempfile

    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run([sys.executable, "-c", program, state], capture_output=True, text=True, check=False,
                              cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "0 []", done.stderr


@pytest.mark.parametrize(
    "command", ["", "recommend", "daemon", "embed", "search", "feedback", "history", "forget", "doctor"])
def test_help_has_an_example(run, command):
    code, out, _ = run(*([command] if command else []), "--help")
    assert code == 0
    assert "example: roomtone" in out


def test_a_user_without_a_home_names_the_state_folder():
    """As a unit's dynamic user where nobody looks such users up."""
    program = ("import pwd, sys; pwd.getpwuid = lambda number: {}[number]; from edge.cli import main; "
               "sys.exit(main(sys.argv[1:]))")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", str(ASSETS.parents[1]))}

    def homeless(*arguments):
        return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], env=environment, text=True,
                              capture_output=True, check=False)

    assert homeless("--help").returncode == 0
    assert homeless("search", "battle", "--state", "/nowhere", "--json").returncode == 0
    refused = homeless("history")
    assert refused.returncode == 2
    assert "--state" in refused.stderr
