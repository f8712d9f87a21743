"""Secrets out of whatever is shown or kept: the keys, and addresses that are capabilities."""

import os
import re

_KEY_VARIABLES = ("GEMINI_API_KEYS", "GEMINI_API_KEY", "GOOGLE_API_KEY")
_SECRETS = re.compile(
    r"AIza[\w-]+|api_key:[^\s'\"]+|upload_id=[^\s&'\"]+"
    r"|https?://[^\s'\"]*/(?:upload/)?v1\w*/[^\s'\"]*|\bfiles/[a-z0-9-]+"
)


def split_keys(text: str) -> list[str]:
    """Split several keys, separated by commas or any white space."""
    return [key for key in re.split(r"[,\s]+", text) if key]


def redact(text: str) -> str:
    """Put *** where a key of the environment, an upload's or a file's address stands."""
    for variable in _KEY_VARIABLES:
        for key in split_keys(os.environ.get(variable, "")):
            text = text.replace(key, "***")
    return _SECRETS.sub("***", text)
