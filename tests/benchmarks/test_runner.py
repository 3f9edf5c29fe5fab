"""The command: scripts found by themselves, figures on stdout and in files, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import machine, runner
from edge import firmware

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def main(capsys):
    def main(*argv: str) -> tuple[int, str, str]:
        try:
            code = runner.main(argv)
        except SystemExit as stopped:
            code = stopped.code
        return code, *capsys.readouterr()

    return main


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Two scripts in place of the real ones: one with figures, one that cannot run."""
    package = tmp_path / "benchmarks"
    package.mkdir()
    head = "from benchmarks.report import Row\nfrom edge.errors import MediaError\n"
    (package / "fine.py").write_text(
        f'"""Does it work?"""\n{head}def run(profile, peers): return [Row(profile.name, {{"peers": int(peers)}})]\n')
    (package / "sad.py").write_text(
        f'"""Why not?"""\n{head}def run(profile, peers): raise MediaError("no clip; make assets")\n')
    (package / "slim.py").write_text(
        f'"""Where from?"""\n{head}def run(profile, peers): import no_such_library\n')
    (package / "startup.py").write_text(
        f'"""How soon?"""\n{head}'
        'def run(profile, peers): return [Row("daemon: first list", {"median_ms": 123456.0})]\n')
    (package / "helper.py").write_text('"""No script."""\n')
    monkeypatch.setattr(runner, "FOLDER", package)
    names = ("fine", "sad", "slim", "startup")
    monkeypatch.setattr("benchmarks.__path__", [str(package), *__import__("benchmarks").__path__])
    for name in names:
        monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)
    yield
    for name in names:
        sys.modules.pop(f"benchmarks.{name}", None)


def test_every_script_is_found_with_its_question_and_no_helper():
    found = runner.scripts()
    assert {"inference", "memory", "end_to_end", "startup"} <= set(found)
    assert not {"report", "timing", "runner", "stages"} & set(found)
    assert all(question.endswith("?") for question in found.values())


def test_figures_go_to_stdout_and_into_files(main, quick, tmp_path):
    code, out, _ = main("fine", "--peers", "--profile", "rpi-4-tv", "--out", str(tmp_path / "out"))
    assert code == 0
    assert "# fine: Does it work?" in out
    assert "| rpi-4-tv | 1 |" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "fine.json", "fine.md", "index.html", "promises.json", "promises.md"]


def test_json_is_one_document_of_all_reports(main, quick):
    code, out, _ = main("sad", "fine", "--json")
    reports = json.loads(out)
    assert code == 1
    assert [report["name"] for report in reports] == ["fine"]
    assert reports[0]["machine"]["profile"] == "workstation"


def test_a_script_that_cannot_run_does_not_stop_the_others(main, quick):
    code, out, err = main("sad", "fine")
    assert code == 1
    assert "sad: no clip; make assets" in err
    assert "# fine" in out


def test_a_script_whose_library_is_missing_is_left_out_of_a_whole_run(main, quick, monkeypatch):
    monkeypatch.setattr(runner, "scripts", lambda: {"slim": "Where from?", "fine": "Does it work?"})
    code, out, err = main()
    assert code == 0
    assert "slim: left out, needs no_such_library" in err
    assert "# fine" in out
    code, _, err = main("slim")
    assert (code, "left out" in err) == (1, True), "it was asked for"


def test_a_broken_promise_is_named_and_exits_1(main, quick):
    code, out, err = main("fine", "startup", "--profile", "rpi-4-tv")
    assert code == 1
    assert "rpi-4-tv breaks a promise: start_ms is 1.235e+05, promised are 4000" in err
    assert "| start_ms | 4000 | 123456 | BROKEN |" in out
    assert "| pss_mib | 150 |  | not measured: run memory |" in out
    code, out, _ = main("startup")
    assert (code, "promise" in out) == (0, False), "compared only when --profile asks for it"


def test_a_wrong_name_or_profile_is_a_usage_error(main, quick):
    code, _, err = main("fast")
    assert (code, "no benchmark 'fast'; there are fine, sad, slim, startup" in err) == (2, True)
    code, _, err = main("fine", "--seconds", "0")
    assert (code, "--seconds 0 must be above 0" in err) == (2, True)
    code, _, err = main("fine", "--profile", "rpi-9")
    assert (code, "no profile 'rpi-9'" in err) == (2, True)


def test_the_header_says_what_a_figure_depends_on():
    header = machine.describe(firmware.load("rpi-4-tv"))
    assert {"date", "cpu", "cores", "flags", "governor", "system", "python", "packages", "profile"} <= set(header)
    assert header["cpu"] != "unknown"
    assert "numpy" in header["packages"]


def test_threads_are_pinned_before_numpy_is_imported():
    program = ("import benchmarks.__main__ as m, benchmarks.runner, os; benchmarks.runner.main = "
               "lambda argv: print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS']); m.main()")
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True,
                          check=True)
    assert done.stdout.split() == ["1", "1"]
    done = subprocess.run([sys.executable, "-c", "import benchmarks.__main__, sys; print('numpy' in sys.modules)"],
                          cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
