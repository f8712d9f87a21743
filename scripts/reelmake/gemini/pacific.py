"""The service's day: it begins at midnight Pacific time."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_PACIFIC = ZoneInfo("America/Los_Angeles")


def pacific_now() -> datetime:
    return datetime.now(_PACIFIC)


def in_pacific_time(moment: datetime) -> datetime:
    return moment.astimezone(_PACIFIC)


def renewal(now: datetime | None = None) -> str:
    """When the day's quota is renewed, as a user reads it: there and here."""
    today = now or pacific_now()
    midnight = datetime.combine(today.date() + timedelta(days=1), time(), _PACIFIC)
    return f"{midnight:%Y-%m-%d %H:%M %Z} ({midnight.astimezone():%Y-%m-%d %H:%M} here)"
