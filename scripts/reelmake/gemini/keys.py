"""The API keys of the environment. Apart from the SDK, which takes half a second to load."""

import hashlib
import os
import re
from collections.abc import Mapping

from reelmake.errors import ReelmakeError
from reelmake.redaction import split_keys


def api_keys(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The keys that the environment gives, one a project, in order, each once.

    Raises ReelmakeError ``key_invalid`` when one can't be a key; it is not repeated.
    """
    many = environment.get("GEMINI_API_KEYS", "")
    one = environment.get("GEMINI_API_KEY") or environment.get("GOOGLE_API_KEY") or ""
    keys = list(dict.fromkeys(split_keys(many or one)))
    for number, key in enumerate(keys, start=1):
        if not re.fullmatch(r"[\x21-\x7e]+", key):
            raise ReelmakeError("key_invalid", f"key {number} has characters that no key has")
    return keys


def fingerprint_of(key: str) -> str:
    """Tells a key from others, in files."""
    return hashlib.sha256(key.encode()).hexdigest()
