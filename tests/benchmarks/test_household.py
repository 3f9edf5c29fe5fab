"""The synthetic household: its events are of its catalogue, its catalogue has what the method says."""

import numpy as np
import pytest

from benchmarks import household
from edge.catalog.snapshot import open_snapshot
from edge.recommend.feature_names import NAMES


@pytest.mark.parametrize(("method", "views"), [("content", {"audio"}), ("ease", {"audio", "collaborative"})])
def test_a_catalogue_has_the_views_of_its_method(tmp_path, method, views):
    household.write(tmp_path / "catalog", method, items=300)
    with open_snapshot(tmp_path / "catalog") as snapshot:
        assert set(snapshot.views) == views
        assert len(snapshot.items) == 300


def test_events_name_items_that_a_catalogue_has(tmp_path):
    from benchmarks.synthetic import items

    ids = {item.item for item in items(household.ITEMS)}
    events = [household.event(number) for number in range(50)]
    assert {event.item for event in events} <= ids
    assert len({event.id for event in events}) == 50
    assert household.event(3) == household.event(3)


def test_the_ranker_scores_this_versions_features():
    scores = household.ranker().score(np.random.default_rng(0).random((5, len(NAMES)), np.float32))
    assert scores.shape == (5,)
    assert len(set(scores.tolist())) == 5


def test_implicit_gives_ten_items_that_were_not_played(monkeypatch):
    pytest.importorskip("implicit")
    monkeypatch.setattr(household, "ITEMS", 500)
    found, scores = household.implicit_als(40)()
    assert len(set(found.tolist())) == 10
    assert (np.diff(scores) <= 0).all()
