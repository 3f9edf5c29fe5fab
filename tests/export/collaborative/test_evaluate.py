import json
from xml.etree import ElementTree

import numpy as np
import pytest

from edge.catalog.snapshot import open_snapshot
from edge.context import Context
from edge.errors import ExportError
from edge.recommend.event import Event
from edge.recommend.history import History
from edge.recommend.ranker import of_snapshot, prior
from edge.recommend.recommender import Recommender
from export.cli import main
from export.collaborative.catalogue import write_catalogue
from export.collaborative.evaluate import OURS, PENALTIES
from export.collaborative.grades import scale_of
from export.collaborative.metrics import interval, ndcg, recall
from export.collaborative.new_items import _cold, _drawn, evaluate_new_items
from export.collaborative.protocol import events_of, strict, temporal, with_noise
from export.collaborative.ranking_lists import ranking_lists
from export.collaborative.ratings import MAX_TEXT_CHARACTERS, read_ratings
from export.commands import evaluate as evaluate_command

pytest.importorskip("implicit")


def test_ndcg_and_recall_by_hand():
    ranked, wanted = np.array([4, 7, 1, 2]), np.array([7, 2, 9])
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert ndcg(ranked, wanted) == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / ideal)
    assert recall(ranked, wanted, 2) == 0.5


def test_an_interval_holds_the_mean_and_that_of_a_ratio_to_itself_is_one():
    values = np.random.default_rng(0).random(200)
    people = [str(number) for number in range(200)]
    low, high = interval(values, people)
    assert low < values.mean() < high < low + 0.2
    assert interval(values, people, over=values) == (1.0, 1.0)


def test_the_cut_divides_past_from_future(ratings):
    split = temporal(ratings, scale_of(ratings), seed=1)
    trained = set(split.train.user.tolist())
    for case in split.cases:
        assert ratings.users.index(case.user) not in trained
        assert ratings.time_s[case.given].max() == case.cut_s
        assert not set(case.wanted) & set(ratings.item[case.given])


def test_the_strict_protocol_fits_on_nothing_later_than_a_cut(ratings):
    whole = temporal(ratings, scale_of(ratings), seed=1)
    found, left_out = strict(whole, periods=3, least=50)
    assert sum(len(split.cases) for split in found) + left_out == len(whole.cases)
    for split in found:
        assert split.train.time_s.max() < min(case.cut_s for case in split.cases)


def test_what_is_hidden_is_neither_given_nor_anything_else_wanted(ratings):
    hidden, whole = _drawn(len(ratings.items), 0.25, 3), temporal(ratings, scale_of(ratings), seed=1)
    assert hidden.sum() == round(0.25 * len(ratings.items))
    cases = _cold(ratings, whole.cases, hidden)
    assert cases
    for case in cases:
        assert not hidden[ratings.item[case.given]].any()
        assert hidden[case.wanted].all()


def test_random_events_are_added_among_the_real_ones(ratings):
    scale = scale_of(ratings)
    events = events_of(ratings, temporal(ratings, scale, seed=1).cases[0], scale)
    noisy = with_noise(events, ratings.items, share=0.5, seed=2)
    assert [event for event in noisy if "random" not in event.id] == events
    assert len(noisy) == len(events) + round(0.5 * len(events))
    assert [event.time_s for event in noisy] == sorted(event.time_s for event in noisy)
    assert noisy == with_noise(events, ratings.items, share=0.5, seed=2)


def test_new_items_that_nobody_wanted_have_no_figures(tmp_path):
    lines = [f"u{user},i{item},{5 if item > 7 else 2},{1_600_000_000 + 60 * item}" for user in range(12)
             for item in range(10)]  # fmt: skip
    (tmp_path / "r.csv").write_text("\n".join(["user,item,rating,timestamp", *lines]), encoding="utf-8")
    ratings = read_ratings(tmp_path / "r.csv")
    hidden = ratings.items[int(np.flatnonzero(_drawn(10, 0.1, 0))[0])]
    assert hidden not in ("i8", "i9")
    found = evaluate_new_items(ratings, scale_of(ratings), share=0.1, seeds=1)
    assert found == {"share": 0.1, "items": 1, "cases": 0, "models": {}, "against": {}}
    assert evaluate_command._new_items(found)[-1].endswith("0 cases:")


def test_nobody_learns_ranking_from_oneself(ratings):
    alone = ratings.of_users(np.arange(len(ratings.users)) == 0)
    with pytest.raises(ExportError, match="1 users"):
        ranking_lists(alone, scale_of(ratings), seed=0)


