from collections import Counter

import numpy as np
import pytest

from edge.context import Context, unit
from edge.errors import UsageError
from edge.recommend.filters import Filters
from edge.recommend.history import Event
from edge.recommend.recommender import READ_EVENTS, Recommender

NOTHING = Context()


@pytest.fixture
def recommender(snapshot, history):
    return Recommender(snapshot, history)


@pytest.fixture
def did(history):
    """Add events of Anna's: ``did("like", "ada-1", "ada-2")``."""

    def did(kind: str, *items: str, time_s: float = 1e9, value: float | None = None) -> None:
        for item in items:
            number = len(history.events("anna"))
            history.add(Event(f"e{number}", "anna", item, kind, value, time_s))

    return did


def artists(found) -> Counter:
    return Counter(one.artist for one in found)


def test_what_plays_is_recognised_and_not_recommended(recommender, hearing, snapshot):
    assert recommender.now_playing(hearing(3)).title == "Ada 3"
    found = recommender.recommend(hearing(3), user="anna", k=40)
    assert "ada-3" not in [one.item for one in found]
    assert artists(found[:5]).most_common(1)[0][0] == "Ada"
    assert found[0].reasons[0] == "sounds like what is playing"


def test_an_unknown_recording_is_not_named(recommender, hearing, snapshot):
    windows = unit(np.random.default_rng(9).normal(size=(4, 16)))
    assert recommender.now_playing(Context(windows={"recording": windows})) is None
    assert recommender.now_playing(NOTHING) is None


def test_a_list_is_complete_ordered_and_without_repeats(recommender, hearing):
    found = recommender.recommend(hearing(0), user="anna", k=10)
    assert [one.rank for one in found] == list(range(1, 11))
    assert len({one.item for one in found}) == 10
    assert all(0 <= one.score <= 1 and 1 <= len(one.reasons) <= 3 for one in found)


def test_no_artist_takes_a_list_over(snapshot, history, hearing):
    bounded = Recommender(snapshot, history).recommend(hearing(0), user="anna", k=6)
    free = Recommender(snapshot, history, gini_bound=1.0).recommend(hearing(0), user="anna", k=6)
    assert artists(free)["Ada"] == 6
    assert artists(bounded)["Ada"] < 6


def test_what_was_liked_is_followed(recommender, did):
    did("like", "cleo-1", "cleo-2")
    found = recommender.recommend(NOTHING, user="anna", k=5)
    assert artists(found).most_common(1)[0][0] == "Cleo"
    said = {reason for one in found if one.artist == "Cleo" for reason in one.reasons}
    assert "you liked Cleo" in said
    assert any(reason.startswith("sounds like Cleo") and "which you liked" in reason for reason in said)


def test_the_next_event_changes_the_next_list(recommender, did):
    did("like", "cleo-1")
    assert recommender.recommend(NOTHING, user="anna", k=3)[0].artist == "Cleo"
    did("dislike", *(f"cleo-{n}" for n in range(6)))
    did("like", "ben-1", "ben-2")
    assert recommender.recommend(NOTHING, user="anna", k=3)[0].artist == "Ben"


def test_what_was_disliked_or_just_finished_does_not_come_again(recommender, did, hearing):
    did("dislike", "ada-1")
    did("finish", "ada-2")
    items = {one.item for one in recommender.recommend(hearing(3), user="anna", k=40)}
    assert not items & {"ada-1", "ada-2"}
    assert {"ada-1", "ada-2"} <= {one.item for one in recommender.recommend(hearing(3), user="bo", k=40)}


def test_without_repeats_nothing_touched_comes_again(snapshot, history, did, hearing):
    did("play", *(f"ada-{n}" for n in range(12)))
    once = Recommender(snapshot, history, filters=Filters(repeats=False))
    assert "Ada" not in artists(once.recommend(hearing(3), user="anna", k=40))


def test_forgetting_forgets_the_taste(recommender, history, did):
    before = recommender.recommend(NOTHING, user="anna", k=5)
    did("like", "cleo-1", "cleo-2")
    assert recommender.recommend(NOTHING, user="anna", k=5) != before
    history.forget("anna")
    assert recommender.recommend(NOTHING, user="anna", k=5) == before


def test_a_new_recommender_knows_the_same(snapshot, history, recommender, did, hearing):
    did("like", "cleo-1")
    recommender.recommend(NOTHING, user="anna", k=5)
    did("skip", "ada-1", "ada-2")
    did("finish", "ben-3", time_s=2e9)
    again = Recommender(snapshot, history).recommend(hearing(0), user="anna", k=10)
    assert recommender.recommend(hearing(0), user="anna", k=10) == again


def test_what_is_seen_counts_too(recommender, snapshot):
    looking = Context({"video": snapshot.views["video"].vector(40)}, {}, 5.0)
    found = recommender.recommend(looking, user="anna", k=3)
    assert found[0].kind == "shot"
    assert "looks like what is on the screen" in found[0].reasons


