"""The service's own JSON as the store keeps it, with the SDK's snake_case names.

The SDK's models refuse a whole answer for a single field of another kind than they know, after it
was paid for. Here only what this program reckons with has to be of its kind.
"""

import re
from collections.abc import Mapping
from typing import Any

from reelmake.redaction import without_keys

_MOST = 2**31 - 1
"""Of what the service counts in 32 bits."""

_CAPITAL = re.compile(r"(?<!^)[A-Z]")


def kept_form(response: Mapping[str, Any]) -> dict[str, Any]:
    """Rename, and leave out what is null, and of ``usageMetadata`` what counts nothing.

    A key of ours that something on the way repeats is put out.
    """
    answer: dict[str, Any] = _snake_case(response)
    if "usage_metadata" in answer:
        answer["usage_metadata"] = _counts(answer["usage_metadata"])
    return answer


def _snake_case(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            _CAPITAL.sub(lambda match: "_" + match[0].lower(), str(key)): _snake_case(item)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [_snake_case(item) for item in value]
    return without_keys(value) if isinstance(value, str) else value


def _counts(usage: Any) -> dict[str, Any]:
    """Numbers, and lists of them by modality; what can be none is left out."""
    if not isinstance(usage, Mapping):
        return {}
    counts: dict[str, Any] = {}
    for name, value in usage.items():
        if isinstance(value, list):
            counts[name] = [
                {**item, "token_count": count}
                for item in value
                if isinstance(item, Mapping)
                and (count := _count(item.get("token_count", 0))) is not None
            ]
        elif (count := _count(value)) is not None:
            counts[name] = count
    return counts


def _count(value: Any) -> int | None:
    """JSON of protobuf may write a number as text."""
    try:
        count = int(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None
    return count if count is not None and 0 <= count <= _MOST else None
