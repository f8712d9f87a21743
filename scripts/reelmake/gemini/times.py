"""The times in an answer: read, brought to one base and order, and held against the video."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any

from reelmake.analysis import Notice
from reelmake.gemini.checked import InvalidAnswer, Window
from reelmake.notices import notice
from reelmake.timestamps import format_clock, parse_clock

TIME_KEYS = ("time", "start", "end")

# A moment this far outside is a rounding of the model's; further out it is an invention.
_CLAMP_S = 2.0
# Prompts ask for a passage such as [music] where nobody speaks, so longer gaps are omissions,
# unless the recording is silent there.
_LONGEST_GAP_S = 30.0
_LONGEST_GAP_SHARE = 0.1


def read_times(content: dict[str, Any], window: Window, notices: list[Notice]) -> None:
    """Turn clocks into seconds, in place: absolute, within the window, in order.

    Raises InvalidAnswer ``times_invalid``.
    """
    records = list(_timed_records(content))
    for record in records:
        for key in record.keys() & set(TIME_KEYS):
            record[key] = _parse_time(record[key])
    times = [record[key] for record in records for key in record.keys() & set(TIME_KEYS)]
    if _counts_from_the_clip(times, window):
        _change_times(records, lambda time_s: time_s + window.start_s)
    _require_within(records, window, notices)
    _put_in_order(content, records, notices)


def _timed_records(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if any(isinstance(value.get(key), str) for key in TIME_KEYS):
            yield value
        for child in value.values():
            yield from _timed_records(child)
    elif isinstance(value, list):
        for child in value:
            yield from _timed_records(child)


def _parse_time(text: Any) -> float:
    try:
        return parse_clock(str(text))
    except ValueError as error:
        raise InvalidAnswer("times_invalid", f"a time can't be read: {error}") from None


def _counts_from_the_clip(times: Sequence[float], window: Window) -> bool:
    """Which base the model used for a segment: the one that more of its times fit."""
    if window.end_s is None:
        return 2 * sum(time_s < window.start_s - _CLAMP_S for time_s in times) > len(times)
    length_s = window.end_s - window.start_s
    as_absolute = sum(
        window.start_s - _CLAMP_S <= time_s <= window.end_s + _CLAMP_S for time_s in times
    )
    as_relative = sum(time_s <= length_s + _CLAMP_S for time_s in times)
    return as_relative > as_absolute


def _change_times(records: Sequence[dict[str, Any]], change: Callable[[float], float]) -> None:
    for record in records:
        for key in record.keys() & set(TIME_KEYS):
            record[key] = change(record[key])


def _require_within(
    records: Sequence[dict[str, Any]], window: Window, notices: list[Notice]
) -> None:
    first_s, last_s = window.start_s, inf if window.end_s is None else window.end_s
    outside = 0
    for record in records:
        for key in record.keys() & set(TIME_KEYS):
            clamped = min(max(record[key], first_s), last_s)
            if abs(record[key] - clamped) > _CLAMP_S:
                last = "the end" if window.end_s is None else format_clock(last_s)
                raise InvalidAnswer(
                    "times_invalid",
                    f"{format_clock(record[key])} is not within {format_clock(first_s)} to {last}",
                )
            outside += record[key] != clamped and int(record[key]) != int(clamped)
            record[key] = clamped
    if outside:
        notices.append(notice("times_clamped", count=outside))


def _put_in_order(
    content: Mapping[str, Any], records: Sequence[dict[str, Any]], notices: list[Notice]
) -> None:
    moved = 0
    for record in records:
        if "start" in record and "end" in record and record["end"] < record["start"]:
            record["end"] = record["start"]
            moved += 1
    for items in _lists(content):
        if all(isinstance(item, dict) and _time_of(item) is not None for item in items):
            ordered = sorted(items, key=lambda item: _time_of(item) or 0.0)
            moved += ordered != items
            items[:] = ordered
    if moved:
        notices.append(notice("times_reordered"))


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    for child in value.values() if isinstance(value, Mapping) else value:
        if isinstance(child, (Mapping, list)):
            yield from _lists(child)


def _time_of(item: Mapping[str, Any]) -> float | None:
    value = item.get("start", item.get("time"))
    return value if isinstance(value, float) else None


def require_coverage(transcript: Sequence[Mapping[str, Any]], window: Window) -> None:
    """Raises InvalidAnswer ``transcript_incomplete`` when passages (seconds) leave speech out."""
    if window.end_s is None:
        return
    longest_s = max(_LONGEST_GAP_S, _LONGEST_GAP_SHARE * (window.end_s - window.start_s))
    heard_until_s = window.start_s
    for start_s, end_s in [
        *((passage["start"], passage["end"]) for passage in transcript),
        (window.end_s, window.end_s),
    ]:
        if start_s - heard_until_s > longest_s and not window.is_silent(heard_until_s, start_s):
            raise InvalidAnswer(
                "transcript_incomplete",
                f"nothing is transcribed from {format_clock(heard_until_s)} "
                f"to {format_clock(start_s)}",
            )
        heard_until_s = max(heard_until_s, end_s)
