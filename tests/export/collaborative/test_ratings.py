
import pytest

from edge.errors import ExportError
from export.collaborative.grades import scale_between
from export.collaborative.ratings import MAX_TEXT_CHARACTERS, read_ratings

HEADER = "user,item,rating,timestamp,title\n"


@pytest.fixture
def read(tmp_path):
    def read(text: str, **options):
        path = tmp_path / "ratings.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_ratings(path, **options)

    return read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("user,item,rating\na,b,1\n", "no column timestamp"),
        ("a,b\n1,2\n", "no column user and no column item"),
        (HEADER + "a,x,nan,5,t\n", "line 2: rating 'nan' must be a finite number"),
        (HEADER + "a,x,inf,5,t\n", "line 2: rating"),
        (HEADER + "a,x,good,5,t\n", "line 2: rating 'good'"),
        (HEADER + "a,x,3,-1,t\n", "line 2: timestamp -1 must be seconds since 1970"),
        (HEADER + "a,x,3,4000000000,t\n", "not in the future"),
        (HEADER + "a,x,3,1600000000000,t\n", "milliseconds"),
        (HEADER + 'a,x,3,5,"t\nb,y,3,5,t\n', "line 3: not CSV"),
        (HEADER + "a,x,3,NaN,t\n", "timestamp 'NaN'"),
        (HEADER + "a,x,3\n", "3 fields where the first line names 5"),
        (HEADER + ",x,3,5,t\n", "user '' must be"),
        (HEADER + "a,x\u202ey,3,5,t\n", "none of them a control character"),
        (HEADER + "a,x,3,5,t\na,y,3,6,t\n", "1 users and 2 items"),
        (HEADER + "a,x,3,5,t\nb,x,3,6,t\n", "2 users and 1 items"),
        (HEADER, "0 users"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(read, text, said):
    with pytest.raises(ExportError, match=said):
        read(text)


def test_bytes_that_are_no_text_are_refused(read):
    with pytest.raises(ExportError, match="UTF-8"):
        read(HEADER.encode() + b"a,\xff\xfe,3,5,t\n")


def test_the_later_of_two_ratings_counts(read):
    found = read(HEADER + "a,x,1,50,t\na,x,5,60,t\na,x,2,40,t\nb,y,3,1,t\n")
    assert found.repeated == 2
    assert found.rating.tolist() == [5.0, 3.0]


def test_a_title_of_a_million_characters_is_cut_and_others_kept_as_they_are(read):
    arabic, emoji = "\u0645\u0631\u062d\u0628\u0627", "\U0001f3b5\U0001f468\u200d\U0001f469\u200d\U0001f467"
    found = read(HEADER + f"a,x,3,5,{'t' * 10**6}\na,y,3,6,{arabic}\nb,z,3,5,{emoji}\n")
    titles = {item: text["title"] for item, text in zip(found.items, found.texts, strict=True)}
    assert titles == {"x": "t" * MAX_TEXT_CHARACTERS, "y": arabic, "z": emoji}


def test_people_and_items_are_called_as_the_history_lets_them_be(read):
    family, rtl = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0645\u0631\u062d\u0628\u0627"
    found = read(HEADER + f"{family},{rtl},3,5,t\nb,y,3,6,t\n")
    assert family in found.users
    assert rtl in found.items


def test_the_order_of_the_lines_says_nothing(read):
    lines = [f"u{user},i{item},{1 + item % 5},{100 * user + item},title {item}\n" for user in range(4)
             for item in range(user, 9)]  # fmt: skip
    one, other = read(HEADER + "".join(lines)), read(HEADER + "".join(sorted(lines, key=lambda line: line[3])))
    assert one.items == other.items != sorted(one.items)
    assert one.texts == other.texts
    assert [text["title"] for text in one.texts] == [f"title {item[1:]}" for item in one.items]
    for ratings in (one, other):
        rated = {(ratings.users[user], ratings.items[item], int(rating))
                 for user, item, rating in zip(ratings.user, ratings.item, ratings.rating, strict=True)}  # fmt: skip
        assert rated == {(f"u{user}", f"i{item}", 1 + item % 5) for user in range(4) for item in range(user, 9)}


def test_names_of_columns_as_others_write_them(read):
    found = read("movieId\tuserId\trating:float\ttimestamp:float\n7\tann\t3\t5\n8\tbo\t4\t6\n")
    assert sorted(found.items) == ["7", "8"]
    assert [found.items[item] for item in found.item] == ["7", "8"]
    assert found.users == ["ann", "bo"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_stands_between_the_fields_is_seen_in_the_first_line(read, delimiter):
    found = read("user,item,rating,timestamp\nann,7,3,5\nbo,8,4,6\n".replace(",", delimiter))
    assert (found.users, found.rating.tolist()) == (["ann", "bo"], [3.0, 4.0])


@pytest.mark.parametrize(("ratings", "liked"), [
    ([1, 2, 3, 4, 5], [4, 5]), ([0.5, 2.0, 4.0], [4.0]), ([1, 1], [1, 1]), ([-1, 1], [1]), ([-5, -2, -1], [-1])])
def test_the_best_ratings_count_as_liked_on_any_scale(ratings, liked):
    scale = scale_between(min(ratings), max(ratings))
    assert [rating for rating in ratings if scale.liked(rating)] == liked


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ExportError, match="cannot be read"):
        read_ratings(tmp_path / "none.csv")
