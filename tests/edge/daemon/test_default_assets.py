"""The daemon as it comes, on the clips that it comes with: both engines, sound and pictures."""

from pathlib import Path

import pytest

import edge

CLIPS = Path(edge.__file__).parent / "assets" / "clips"
pytestmark = pytest.mark.skipif(not CLIPS.is_dir(), reason="the default assets are not built; run make assets")


@pytest.fixture(scope="module")
def run(process, tmp_path_factory):
    """Let a daemon take in a clip of sound and one of film; returns what it says at the end."""

    def taken_in(engine, clip, wait_until):
        folder = tmp_path_factory.mktemp(engine)
        arguments = ("--engine", engine, "--state", folder / "state", "--listen", "127.0.0.1:0", "--fast",
                     "--audio", f"file:{CLIPS / clip}", "--video", f"file:{CLIPS / 'big-buck-bunny.mp4'}")
        with process.running(folder, *arguments) as daemon, daemon.client() as client:
            wait_until(lambda: set(client.get("/healthz").json()["senses"].values()) == {"ended"})
            return {path: client.get(f"/v1/{path}").json() for path in ("now", "recommendations", "status")}

    return taken_in


@pytest.mark.parametrize("engine", ["litert", "onnx"])
def test_knows_a_track_of_its_catalogue_and_the_film(run, engine, wait_until):
    said = run(engine, "in-the-catalogue.ogg", wait_until)
    playing = said["now"]["recognition"]
    assert playing["title"] in (CLIPS / "CREDITS.md").read_text()
    assert said["now"]["similar"]["video"][0]["title"].startswith("Big Buck Bunny")
    found = said["recommendations"]["recommendations"]
    assert len(found) == 10
    assert all(row["reasons"] for row in found)
    assert playing["item"] not in [row["item"] for row in found]
    memory = said["status"]["memory"]
    assert 0 < memory["pss_bytes"] < memory["budget_bytes"]


def test_names_no_track_that_it_does_not_know(run, wait_until):
    said = run("litert", "not-in-the-catalogue.ogg", wait_until)
    named = said["now"]["recognition"]
    assert named is None or named["item"].startswith("shot:"), "the film that runs is known, the track is not"
    found = said["recommendations"]["recommendations"]
    assert any("sounds like" in reason for row in found for reason in row["reasons"])
