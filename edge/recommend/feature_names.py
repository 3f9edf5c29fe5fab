"""The features that a candidate has (features.py) and a ranker weighs (ranker.py), in the order of the columns."""

NAMES = (
    "heard",
    "seen",
    "audio_short",
    "audio_long",
    "video_short",
    "video_long",
    "words",
    "artist",
    "artist_skips",
    "genre",
    "playing_artist",
    "own",
    "popularity",
    "newness",
    "shown_lately",
)
