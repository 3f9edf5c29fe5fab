"""The TV page in a real browser, on the real daemon: what a person with a remote sees and does."""

import contextlib
import shutil
import sqlite3
import time

import pytest

installed = shutil.which("chromedriver") and shutil.which("chromium")
pytestmark = pytest.mark.skipif(not installed, reason="chromium and chromedriver are not installed")
TITLE = "document.querySelector('#now-title').textContent"
CARDS = "[...document.querySelectorAll('.card h3')].map((title) => title.textContent)"
FOCUS = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"


@pytest.fixture(scope="module")
def daemon(running, home, tmp_path_factory):
    with running(tmp_path_factory.mktemp("page"), "--audio", f"file:{home.tunes['track:tiny/bells']}") as started:
        yield started


@pytest.fixture(scope="module")
def browser(browsing, tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def page(browser, daemon):
    browser.open(daemon.url)
    browser.wait_for("document.querySelector('#now-eyebrow').textContent === 'Playing now'")
    browser.wait_for(f"{CARDS}.length === 2")
    return browser


def test_says_what_plays_and_what_to_play_next(page):
    assert page.run(f"return {TITLE}") == "Bells"
    assert set(page.run(f"return {CARDS}")) == {"Drone", "Rattle"}
    assert page.run("return [...document.querySelectorAll('.card .why')].every((why) => why.textContent)")
    assert page.errors() == []


def test_a_remote_reaches_every_button(page):
    reached = set()
    for key in ("down", "down", "right", "up", "left", "up", "right"):
        page.press(key)
        reached.add(page.run(f"return {FOCUS}"))
    assert reached == {"Like Drone", "Skip Drone", "Like Rattle", "Skip Rattle", "mute"}


def test_a_like_is_kept_and_shown(page, client):
    page.press("down")
    liked = page.run(f"return {FOCUS}").removeprefix("Like ")
    page.press("enter")
    page.wait_for("document.activeElement.getAttribute('aria-pressed') === 'true'")
    page.wait_for(f"document.querySelector('#toast').textContent === 'More like {liked}'")
    reasons = client.get("/v1/recommendations").json()["recommendations"][0]["reasons"]
    assert any("liked" in reason for reason in reasons)


def test_mute_is_shown_and_undone(page, client):
    page.run("document.querySelector('#mute').click()")
    page.wait_for(f"{TITLE} === 'Not listening'")
    assert page.run("return document.querySelector('#mute').getAttribute('aria-pressed')") == "true"
    assert client.get("/v1/status").json()["muted"]
    page.run("document.querySelector('#mute').click()")
    page.wait_for(f"{TITLE} !== 'Not listening'")


def impressions(folder, user):
    """The items that the daemon kept an impression of, in order."""
    with contextlib.closing(sqlite3.connect(f"{(folder / 'state' / 'history.db').as_uri()}?mode=ro", uri=True)) as file:
        question = "SELECT item FROM events WHERE user = ? AND event = 'impression' ORDER BY number"
        return [item for (item,) in file.execute(question, (user,))]


def test_what_was_looked_at_is_told_once(running, home, browser, wait_until, tmp_path):
    with running(tmp_path, "--audio", f"file:{home.tunes['track:tiny/bells']}") as started:
        browser.open(f"{started.url}?user=anna")
        browser.wait_for(f"{CARDS}.length === 2")
        wait_until(lambda: {"track:tiny/drone", "track:tiny/rattle"} <= set(impressions(tmp_path, "anna")))
        browser.press("down", "down")
        for scroll in ("none", "block"):  # out of sight and back within the half hour
            browser.run(f"document.querySelector('#cards').style.display = '{scroll}'")
            time.sleep(4)
        told = impressions(tmp_path, "anna")  # Bells too, where it was listed until it was recognised
        assert len(told) == len(set(told))
        assert browser.errors() == []


def test_what_is_out_of_sight_was_not_shown(running, home, browser, wait_until, tmp_path):
    with running(tmp_path, "--audio", f"file:{home.tunes['track:tiny/bells']}") as started:
        browser.open("about:blank")
        browser.resize(390, 400)
        browser.open(f"{started.url}?user=ben")
        browser.wait_for(f"{CARDS}.length === 2")
        within = "[...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().top < innerHeight)"
        assert browser.run(f"return {within}") == [False, False]
        time.sleep(4)
        assert impressions(tmp_path, "ben") == []
        browser.run("document.querySelector('.card').scrollIntoView()")
        first = browser.run("return document.querySelector('.card').dataset.item")
        wait_until(lambda: first in impressions(tmp_path, "ben"))
        browser.resize(1920, 1080)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (1280, 720), (3840, 2160), (1920, 1080)])
def test_fits_the_screen(page, width, height):
    page.resize(width, height)
    assert page.run("return document.documentElement.scrollWidth") <= width
    assert page.run("return innerWidth") == width


def test_says_when_the_daemon_is_gone_and_when_it_is_back(running, home, browser, tmp_path):
    with running(tmp_path) as first:
        port = first.url.rstrip("/").rpartition(":")[2]
        browser.open(first.url)
        browser.wait_for(f"{TITLE} === 'No microphone, no screen'")
        first.stop()
        browser.wait_for("!document.querySelector('#offline').hidden")
    with running(tmp_path, "--listen", f"127.0.0.1:{port}"):
        browser.wait_for("document.querySelector('#offline').hidden")
    browser.errors()


def test_asks_for_the_token(running, browser, tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    token.chmod(0o600)
    with running(tmp_path, "--token-file", token) as locked:
        browser.open(locked.url)
        browser.wait_for("document.querySelector('#gate').open")
        browser.run("document.querySelector('#token').value = '0123456789abcdef'")
        browser.run("document.querySelector('#gate button').click()")
        browser.wait_for(f"{TITLE} === 'No microphone, no screen'")
        browser.run("sessionStorage.clear()")
        browser.open(f"{locked.url}#token=0123456789abcdef")
        browser.wait_for(f"{TITLE} === 'No microphone, no screen'")
        assert "token" not in browser.run("return location.href")
