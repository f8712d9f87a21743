"""Words and sentences of English, Chinese and languages written like them, without dictionaries."""

import re
from collections.abc import Sequence
from itertools import pairwise

SENTENCE_ENDS = ".?!…。？！"
CLAUSE_ENDS = ",;:，；：、"

_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|e\.g|i\.e|[A-Z])\.$")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_HAN = re.compile(r"[\u4e00-\u9fff]+")

_STOPWORDS = """
    a about above after again all also am an and any are as at be because been before being both but
    by can can't could did didn't do does doesn't doing don't down each even ever every few for from
    get gets go going got had has have having he her here him his how i i'm if in into is isn't it
    it's its just let let's like look make many may me might more most much must my no nor not now
    of off on once one only or other our out over own same say see she should so some such take than
    that that's the their them then there these they thing things this those through to too up us
    use used very was way we we're well were what when where which while who why will with would yes
    you you're your
"""
STOPWORDS = frozenset(_STOPWORDS.split())
_COMMON_HAN = frozenset(
    "的了是在我们你他她它这那个就也都和与又很有一不会能要让从把被对里呢吗吧啊着过"
)


def ends_sentence(text: str) -> bool:
    """True after a full stop that isn't the dot of an abbreviation."""
    text = text.rstrip("\"'”’」）) ")
    return text[-1:] in SENTENCE_ENDS and text != "" and not _ABBREVIATION.search(text)


def content_words(text: str) -> list[str]:
    """What a text is about: words without the most common ones; of Chinese, pairs of characters."""
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(_HAN.sub(" ", text))]
    pairs = [
        first + second
        for run in _HAN.findall(text)
        for first, second in pairwise(run)
        if first not in _COMMON_HAN and second not in _COMMON_HAN
    ]
    return [word for word in words if word not in STOPWORDS and len(word) > 1] + pairs


def size(text: str) -> int:
    """Words, counting two Chinese characters as one."""
    han = sum(map(len, _HAN.findall(text)))
    return len(_WORD.findall(_HAN.sub(" ", text))) + han // 2


def joined(sentences: Sequence[str]) -> str:
    """Sentences as running text: Chinese ones without a blank between them."""
    text = ""
    for sentence in sentences:
        text += (" " if text and text[-1] not in "。！？，、；：…" else "") + sentence
    return text


def shorten(text: str, limit: int) -> str:
    """The beginning, cut between words, or between the characters of Chinese."""
    if len(text) <= limit:
        return text
    cut = text[:limit]
    if not _HAN.search(cut):
        cut = cut.rpartition(" ")[0] or cut
    return cut.rstrip(" ,;:，；：、/") + "…"


def guess_language(text: str) -> str:
    """Of a text on screen; "und" (undetermined) when it is neither Chinese nor surely English."""
    letters = sum(character.isalpha() for character in text)
    if letters and 3 * sum(map(len, _HAN.findall(text))) > letters:
        return "zh-CN"
    words = [word.casefold() for word in _WORD.findall(text)]
    english = [word for word in words if word in STOPWORDS and len(word) > 1]
    return "en" if len(set(english)) >= 2 and len(english) >= 0.05 * len(words) else "und"
