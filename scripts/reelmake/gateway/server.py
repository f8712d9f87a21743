"""The gateway's side of the socket: one command line in, its outcome out.

A client sends the words of a command, each ended by a zero byte as in /proc, and gets back one
byte, the exit code, and then what to say. Nothing smaller serves: a client that imports JSON or
HTTP costs more than all the rest of its job.
"""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from reelmake.gemini.stopping import Stopping, drain_limit_s
from reelmake.jobs import Outcome

log = logging.getLogger(__name__)

Command = Callable[[Sequence[str]], Awaitable[Outcome]]

_LONGEST_COMMAND = 1 << 20
_SAY_AGAIN_S = 10.0


class Gateway:
    """Serves the jobs of one run, until its Snakemake is gone."""

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

    async def serve(self, address: Path, *, timeout_s: float, ready: Callable[[], None]) -> None:
        """Serve at ``address``; when told to end, wait for what is being paid for, then return."""
        _allow_many_files()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        server = await asyncio.start_unix_server(
            self._connected, path=address, limit=_LONGEST_COMMAND, backlog=socket.SOMAXCONN
        )
        address.chmod(0o600)
        async with server:
            await self._listen_to_snakemake()
            ready()
            await self._ended.wait()
            await self._drain(drain_limit_s(timeout_s))

    async def _listen_to_snakemake(self) -> None:
        """Its end of the pipe is closed when it ends, in whatever way; a line says: stop soon."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

        async def listen() -> None:
            while await reader.readline():
                self._stopping.begin()
            self._end()

        self._listening = asyncio.create_task(listen())

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

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._jobs.add(task)
        try:
            words = (await reader.read()).split(b"\0")[:-1]
            name, *arguments = (os.fsdecode(word) for word in words)
            outcome = await self._commands[name](arguments)
            writer.write(bytes([outcome.exit_code]) + outcome.message.encode(errors="replace"))
            writer.close()
            await writer.wait_closed()
        except OSError:
            log.debug("a client went away before its answer")
        finally:
            if task:
                self._jobs.discard(task)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _allow_many_files() -> None:
    """Each job in flight needs a few: its client, its connection, its lock."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
