"""Deletes uploads that no report of this run needs any more: best effort, never in the way."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Sequence

from reelmake.gemini.projects import Projects
from reelmake.targets import Target

log = logging.getLogger(__name__)

_AT_ONCE = 4
# When all reports are there nobody wants to wait; what is left expires, or `cleanup_remote` has it.
_LONGEST_END_S = 5.0


class Tidying:
    """Knows by whom a video is still needed."""

    def __init__(self, projects: Projects, *, keep: bool) -> None:
        self._projects = projects
        self._keep = keep
        self._expected: Counter[str] = Counter()
        self._users: Counter[str] = Counter()
        self._failed: set[str] = set()
        # Of reports that nobody expected, as after a restart: others of their videos may come.
        self._at_the_end: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    def expect(self, targets: Sequence[Target]) -> None:
        """Reports that are going to need their videos."""
        self._expected.update(target.video for target in targets)

    @contextlib.contextmanager
    def needed(self, target: Target, sha256: str | None) -> Iterator[None]:
        """While a report is made. One that fails is tried again, so its video stays."""
        if self._keep or sha256 is None:
            yield
            return
        self._users[sha256] += 1
        expected = self._expected[target.video] > 0
        try:
            yield
        except BaseException:
            self._failed.add(sha256)
            raise
        finally:
            self._users[sha256] -= 1
            self._expected[target.video] -= expected
            if not expected:
                self._at_the_end.add(sha256)
            elif self._users[sha256] <= 0 and self._expected[target.video] <= 0:
                self._begin_to_delete(sha256)

    def _begin_to_delete(self, sha256: str) -> None:
        if sha256 not in self._failed:
            task = asyncio.create_task(self._delete(sha256))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Wait a little for what is being deleted."""
        for sha256 in self._at_the_end:
            self._begin_to_delete(sha256)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_LONGEST_END_S)
            for task in late:
                task.cancel()

    async def _delete(self, sha256: str) -> None:
        for project in self._projects.all:
            if not project.uploads.may_have(sha256):
                continue
            try:
                async with self._at_once:
                    await project.uploads.delete(sha256)
            except Exception as error:  # noqa: BLE001  it expires by itself
                log.info("an upload could not be deleted: %s", type(error).__name__)
