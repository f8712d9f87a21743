"""The gateway's side: lines of jobs come in, lines of how they ended go out.

A line is JSON: ``[number, script, {argument: value}]`` and `Outcome.as_reply`.
"""

import asyncio
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Self

from reelmake.errors import ReelmakeError, of_system
from reelmake.gateway.launch import STOP
from reelmake.gemini.stopping import Stopping, drain_limit_s
from reelmake.jobs import Outcome, failed
from reelmake.logs import logging_to
from reelmake.redaction import redact

log = logging.getLogger(__name__)

Command = Callable[[Mapping[str, Any]], Awaitable[Outcome]]
"""Does the job of a script."""

_LONGEST_LINE = 1 << 26  # an order of 100,000 reports
_SAY_AGAIN_S = 10.0


class Snakemake:
    """The process that started this one, at the other end of two pipes."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines
        # Whatever else is printed here, by whichever library, goes where messages go.
        self._replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    @classmethod
    async def listened_to(cls) -> Self:
        lines = asyncio.StreamReader(limit=_LONGEST_LINE)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        return cls(lines)

    async def line(self) -> str:
        """The next one, empty when Snakemake has ended, in whatever way: also amid a line."""
        line = (await self._lines.readline()).decode()
        return line.rstrip("\n") if line.endswith("\n") else ""

    def reply(self, line: str) -> None:
        try:
            self._replies.write(line + "\n")
            self._replies.flush()
        except OSError:
            log.debug("Snakemake was gone before its reply")


class Gateway:
    """Does the jobs of one run, until its Snakemake is gone."""

    def __init__(
        self,
        commands: Mapping[str, Command],
        *,
        stopping: Stopping,
        calls_in_flight: Callable[[], int],
    ) -> None:
        self._commands = commands
        self._stopping = stopping
        self._calls_in_flight = calls_in_flight
        self._jobs: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def serve(self, snakemake: Snakemake, *, timeout_s: float) -> None:
        """Do what it asks for; when it ends, wait for what is being paid for, then return."""
        _allow_many_files()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        listening = asyncio.create_task(self._listen(snakemake))
        await self._ended.wait()
        listening.cancel()
        await self._drain(drain_limit_s(timeout_s))

    async def _listen(self, snakemake: Snakemake) -> None:
        try:
            while line := await snakemake.line():
                if line == STOP:
                    self._stopping.begin()
                    continue
                job = asyncio.create_task(self._do(*json.loads(line), snakemake=snakemake))
                self._jobs.add(job)
                job.add_done_callback(self._jobs.discard)
        finally:  # whatever happened, Snakemake waits for the end of this process
            self._end()

    async def _do(
        self, number: int, script: str, arguments: Mapping[str, Any], *, snakemake: Snakemake
    ) -> None:
        try:
            outcome = await self._commands[script](arguments)
        except Exception as error:  # noqa: BLE001  Snakemake waits for the end of every job
            outcome = _crashed(script, arguments, error)
        snakemake.reply(outcome.as_reply(number))

    def _end(self) -> None:
        self._stopping.begin()
        self._ended.set()

    async def _drain(self, limit_s: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit_s
        say_s = 0.0
        while self._jobs and loop.time() < deadline:
            await asyncio.wait(self._jobs, timeout=min(say_s, deadline - loop.time()))
            in_flight = self._calls_in_flight()
            if not in_flight:
                say_s = 1.0
                continue
            _say(
                f"Waiting for {in_flight} answers that are being paid for, "
                f"{deadline - loop.time():.0f} s at most."
            )
            say_s = _SAY_AGAIN_S
        if self._calls_in_flight():
            _say(f"{self._calls_in_flight()} answers did not arrive in time.")


def _crashed(script: str, arguments: Mapping[str, Any], error: Exception) -> Outcome:
    known = of_system(error) if isinstance(error, OSError) else None
    failure = known or ReelmakeError("crashed", f"{type(error).__name__}: {error}")
    try:
        with logging_to(Path(arguments["log"])) if "log" in arguments else nullcontext():
            log.error("%s", script, exc_info=None if known else error)
        return failed(arguments, failure)
    except Exception as second:  # noqa: BLE001  where no log can be written, say
        return Outcome(redact(f"{script}: {failure}\n({second})\n"), failed=True)


def _say(text: str) -> None:
    log.info("%s", text)
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _allow_many_files() -> None:
    """Each job in flight needs a few: its connection, its video, its lock."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