def test_the_command_measures_draws_and_prints(rated, tmp_path, capsys):
    pytest.importorskip("obp")
    command = ["evaluate", str(rated), "--seeds", "1", "--noise", "0.2", "--plot", str(tmp_path / "curve.svg")]
    assert main([*command, "--new-items", "0.2", "--replay", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"popularity", "item-item", "als", "ease", OURS} <= document["models"].keys()
    assert document["models"][OURS]["recall@20"] > document["models"]["popularity"]["recall@20"]
    assert len(document["curve"]) == len(PENALTIES) + 1
    assert document["noise"]["share"] == 0.2
    assert document["new_items"]["items"] == 8
    assert document["new_items"]["models"][OURS]["recall@20"] > 0
    assert document["replay"]["rounds"] == 50 * document["replay"]["lists"]
    printed = evaluate_command.text(document)
    assert "hidden from training" in printed
    assert "snips" in printed
    drawn = ElementTree.parse(tmp_path / "curve.svg").getroot()
    assert sum(part.tag.endswith("circle") for part in drawn.iter()) == len(PENALTIES) + 1 + 4


@pytest.mark.parametrize(
    "wrong", [["--seeds", "0"], ["--noise", "-1"], ["--new-items", "0.9"], ["--plot", "curve.png"],
              ["--protocol", "guess"]]
)
def test_wrong_use_is_refused(rated, wrong):
    assert main(["evaluate", str(rated), *wrong]) == 2


def test_nobody_to_hold_out_is_said(ratings):
    few = ratings.where(ratings.user < 1)
    with pytest.raises(ExportError, match="too few"):
        temporal(few, scale_of(ratings), seed=0, held_out=0.0001)


def test_what_was_learned_reaches_the_device(rated, ratings, tmp_path, capsys):
    folder = tmp_path / "catalog"
    write_catalogue(folder, ratings)
    assert main(["collaborative", str(rated), "--catalog", str(folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["matched"] == len(ratings.items)
    assert said["ranker"]["lists"] > 0
    with open_snapshot(folder) as snapshot, History(tmp_path / "history.db") as history:
        assert of_snapshot(snapshot).linear.tolist() != prior().linear.tolist()
        heard = of_snapshot(snapshot).linear[0]
        assert heard == prior().linear[0]  # ratings teach nothing of what is heard
        history.add_all([Event(str(number), "ann", f"i{20 + number}", "like", None, 1e9) for number in range(3)])
        recommender = Recommender(snapshot, history, exploration=0.0)
        found = recommender.recommend(Context(), user="ann", k=5)
    assert all(int(one.item[1:]) >= 20 for one in found)


HEAD = "user,item,rating,timestamp,title\n"
BAD = {
    "no timestamp": "user,item,rating\nann,i0,5\n", "NaN": HEAD + "ann,i0,nan,5,t\n", "past": HEAD + "ann,i0,5,-5,t\n",
    "future": HEAD + "ann,i0,5,1e11,t\n", "one user": HEAD + "ann,i0,5,5,t\nann,i1,5,6,t\n",
    "one item": HEAD + "ann,i0,5,5,t\nbo,i0,5,6,t\n", "nobody to hold out": HEAD + "ann,i0,5,5,t\nbo,i1,5,6,t\n",
    "empty": "", "a header alone": HEAD,
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", ["evaluate", "collaborative"])
def test_bad_ratings_get_one_sentence_and_change_nothing(ratings, tmp_path, capsys, command, name):
    path, catalog = tmp_path / "ratings.csv", tmp_path / "catalog"
    path.write_text(BAD[name], encoding="utf-8")
    write_catalogue(catalog, ratings)
    before = {file.name: file.read_bytes() for file in catalog.iterdir()}
    code = main([command, str(path), *(["--catalog", str(catalog)] if command == "collaborative" else [])])
    said = capsys.readouterr().err
    if command == "collaborative" and name == "nobody to hold out":
        assert code == 0  # two users do teach something
        return
    assert code == 1
    assert len(said.strip().splitlines()) == 1
    assert str(path) in said or "hold some out" in said
    assert {file.name: file.read_bytes() for file in catalog.iterdir()} == before


def test_titles_of_any_script_and_length_reach_the_list_as_they_are(ratings, tmp_path):
    titles = ["\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
              "\U0001f3b5\U0001f468\u200d\U0001f469\u200d\U0001f467", "t" * 10**6]  # fmt: skip
    lines = [f"u{user},i{item},{5 - item % 2},{user * 9 + item},{titles[item]}"
             for user in range(4) for item in range(3)]  # fmt: skip
    path = tmp_path / "ratings.csv"
    path.write_text(HEAD + "\n".join(lines) + "\nu0,i0,1,500,again\n", encoding="utf-8")
    write_catalogue(tmp_path / "catalog", read_ratings(path))
    assert main(["collaborative", str(path), "--catalog", str(tmp_path / "catalog")]) == 0
    with open_snapshot(tmp_path / "catalog") as snapshot, History(tmp_path / "history.db") as history:
        found = Recommender(snapshot, history).recommend(Context(), user="ann", k=3)
    assert {one.title for one in found} == {*titles[:2], "t" * MAX_TEXT_CHARACTERS}
