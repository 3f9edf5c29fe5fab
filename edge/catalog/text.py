"""Text as the catalogue indexes and searches it.

SQLite's tokenisers take a run of Chinese characters for one word, so nobody would find a part of it. Each CJK
character becomes a word of its own here, in the index and in the query alike, and a run of them a phrase.
"""

import re

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
MAX_QUERY_CHARACTERS = 200
MAX_WORDS = 16
_CJK_CHARACTER = re.compile(f"([{CJK}])")
_WORD = re.compile(f"[{CJK}]+|[^\\W_{CJK}]+")


def spaced(text: str) -> str:
    """Text for the index: every CJK character between spaces."""
    return _CJK_CHARACTER.sub(r" \1 ", text)


def fts_query(words: str) -> str:
    """What a person typed as an FTS5 expression: all the words, the last one also as a beginning.

    Quotes, operators and symbols are not words, so nothing typed can be taken for syntax. Empty when there is no word.
    """
    found = _WORD.findall(words[:MAX_QUERY_CHARACTERS])[:MAX_WORDS]
    phrases = [f'"{" ".join(word) if _CJK_CHARACTER.match(word) else word}"' for word in found]
    if phrases and not _CJK_CHARACTER.match(found[-1]):
        phrases[-1] += "*"
    return " ".join(phrases)
