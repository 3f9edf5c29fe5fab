"""What a device keeps of one user whose memory is full, for a catalogue that has a collaborative part."""

from edge.context import Context
from edge.recommend.candidates import Request
from edge.recommend.event import Event
from edge.recommend.features import describe
from edge.recommend.records import MAX_IMPRESSIONS, MAX_ITEMS
from export.collaborative.device import Device
from export.collaborative.grades import scale_of
from export.collaborative.model import fit
from export.collaborative.ratings import read_ratings

STATE_BYTES = 64 << 10
USERS, EACH = 60, 25


def test_the_state_of_a_user_is_at_most_64_kib(tmp_path):
    lines = [f"u{user},i{(user * EACH + place) % (MAX_ITEMS + 50)},5,{1_600_000_000 + place}"
             for user in range(USERS) for place in range(EACH)]  # fmt: skip
    (tmp_path / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *lines]), encoding="utf-8")
    ratings = read_ratings(tmp_path / "ratings.csv")
    events = [Event(f"{kind} {number}", "anna", item, kind, None, 1.6e9 + 60 * number)
              for kind in ("like", "impression") for number, item in enumerate(ratings.items)]  # fmt: skip
    with Device(ratings, fit(ratings, scale_of(ratings))) as device:
        taste = device.taste(events)
        describe(device.lookup, Request(Context(), taste), device.lookup.popular[:50])
        assert len(taste.records.table) == MAX_ITEMS
        assert len(taste.records.impressions()) == MAX_IMPRESSIONS
        assert all(user is not None for user in taste.users().values())
        assert 40 << 10 < taste.nbytes <= STATE_BYTES
