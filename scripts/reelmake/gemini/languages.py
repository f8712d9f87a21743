"""Whether a text is written in a language's script: what can be told without guessing."""

import re
import unicodedata
from collections import Counter

# By the primary subtag. Of a language that is in neither nothing is claimed.
_LATIN = frozenset(
    "af az bs ca cs cy da de en eo es et eu fi fr ga gl hr hu id is it la lt lv ms nb nl nn no "  # noqa: SIM905
    "pl pt ro sk sl sq sv sw tl tr vi".split()
)
_SCRIPTS = {
    "zh": ("CJK",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA"),
    "ko": ("HANGUL",),
    **dict.fromkeys(["ru", "uk", "bg", "be", "mk", "kk", "ky", "mn"], ("CYRILLIC",)),
    **dict.fromkeys(["ar", "fa", "ur", "ug"], ("ARABIC",)),
    "he": ("HEBREW",),
    "el": ("GREEK",),
    "th": ("THAI",),
    **dict.fromkeys(["hi", "mr", "ne"], ("DEVANAGARI",)),
    "bn": ("BENGALI",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "ka": ("GEORGIAN",),
    "hy": ("ARMENIAN",),
    "sr": ("CYRILLIC", "LATIN"),
}
# Names and terms stay in their own script, and one ideograph says as much as a Latin word.
_LEAST_SHARE = {"CJK": 0.2, "HANGUL": 0.3}
_LEAST_SHARE_OF_OTHERS = 0.5
_LEAST_LETTERS = 40


def seems_written_in(text: str, language: str) -> bool:
    """Tell scripts apart, not languages: French passes for English; Chinese does not.

    A text of a few letters always passes, and so does one in a language that is not known here.
    """
    letters = [character for character in text if character.isalpha()]
    if len(letters) < _LEAST_LETTERS:
        return True
    counts = Counter(re.split(r"[ -]", unicodedata.name(letter, ""))[0] for letter in letters)
    primary = language.partition("-")[0].lower()
    scripts = ("LATIN",) if primary in _LATIN else _SCRIPTS.get(primary)
    if scripts is None:
        return True
    share = sum(counts[script] for script in scripts) / len(letters)
    return share >= _LEAST_SHARE.get(scripts[0], _LEAST_SHARE_OF_OTHERS)
