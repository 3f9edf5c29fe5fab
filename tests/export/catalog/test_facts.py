"""What files say of themselves becomes the items' fields."""

import mutagen
import pytest

from edge.errors import MediaError
from export.catalog.facts import film_fields, has_pictures, short_name, shot_fields, track_fields
from export.catalog.scan import media_file
from export.catalog.shots import Shot


@pytest.fixture
def tagged(tmp_path, write_track):
    path = write_track(tmp_path / "03-some_song.flac", 440.0, seconds=2.0)
    tags = mutagen.File(path, easy=True)
    tags.update({"title": "天空之城", "artist": "久石让", "album": "Castle", "genre": "Film", "date": "1986-08-02"})
    tags.save()
    return path


def test_a_tracks_tags(tagged):
    fields = track_fields(media_file(tagged, name="a/03-some_song.flac"), duration_s=9.0)
    assert fields.pop("added_s") == pytest.approx(tagged.stat().st_mtime)
    assert fields == {"item": "track:a/03-some_song.flac", "kind": "track", "title": "天空之城", "artist": "久石让",
                      "album": "Castle", "genre": "Film", "year": 1986, "duration_s": 2.0,
                      "source": "a/03-some_song.flac"}


def test_without_tags_the_name_is_the_title(tmp_path, write_track):
    path = write_track(tmp_path / "03-some_song.wav", 440.0, seconds=2.0)
    fields = track_fields(media_file(path, name="x"), duration_s=2.0)
    assert (fields["title"], fields["artist"], fields["year"]) == ("Some song", None, None)


def test_tags_that_cannot_be_read_are_no_tags(tmp_path):
    (tmp_path / "x.mp3").write_bytes(b"nothing")
    fields = track_fields(media_file(tmp_path / "x.mp3", name="x.mp3"), duration_s=7.04)
    assert (fields["title"], fields["duration_s"]) == ("X", 7.0)


def test_what_is_known_better_counts(tagged):
    file = media_file(tagged, name="n", known={"artist": "Joe Hisaishi", "licence": "CC-BY-4.0", "item": "track:own"})
    fields = track_fields(file, duration_s=2.0)
    assert (fields["artist"], fields["licence"], fields["item"]) == ("Joe Hisaishi", "CC-BY-4.0", "track:own")


def test_a_films_shots(tmp_path, write_film):
    file = media_file(write_film(tmp_path / "a film.mp4", [(200, 0, 0)]), name="films/a film.mp4")
    film = film_fields(file)
    assert (film["channel"], film["kind"]) == ("A Small Film", "shot")
    shot = shot_fields(film, file, 7, Shot(83.04, 85.5))
    assert (shot["item"], shot["title"], shot["start_s"], shot["duration_s"]) == (
        "shot:films/a film.mp4/0007", "A Small Film, 1:23", 83.0, 2.5)


def test_a_container_without_pictures(tmp_path, write_track, write_film):
    assert not has_pictures(write_track(tmp_path / "a.ogg"))
    assert has_pictures(write_film(tmp_path / "a.mp4", [(200, 0, 0)], sound=False))
    (tmp_path / "b.mp4").write_bytes(b"x" * 100)
    with pytest.raises(MediaError, match=r"b\.mp4: cannot be opened as film: Invalid data"):
        has_pictures(tmp_path / "b.mp4")


@pytest.mark.parametrize("name", ["a" * 300, "x\0y", "tab\there", "\udcff.mp3", "北" * 200])
def test_any_name_makes_a_short_printable_one(name):
    assert short_name(name).isprintable()
    assert len(short_name(name)) <= 100
    assert short_name(name) != short_name(name + ".")


def test_a_plain_name_stays(tmp_path):
    assert short_name("Pink Floyd/01 Time.mp3") == "Pink Floyd/01 Time.mp3"
