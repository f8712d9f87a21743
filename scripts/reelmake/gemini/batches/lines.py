"""The lines of a batch: requests as they are sent, and answers as they are read back.

Nothing of an answer is taken on trust: lines come in any order, twice, cut short or not at all, and
with the answer to another request.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from reelmake.gemini.answers import kept_form
from reelmake.gemini.batches.names import ECHO_FIELD, ECHO_PATTERN, echo_of
from reelmake.gemini.request import Media, Request
from reelmake.gemini.sdk_request import request_body

log = logging.getLogger(__name__)

# Anything else in its place is no request of ours, and proves nothing.
_ECHO = re.compile(rf'"{ECHO_FIELD}"\s*:\s*"({ECHO_PATTERN})"')
# In all the ways that the service numbers errors: asking the same again is of no use.
_AT_FAULT = frozenset(["3", "400", "INVALID_ARGUMENT"])


class Line(NamedTuple):
    """What a batch said to one request: an answer, or why there is none.

    ``hopeless``: it would be refused again.
    """

    key: str
    answer: dict[str, Any] | None = None
    refusal: str = ""
    hopeless: bool = False


class CutOffError(Exception):
    """The file of answers ends in the middle of a line, or has lines that are none."""


def request_line(key: str, request: Request, media: Media | None) -> bytes:
    """A request, and that its answer has to say what it answers."""
    body = request_body(request, media)
    schema = body["generationConfig"]["responseSchema"]
    if ECHO_FIELD not in schema["properties"]:
        only_this = {"type": "STRING", "enum": [echo_of(key)], "description": "Copy this."}
        schema["properties"] = {**schema["properties"], ECHO_FIELD: only_this}
        schema["required"] = [*schema.get("required", []), ECHO_FIELD]
        if "propertyOrdering" in schema:
            schema["propertyOrdering"] = [*schema["propertyOrdering"], ECHO_FIELD]
    return json.dumps({"key": key, "request": body}, ensure_ascii=False).encode() + b"\n"


def read_lines(lines: Iterable[bytes], keys: Iterable[str]) -> Iterator[Line]:
    """Read what a batch of the requests ``keys`` said; an answer goes to whom it answers.

    Raises CutOffError, after all that could be read.
    """
    by_echo = {echo_of(key): key for key in keys}
    known = set(by_echo.values())
    damaged = 0
    for text in lines:
        if not text.strip():
            continue
        try:
            line = _line(json.loads(text), known, by_echo)
        except (ValueError, TypeError, AttributeError, RecursionError):
            damaged += 1
            continue
        if line:
            yield line
    if damaged:
        raise CutOffError(f"{damaged} lines of the batch's answers can't be read")


def _line(said: dict[str, Any], known: set[str], by_echo: Mapping[str, str]) -> Line | None:
    key = said.get("key")
    response = said.get("response")
    if not isinstance(response, dict) or not response:
        return _refusal(key, said) if key in known else None
    echo = _echo(response)
    if echo is not None and (not isinstance(key, str) or echo_of(key) != echo):
        log.warning("line %s has the answer to request %s", str(key)[:12], echo)
        key = by_echo.get(echo)
    return Line(key, kept_form(response)) if key in known else None


def _refusal(key: str, said: Mapping[str, Any]) -> Line:
    error = said.get("error") or said.get("status")
    if not isinstance(error, dict):
        return Line(key, refusal="it was not answered")
    message = str(error.get("message") or "no message")
    at_fault = {str(error.get("code")), str(error.get("status"))} & _AT_FAULT
    # An upload that expired before its turn came is brought again.
    about_a_file = re.search(r"\bfiles?\b", message, re.IGNORECASE)
    return Line(key, refusal=message, hopeless=bool(at_fault) and not about_a_file)


def _echo(response: Mapping[str, Any]) -> str | None:
    """What an answer says it answers, if it got so far."""
    texts = (
        part.get("text", "")
        for candidate in _mappings(response.get("candidates"))
        for part in _mappings((candidate.get("content") or {}).get("parts"))
        if not part.get("thought")
    )
    match = _ECHO.search("".join(map(str, texts)))
    return match[1] if match else None


def _mappings(items: Any) -> Iterator[Mapping[str, Any]]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield item
