"""Calls of the last minute: known to the run, or the gateway, that begins before it is over."""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from reelmake.files import write_atomically
from reelmake.gemini.pacing import MINUTE_MS


class _Call(NamedTuple):
    project: str
    model: str
    at: float
    tokens: int


class RecentCalls:
    """A file with a line for each call, written as it begins.

    What can't be noted, or read, costs a refusal at most, and keeps nobody from asking.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now

    def add(self, project: str, model: str, tokens: float) -> None:
        """Note a call of so many tokens that begins now."""
        line = json.dumps(_Call(project, model, round(self._now(), 3), round(tokens)))
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii") as file:
                file.write(line + "\n")

    def of(self, project: str, model: str) -> list[tuple[float, int]]:
        """How many seconds ago, and of how many tokens, each was: the oldest first."""
        now = self._now()
        calls = sorted(self._last_minute(now), key=lambda call: call.at)
        return [(now - call.at, call.tokens) for call in calls if call[:2] == (project, model)]

    def _last_minute(self, now: float) -> list[_Call]:
        """Those that still count; the file is rid of the others."""
        try:
            lines = self._path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeError):
            return []
        calls = [call for line in lines if (call := _parsed(line))]
        recent = [call for call in calls if 0 <= now - call.at < MINUTE_MS / 1000]
        if len(recent) < len(lines):
            with contextlib.suppress(OSError):
                write_atomically(self._path, "".join(f"{json.dumps(call)}\n" for call in recent))
        return recent


def _parsed(line: str) -> _Call | None:
    """None of a line that was cut off, or is none of ours."""
    try:
        project, model, at, tokens = json.loads(line)
        return _Call(str(project), str(model), float(at), max(0, int(tokens)))
    except (ValueError, TypeError):
        return None
