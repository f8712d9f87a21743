"""Moments in a video: seconds in code, ``MM:SS`` or ``H:MM:SS`` for people and models."""

import re

_CLOCK = re.compile(
    r"(?:(?P<hours>\d{1,5}):)?(?P<minutes>\d{1,3}):(?P<seconds>\d{1,2}(?:[.,]\d{1,3})?)"
)


def format_clock(seconds: float) -> str:
    """``83.4`` → ``"01:23"``, ``3723`` → ``"1:02:03"``; rounded down to the second."""
    minutes, second = divmod(int(max(seconds, 0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def parse_clock(text: str) -> float:
    """Seconds of ``MM:SS``, ``H:MM:SS`` or either with decimals; brackets around it pass.

    Raises ValueError when the text is anything else, such as ``01:75`` or ``1:90:00``.
    """
    match = _CLOCK.fullmatch(text.strip().strip("[]()").strip())
    if match is None:
        raise ValueError(f"expected MM:SS or H:MM:SS, found {text!r}")
    hours = int(match["hours"] or 0)
    minutes = int(match["minutes"])
    seconds = float(match["seconds"].replace(",", "."))
    if seconds >= 60 or (match["hours"] is not None and minutes >= 60):
        raise ValueError(f"expected MM:SS or H:MM:SS, found {text!r}")
    return hours * 3600 + minutes * 60 + seconds
