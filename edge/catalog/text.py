"""Text as the catalogue indexes and searches it.

SQLite's tokenisers take a run of Chinese characters for one word, so nobody would find a part of it. Each character
of a script that is written without blanks becomes a word of its own here, in the index and in the query alike; a
run of them is searched as a phrase, so that any part of a title finds it, two characters as well as ten.
"""

import re
import unicodedata

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7af"  # Hangul
)
MAX_QUERY_CHARACTERS = 200
MAX_WORDS = 16
_CHARACTER = re.compile(f"([{UNSPACED}])")


def spaced(text: str) -> str:
    """Text for the index: one form for each character, blanks around those of scripts written without."""
    if text.isascii() and text.isprintable():  # most titles; the rest would change nothing but the case
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    printable = "".join(letter if letter.isprintable() else " " for letter in folded)
    return _CHARACTER.sub(r" \1 ", printable)


def query_phrases(words: str) -> list[str]:
    """What a person typed as FTS5 phrases, the last one also as a beginning; none when there is no word in it.

    Every word stands in quotes and what is no letter or digit counts for nothing, so nothing that is typed can be
    taken for FTS5's syntax. Beyond MAX_QUERY_CHARACTERS or MAX_WORDS the rest is left out.
    """
    split = words[:MAX_QUERY_CHARACTERS].replace('"', " ").split()
    phrases = [" ".join(spaced(word).split()) for word in split]
    said = [f'"{phrase}"' for phrase in phrases if any(map(str.isalnum, phrase))][:MAX_WORDS]
    return [*said[:-1], said[-1] + "*"] if said else []
