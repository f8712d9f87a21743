"""What batches and their requests are called: always the same for the same, on every run."""

from collections.abc import Collection

from reelmake.store import digest

ECHO_FIELD = "request_id"
"""Asked for beside what a report needs, so that an answer says itself what it answers."""

ECHO_PATTERN = "[0-9a-f]{12}"

_ECHO_LETTERS = 12


def echo_of(key: str) -> str:
    """What the answer to a request has to repeat."""
    return key[:_ECHO_LETTERS]


def name_of_set(keys: Collection[str]) -> str:
    """What all batches of just these requests are called, but for a number at the end."""
    return f"reelmake-{digest({'requests': sorted(keys)})[:24]}"
