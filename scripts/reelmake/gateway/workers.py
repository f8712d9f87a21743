"""Processes for what decodes, renders or checks: what breaks there breaks nothing else."""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as TooLong
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from reelmake.errors import ReelmakeError
from reelmake.forking import fork_server
from reelmake.memory import limit_memory

Result = TypeVar("Result")

# Hours of video are decoded in far less; what takes longer never ends.
_TIMEOUT_S = 3600.0
# Imported once, before the processes that need them are forked off.
_PRELOADED = [
    "reelmake.facts",
    "reelmake.frames",  # and with it FFmpeg
    "reelmake.gemini.validation",
    "reelmake.index",
    "reelmake.jobs",
    "reelmake.report",
    "reelmake.templates",
]


class Workers:
    """A pool of processes that end with this one, also when it is killed."""

    def __init__(self, count: int) -> None:
        self._without_haste = asyncio.Semaphore(count)
        self._pool = ProcessPool(
            max_workers=count,
            context=fork_server(_PRELOADED),
            initializer=_begin,
        )

    def __enter__(self) -> Self:
        self._pool.schedule(os.getpid)  # starts them now rather than with the first job
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    async def run(self, function: Callable[..., Result], /, *arguments: Any) -> Result:
        """Await ``function(*arguments)``, done by one of the processes.

        Raises what it raises, and ReelmakeError ``worker_died`` when the process crashed or took
        over an hour.
        """
        future = self._pool.schedule(function, args=arguments, timeout=_TIMEOUT_S)
        try:
            result: Result = await asyncio.wrap_future(future)
        except TooLong:
            raise ReelmakeError("worker_died", "it took over an hour") from None
        except ProcessExpired as error:
            what = f"the process that worked on it died ({error.exitcode})"
            raise ReelmakeError("worker_died", what) from None
        return result

    async def run_without_haste(
        self, function: Callable[..., Result], /, *arguments: Any
    ) -> Result:
        """The same for what nothing waits for: others need not stand in line behind it."""
        async with self._without_haste:
            return await self.run(function, *arguments)


def _begin() -> None:
    limit_memory()
    _end_with_parent()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
