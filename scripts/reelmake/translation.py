"""What reelmake says itself, in the language of whoever reads it.

English stands where it is said. ``translations/<language>.yaml`` gives the other languages by the
English text, placeholders included. What programs read (kinds, codes, headers, logs) is English.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

_CHINESE = re.compile(r"zh(?![a-z])", re.IGNORECASE)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Say:
    """Gives texts in one language, ``language`` being its BCP 47 tag."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, text: str, /, **values: object) -> str:
        """The text with its values; English as it is given where there is no other."""
        said = self._texts.get(text, text)
        return said.format(**values) if values else said

    def count(self, one: str, many: str, number: float, /, **values: object) -> str:
        """The text for so many things, which is its ``{count}``; translations are of ``many``."""
        said = self._texts.get(many) or (one if number == 1 else many)
        return said.format(count=number, **values)


ENGLISH = Say("en", {})


def translatable(text: str) -> str:
    """Mark a text that is said later, so that tests find it."""
    return text


def say_in(language: str) -> Say:
    """Say it to a reader of ``language``, a BCP 47 tag or a locale: Chinese, or else English."""
    return _translated("zh-CN") if _CHINESE.match(language) else ENGLISH


def say_on_terminal(environment: Mapping[str, str] = os.environ) -> Say:
    """Say it in the language of the user's locale, in the order that POSIX has."""
    locales = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return say_in(next(filter(None, locales), ""))


def most_of(languages: Iterable[str]) -> str:
    """The language of most of them, by which a page about all of them speaks; English for none."""
    counts = Counter(say_in(language).language for language in languages)
    return max(counts, key=lambda language: counts[language], default=ENGLISH.language)


@cache
def _translated(language: str) -> Say:
    folder = resources.files(__package__).joinpath("translations")
    text = folder.joinpath(f"{language}.yaml").read_text(encoding="utf-8")
    return Say(language, yaml.load(text, Loader=_LOADER))  # noqa: S506  the safe one, in C
