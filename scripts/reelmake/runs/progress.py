"""How far a run is: reports done, failed, in progress, and how long the rest will take."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Key = tuple[str, str]
"""Template and name of a report."""

_WINDOW = 100
"""So many reports, the last ones that ended, say how fast it goes."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the run, and the reports that can't be without it."""

    rule: str
    label: str
    """What its report, or else the job itself, is called."""
    reports: tuple[Key, ...] = ()
    record: Key | None = None
    """Under which a failure of it is recorded."""
    log: str = ""


class Progress:
    """Counts by the jobs that begin and end; knows nothing of files."""

    def __init__(
        self, jobs: Mapping[int, Job], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._began = clock()
        self._left = Counter(key for job in jobs.values() for key in job.reports)
        self._running: dict[int, float] = {}
        self._ends: deque[float] = deque(maxlen=_WINDOW)
        self.total = len(self._left)
        self.done: set[Key] = set()
        self.failed: set[Key] = set()

    def start(self, number: int) -> None:
        """Note that a job begins."""
        if number in self._jobs:
            self._running[number] = self._clock()

    def finish(self, number: int) -> list[Key]:
        """Note that a job succeeded; the reports that are complete by it."""
        complete = []
        for key in self._end(number):
            self._left[key] -= 1
            if not self._left[key] and key not in self.failed:
                complete.append(key)
        self.done.update(complete)
        self._ends.extend(self._clock() for _ in complete)
        return complete

    def fail(self, number: int) -> list[Key]:
        """Note that a job failed; the reports that are lost by it."""
        lost = [key for key in self._end(number) if key not in self.failed]
        self.failed.update(lost)
        self._ends.extend(self._clock() for _ in lost)
        return lost

    def drop(self, number: int) -> None:
        """Note that a job ended neither way."""
        self._end(number)

    def needs(self, key: Key) -> bool:
        """Whether the run has a job for this report."""
        return key in self._left

    def _end(self, number: int) -> tuple[Key, ...]:
        self._running.pop(number, None)
        job = self._jobs.get(number)
        return job.reports if job else ()

    @property
    def ended(self) -> int:
        return len(self.done) + len(self.failed)

    @property
    def in_progress(self) -> int:
        """Reports that a job works for."""
        return len({key for number in self._running for key in self._jobs[number].reports})

    @property
    def seconds(self) -> float:
        return self._clock() - self._began

    @property
    def per_minute(self) -> float | None:
        """Reports a minute, by the last ones; None until there are some."""
        if not self._ends:
            return None
        since = self._began if len(self._ends) < _WINDOW else self._ends[0]
        return 60 * len(self._ends) / max(self._clock() - since, 0.1)

    @property
    def seconds_left(self) -> float | None:
        rate = self.per_minute
        return None if rate is None else 60 * (self.total - self.ended) / rate

    def longest(self, number: int) -> list[tuple[str, float]]:
        """What runs longest: its label and seconds."""
        now = self._clock()
        oldest = sorted(self._running.items(), key=lambda item: item[1])[:number]
        return [(self._jobs[job].label, now - began) for job, began in oldest]
