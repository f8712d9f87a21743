"""Secrets out of whatever is shown or kept: the keys, and addresses that are capabilities."""

import os
import re
from collections.abc import Iterator

_KEY_VARIABLES = ("GEMINI_API_KEYS", "GEMINI_API_KEY", "GOOGLE_API_KEY")
_SHORTEST_KEY = 20
"""What is shorter, such as a test's, may stand in a path by chance."""
_SECRETS = re.compile(
    r"AIza[\w-]+|\bAQ\.[\w-]{30,}|api_key:[^\s'\"]+|upload_id=[^\s&'\"]+"
    r"|https?://[^\s'\"]*/(?:upload/)?v1\w*/[^\s'\"]*|\bfiles/[a-z0-9-]+"
)


def split_keys(text: str) -> list[str]:
    """Split several keys, separated by commas or any white space."""
    return [key for key in re.split(r"[,\s]+", text) if key]


def _keys() -> Iterator[str]:
    for variable in _KEY_VARIABLES:
        yield from split_keys(os.environ.get(variable, ""))


def has_key(text: str) -> bool:
    """Whether a key of the environment, of whatever form, stands in it."""
    return any(len(key) >= _SHORTEST_KEY and key in text for key in _keys())


def without_keys(text: str) -> str:
    """Put *** where such a key stands; all else stays, as is due to what was paid for."""
    for key in _keys():
        if len(key) >= _SHORTEST_KEY:
            text = text.replace(key, "***")
    return text


def redact(text: str) -> str:
    """Put *** where a key of the environment, an upload's or a file's address stands."""
    for key in _keys():
        text = text.replace(key, "***")
    return _SECRETS.sub("***", text)