def test_words_find_titles(recommender):
    found = recommender.recommend(NOTHING, user="anna", k=3, words="ben 7")
    assert found[0].title == "Ben 7"
    assert "matches what you asked for" in found[0].reasons


def test_events_of_items_that_are_gone_are_passed_over(recommender, did):
    did("like", "left-the-catalogue", "cleo-1")
    assert recommender.recommend(NOTHING, user="anna", k=3)[0].artist == "Cleo"


def test_a_night_of_unattended_playing_does_not_take_the_taste_over(recommender, did):
    for day in range(5):
        did("like", "cleo-1", "cleo-2", "cleo-3", time_s=1e9 + day * 86400)
    for hour in range(8):
        for track in range(12):
            did("play", f"ben-{track}", time_s=1e9 + 6 * 86400 + hour * 3600 + track * 200)
            did("finish", f"ben-{track}", time_s=1e9 + 6 * 86400 + hour * 3600 + track * 200 + 180)
    long = recommender._taste("anna").content("audio").long
    assert long[2] > 0.1  # Cleo's direction is still there
    did("like", "cleo-4", time_s=1e9 + 8 * 86400)
    assert recommender.recommend(NOTHING, user="anna", k=3)[0].artist == "Cleo"


def test_the_taste_that_was_asked_for_longest_ago_is_rebuilt_and_the_same(snapshot, history, monkeypatch):
    monkeypatch.setattr("edge.recommend.recommender.MOST_TASTES", 2)
    users = ("anna", "bo", "cy")
    for number, (user, artist) in enumerate(zip(users, ("ada", "ben", "cleo"), strict=True)):
        history.add_all([Event(f"{user}{track}", user, f"{artist}-{track}", "like", None, 1e9 + number)
                         for track in range(3)])  # fmt: skip
    read_from: list[tuple[str, int]] = []
    lately = history.lately
    monkeypatch.setattr(history, "lately", lambda user, *, after, **most: (
        read_from.append((user, after)), lately(user, after=after, **most))[1])
    recommender = Recommender(snapshot, history, exploration=0.0)
    first = {user: recommender.recommend(NOTHING, user=user, k=5) for user in users}
    assert {user: found[0].artist for user, found in first.items()} == {"anna": "Ada", "bo": "Ben", "cy": "Cleo"}
    assert recommender.recommend(NOTHING, user="bo", k=5) == first["bo"]  # kept
    assert recommender.recommend(NOTHING, user="anna", k=5) == first["anna"]  # rebuilt, cy goes
    assert recommender.recommend(NOTHING, user="cy", k=5) == first["cy"]  # rebuilt
    assert [user for user, after in read_from if after == 0] == ["anna", "bo", "cy", "anna", "cy"]


def test_what_was_shown_since_makes_no_rebuilt_taste_forget_what_was_done(snapshot, history):
    history.add_all([Event(f"l{number}", "anna", f"cleo-{number}", "like", None, 1e9) for number in range(3)])
    recommender = Recommender(snapshot, history, exploration=0.0)
    recommender.recommend(NOTHING, user="anna", k=5)
    history.add_all([Event(f"s{number}", "anna", f"ada-{number % 12}", "impression", None, 1e9 + number)
                     for number in range(READ_EVENTS + 10)])  # fmt: skip
    rebuilt = Recommender(snapshot, history, exploration=0.0)
    assert rebuilt.recommend(NOTHING, user="anna", k=5) == recommender.recommend(NOTHING, user="anna", k=5)
    assert len(rebuilt._taste("anna").records.table) == 3


def test_of_all_places_a_share_goes_to_what_nobody_has_played(snapshot, history):
    history.add_all([Event(f"e{number}", f"user {number}", "ada-1", "like", None, 1e9) for number in range(400)])
    recommender = Recommender(snapshot, history, exploration=0.02, gini_bound=1.0)
    recommender._lookup.unplayed = recommender._lookup.groups == recommender._lookup.groups[12]  # Ben's
    lists = [recommender.recommend(NOTHING, user=f"user {number}", k=5) for number in range(400)]
    drawn = [found[-1] for found in lists if found[-1].propensity is not None]
    assert 400 * 0.1 - 4 * 6 < len(drawn) < 400 * 0.1 + 4 * 6
    assert all(one.artist == "Ben" and one.reasons[0] == "new, for you to try" for one in drawn)


def test_fewer_candidates_are_enough_for_a_list(snapshot, history, hearing):
    found = Recommender(snapshot, history, candidates=10).recommend(hearing(0), user="anna", k=20)
    assert 1 <= len(found) <= 10


@pytest.mark.parametrize("candidates", [0, -1, 10**9])
def test_an_impossible_number_of_candidates_is_refused(snapshot, history, candidates):
    with pytest.raises(UsageError, match="candidates"):
        Recommender(snapshot, history, candidates=candidates)


def test_a_list_of_nothing_is_refused(recommender):
    with pytest.raises(UsageError, match="k = 0"):
        recommender.recommend(NOTHING, user="anna", k=0)
