"""Bounds for what comes from files and models: values that multiply, code that never ends."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

_MOST_VALUES = 100_000
_LONGEST_SHOWN = 200


class TookTooLongError(BaseException):
    """What was bounded by ``time_limit`` had not ended; none of its own handlers stop it."""


def is_bounded(value: Any) -> bool:
    """Whether there is an end to the values in it; YAML's aliases can multiply, and go in circles.

    A hundred thousand values are more than any of our files have.
    """
    waiting, count = [value], 0
    while waiting:
        count += 1
        if count > _MOST_VALUES:
            return False
        here = waiting.pop()
        if isinstance(here, Mapping):
            waiting += here.values()
        elif isinstance(here, (list, tuple, set)):
            waiting += here
    return True


def shown(value: Any) -> str:
    """The value for a message: on one line, and not too long."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        text = f"a {type(value).__name__}"
    return shortened(text)


def shortened(text: str, length: int = _LONGEST_SHOWN) -> str:
    """The text, or its beginning."""
    return text if len(text) <= length else f"{text[:length]}…"


def printable(text: str) -> str:
    """The text as a terminal may have it: what can't be shown is written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TookTooLongError in what has not ended after so many seconds.

    Where there are no such timers (Windows, or a thread that is not the main one) there is no
    limit; processes have their own.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  as signals call
        raise TookTooLongError(f"it takes longer than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    # Again and again: where Python calls a finaliser, whatever is raised is lost.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
