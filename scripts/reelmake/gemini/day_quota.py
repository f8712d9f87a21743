"""Requests a day: counted across runs, renewed at midnight Pacific time as the service does."""

import fcntl
import json
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from reelmake.files import write_atomically
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.pacific import pacific_now, renewal

log = logging.getLogger(__name__)


def day_spent(limit: int, now: datetime) -> ServiceError:
    """What is raised when the day has no request left."""
    return ServiceError(
        "quota_per_day",
        f"the {limit} requests of `gemini.rpd` are spent; they are renewed at {renewal(now)}",
    )


class DayQuota:
    """Counts in a file that all runs with these results share."""

    def __init__(
        self, path: Path, limit: int | None, now: Callable[[], datetime] = pacific_now
    ) -> None:
        self._path = path
        self._limit = limit
        self._now = now

    def take(self, project: str, model: str) -> None:
        """Count one request. Raises ServiceError ``quota_per_day`` when none is left."""
        if self._limit is not None:
            self._add(project, model, 1)

    def give_back(self, project: str, model: str) -> None:
        """The service refused the request, and so did not count it."""
        if self._limit is not None:
            self._add(project, model, -1)

    def left(self, project: str, model: str) -> int | None:
        """Requests that remain today; None: no limit is set."""
        if self._limit is None:
            return None
        return max(0, self._limit - self._taken().get(f"{project} {model}", 0))

    def _add(self, project: str, model: str, number: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held for the time of one small write
            taken = self._taken()
            key = f"{project} {model}"
            taken[key] = max(0, taken.get(key, 0) + number)
            if number > 0 and self._limit is not None and taken[key] > self._limit:
                raise day_spent(self._limit, self._now())
            today = {"day": self._today(), "taken": taken}
            write_atomically(self._path, json.dumps(today, indent=1) + "\n")

    def _taken(self) -> dict[str, int]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["day"] != self._today():
                return {}
            return {str(key): int(number) for key, number in content["taken"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("%s can't be read: today's requests are counted anew", self._path)
            return {}

    def _today(self) -> str:
        return self._now().date().isoformat()
