"""From the daemon's lists, through the file and the export, to the estimates: each against what the lines say."""

import asyncio
import base64
import json

import numpy as np
import pytest

from edge.catalog.items import Item
from edge.catalog.snapshot import open_snapshot
from edge.context import ContextBuilder
from edge.daemon.desk import Desk
from edge.errors import ExportError
from edge.recommend.event import Event
from edge.recommend.exchange import export_lines, line_of
from edge.recommend.feature_names import NAMES
from edge.recommend.history import History
from edge.recommend.ranker import Ranker
from edge.recommend.recommender import Recommender
from edge.recommend.round import Round
from export.catalog.writer import write_snapshot
from export.cli import main
from export.collaborative.household import read_rounds, replay_household
from export.collaborative.ranker_file import write_ranker

pytest.importorskip("obp")
DAY = 86400.0
LISTS, PLACES = 60, 5
END = Event("e", "anna", "c", "play", None, 3 * DAY)
"""A log that goes on for long enough."""


def ranker(**weights: float) -> Ranker:
    linear = np.array([weights.get(name, 0.0) for name in NAMES], np.float32)
    return Ranker(linear, 0.0, np.zeros(len(NAMES), np.float32), np.ones(len(NAMES), np.float32))


def features(*newness: float) -> np.ndarray:
    values = np.zeros((len(newness), len(NAMES)))
    values[:, NAMES.index("newness")] = newness
    return values


def saved(path, *lines: str):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """Twelve old items that all play, and three new ones."""
    old = [Item(row, f"old-{row}", "track", f"Old {row}", artist=f"A{row}", year=1960, popularity=1.0 - row / 100)
           for row in range(12)]  # fmt: skip
    new = [Item(row, f"new-{row}", "track", f"New {row}", artist=f"A{row}", year=2020) for row in range(12, 15)]
    folder = tmp_path_factory.mktemp("catalogue") / "catalog"
    write_snapshot(folder, [*old, *new], {}, name="test", version="1")
    with open_snapshot(folder) as snapshot:
        yield snapshot


@pytest.fixture(scope="module")
def lived(snapshot, tmp_path_factory):
    """The log of people who comment on what is new when it is shown and on nothing else."""
    with History(tmp_path_factory.mktemp("state") / "history.sqlite") as history:
        asyncio.run(_live(snapshot, history))
        yield list(export_lines(history))


async def _live(snapshot, history) -> None:
    desk = Desk(snapshot, history, Recommender(snapshot, history, exploration=0.1), ContextBuilder(seconds=12.0))
    try:
        for number in range(LISTS):
            user, now_s = f"user-{number}-of-them", number * 100.0
            listed = (await desk.recommend(user, PLACES))["recommendations"]
            for place, one in enumerate(listed):
                await desk.add(Event(f"{number} {place}", user, one["item"], "impression", None, now_s))
            if listed[-1]["item"].startswith("new"):
                await desk.add(Event(f"{number} done", user, listed[-1]["item"], "comment", None, now_s + 50))
        await desk.add(Event("end", "zoe", "old-1", "play", None, LISTS * 100.0 + 2 * DAY))
    finally:
        desk.close()


def test_a_log_says_what_each_last_place_was_drawn_from(lived):
    tables = [json.loads(line) for line in lived]
    rounds = [table for table in tables if "drawn_from" in table]
    assert len(rounds) == LISTS
    for table in rounds:
        drawn = table["drawn_from"]
        assert table["event"] == "impression"
        assert table["id"].endswith(f" {PLACES - 1}")
        assert drawn["place"] == PLACES
        assert drawn["propensities"] == pytest.approx([0.5, 1 / 6, 1 / 6, 1 / 6], abs=1e-6)
        assert [name[:3] for name in drawn["items"]] == ["old", "new", "new", "new"]
    tried = sum(table["item"].startswith("new") for table in rounds)
    assert LISTS / 2 - 4 * np.sqrt(LISTS / 4) < tried < LISTS / 2 + 4 * np.sqrt(LISTS / 4)


def test_the_estimates_are_those_of_the_lines(lived, tmp_path):
    found = replay_household(read_rounds(saved(tmp_path / "h.jsonl", *lived)), ranker(newness=2.0))
    weights, rewards = [], []
    for table in map(json.loads, lived):
        if "drawn_from" not in table:
            continue
        drawn = table["drawn_from"]
        values = np.frombuffer(base64.b64decode(drawn["values"]), "<f2").reshape(4, len(NAMES)).astype(float)
        scores = 2.0 * values[:, NAMES.index("newness")] - np.array(drawn["exposures"])
        chances = np.exp(scores / scores.std()) / np.exp(scores / scores.std()).sum()
        at = drawn["items"].index(table["item"])
        weights.append(chances[at] / drawn["propensities"][at])
        rewards.append(float(table["item"].startswith("new")))
    weights, rewards = np.array(weights), np.array(rewards)
    assert (found["rounds"], found["users"], found["rewards"]) == (LISTS, LISTS, rewards.sum())
    ours, logging = found["policies"]["ranker"], found["policies"]["logging"]
    assert ours["ips"] == pytest.approx((weights * rewards).mean(), abs=1e-3)
    assert ours["snips"] == pytest.approx((weights * rewards).sum() / weights.sum(), abs=1e-3)
    assert logging["ips"] == pytest.approx(rewards.mean(), abs=1e-4)
    assert ours["snips"] > logging["snips_95%"][1]  # what is new is what these people want


