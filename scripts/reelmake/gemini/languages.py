"""Whether a text is written in a language's script: what can be told without guessing."""

import re
import unicodedata
from collections import Counter

# By the primary subtag; every language that is not here is written in Latin letters.
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

    A text of a few letters always passes.
    """
    letters = [character for character in text if character.isalpha()]
    if len(letters) < _LEAST_LETTERS:
        return True
    counts = Counter(re.split(r"[ -]", unicodedata.name(letter, ""))[0] for letter in letters)
    scripts = _SCRIPTS.get(language.partition("-")[0].lower(), ("LATIN",))
    share = sum(counts[script] for script in scripts) / len(letters)
    return share >= _LEAST_SHARE.get(scripts[0], _LEAST_SHARE_OF_OTHERS)