def by_hand(tmp_path, *later: Event, features_of: str | None = None):
    """Three rounds of two items; ``a`` is shown at 0 and 100 s, ``b`` at 200 s. Then the later events."""
    drawn = Round.of(("a", "b"), 5, np.array([0.8, 0.2]), np.zeros(2), features(0.0, 1.0))
    if features_of:
        drawn = Round(drawn.place, drawn.items, drawn.propensities, drawn.exposures, features_of, drawn.values)
    shown = [Event(f"i{at}", "anna", item, "impression", None, at * 100.0) for at, item in enumerate("aab")]
    return saved(tmp_path / "log.jsonl", *(line_of(one, drawn) for one in shown), *(one.line() for one in later))


def test_by_hand(tmp_path):
    """Only b was wanted. The ranker shows it with e / (e + 1/e): its standardised scores are -1 and 1."""
    path = by_hand(tmp_path, Event("l", "anna", "b", "like", None, 300.0), END)
    found = replay_household(read_rounds(path), ranker(newness=1.0))
    chance = np.e / (np.e + 1 / np.e)
    weights = [(1 - chance) / 0.8, (1 - chance) / 0.8, chance / 0.2]
    assert found["policies"]["ranker"]["ips"] == pytest.approx(weights[2] / 3, abs=1e-4)
    assert found["policies"]["ranker"]["snips"] == pytest.approx(weights[2] / sum(weights), abs=1e-4)
    assert found["policies"]["uniform"]["ips"] == pytest.approx(0.5 / 0.2 / 3, abs=1e-4)
    assert found["policies"]["logging"]["ips"] == pytest.approx(1 / 3, abs=1e-4)


@pytest.mark.parametrize(("kind", "item", "time_s", "wanted"), [
    ("like", "a", 150.0, [False, True, False]),  # of what was shown last
    ("like", "a", 150.0 + 2 * DAY, [False] * 3),  # too late
    ("play", "b", 250.0, [False] * 3),  # begun only
    ("skip", "b", 250.0, [False] * 3), ("finish", "b", 250.0, [False, False, True]),
])  # fmt: skip
def test_what_counts_as_wanted(tmp_path, kind, item, time_s, wanted):
    path = by_hand(tmp_path, Event("x", "anna", item, kind, None, time_s), END)
    assert [one.wanted for one in read_rounds(path).kept] == wanted


@pytest.mark.parametrize(("again_s", "wanted"), [(203.0, True), (1999.0, True), (2001.0, False)])
def test_a_second_screen_within_half_an_hour_takes_no_reward_away(tmp_path, again_s, wanted):
    again = Event("second", "anna", "b", "impression", None, again_s)
    path = by_hand(tmp_path, again, Event("x", "anna", "b", "like", None, again_s + 5), END)
    assert [one.wanted for one in read_rounds(path).kept] == [False, False, wanted]


def test_another_users_wish_is_no_reward(tmp_path):
    path = by_hand(tmp_path, Event("x", "ben", "b", "like", None, 250.0), Event("e", "ben", "c", "play", None, 3 * DAY))
    assert not any(one.wanted for one in read_rounds(path).kept)


def test_what_cannot_be_judged_is_left_out(tmp_path):
    with pytest.raises(ExportError, match="3 of the last day"):
        read_rounds(by_hand(tmp_path))
    with pytest.raises(ExportError, match="3 with another version's features"):
        read_rounds(by_hand(tmp_path, END, features_of="0" * 8))


def test_forgetting_leaves_nothing_to_replay(snapshot, tmp_path):
    with History(tmp_path / "history.sqlite") as history:
        asyncio.run(_live(snapshot, history))
        assert any(b"propensities" in file.read_bytes() for file in tmp_path.iterdir())
        for user in history.users():
            history.forget(user)
        assert list(export_lines(history)) == []
        files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not any(b"propensities" in content or b"new-1" in content or b"of-them" in content for content in files)


def test_the_command(tmp_path, capsys):
    path = by_hand(tmp_path, Event("l", "anna", "b", "like", None, 300.0), END)
    write_ranker(tmp_path / "ranker.json", ranker(newness=1.0))
    assert main(["replay", str(path), "--ranker", str(tmp_path / "ranker.json"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rounds"] == 3
    assert document["policies"]["ranker"]["ips"] == pytest.approx(np.e / (np.e + 1 / np.e) / 0.2 / 3, abs=1e-4)
    assert main(["replay", str(path), "--ranker", str(tmp_path / "ranker.json")]) == 0
    assert "3 impressions drawn by chance" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"{\n", b"\xff\xfe\n", b"x" * 100_000, b'{"id": 1}\n'])
def test_what_is_no_log_is_told(tmp_path, capsys, content):
    (tmp_path / "h.jsonl").write_bytes(content)
    write_ranker(tmp_path / "ranker.json", ranker())
    assert main(["replay", str(tmp_path / "h.jsonl"), "--ranker", str(tmp_path / "ranker.json")]) == 1
    assert "h.jsonl" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "none.jsonl"), "--ranker", str(tmp_path / "ranker.json")]) == 1
