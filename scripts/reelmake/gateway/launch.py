"""Snakemake's side of the gateway: start it, give it jobs, keep it going, wait for its end."""

import atexit
import contextlib
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.jobs import Outcome, failed
from reelmake.targets import Target

log = logging.getLogger(__name__)

STOP = "stop"
"""The line that lets no new call begin; every other one is a job."""

_RESTARTS = 3


class Setting(BaseModel):
    """The first line that a gateway reads: enough to get ready while Snakemake does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: Config
    processes: int
    """Most of them that decode or render at a time."""


class Order(BaseModel):
    """The second line, once it is known that there is something to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to_analyse: list[Target] = []
    """Reports whose analysis is to be made, first come first."""
    on_nodes: bool = False
    """They are made by jobs on a cluster, and only looked at here."""
    again: bool = False
    """A gateway of this run died: some of them are made, and the account was looked at."""
    at_once: int | None = None
    """So many of them have calls in flight at a time; None: as many as it is given."""


class Reply(BaseModel):
    """What the gateway says when it is ready, or why it can't serve."""

    code: str | None = None
    message: str = ""


@dataclass(frozen=True)
class _Job:
    number: int
    script: str
    arguments: Mapping[str, Any]
    ended: Callable[[Outcome], None]

    @property
    def line(self) -> str:
        return json.dumps([self.number, self.script, self.arguments])

    def end_without_gateway(self) -> None:
        times = _RESTARTS + 1
        error = ReelmakeError("gateway_died", f"the gateway died {times} times in this run")
        self.ended(failed(self.arguments, error))


class Gateway:
    """The gateway of this run: one process that does its jobs, started once more when it dies."""

    def __init__(self, program: Path, config: Config, *, cores: int | None) -> None:
        """``cores`` are those given to the run, None when its jobs run elsewhere."""
        available = _cores_here()
        self._program = program
        self._setting = Setting(config=config, processes=min(cores or available, available))
        self._process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._jobs: dict[int, _Job] = {}
        self._order = Order()
        self._draining = False
        self._closing = False
        self._dead = False

    def prepare(self) -> None:
        """Start the process, which gets ready; without an order it ends with this one."""
        self._process = self._spawned()
        atexit.register(self._end_unneeded)

    def start(self, order: Order) -> None:
        """Have it serve, once it has looked at the account for what is to be analysed.

        Raises ReelmakeError when it can't serve.
        """
        process = self._process or self._spawned()
        self._process = process
        self._order = order
        _give(process, order)
        self._listener = threading.Thread(target=self._listen, args=[process], daemon=True)
        self._listener.start()
        self.pass_on_signals()

    def ask(
        self, script: str, arguments: Mapping[str, Any], ended: Callable[[Outcome], None]
    ) -> None:
        """Have the job of a script done, with what JSON can hold.

        ``ended`` is called in another thread, unless the run is over before. When the gateway dies
        the next one does the job; when none comes back the job has failed.
        """
        job = _Job(next(self._numbers), script, arguments, ended)
        with self._lock:
            dead = self._dead
            if not dead:
                self._jobs[job.number] = job
                self._tell(job.line)
        if dead:
            job.end_without_gateway()

    def drain(self) -> None:
        """Let no new call begin. Those in flight go on, and so do their jobs."""
        with self._lock:
            self._draining = True
            self._tell(STOP)

    def close(self) -> None:
        """End it; returns when the answers in flight have arrived, or at a second Ctrl-C."""
        self._closing = True
        process = self._process
        if not process:
            return
        self._end_unneeded()
        with self._lock, contextlib.suppress(OSError):
            _input_of(process).close()
        try:
            process.wait()
            if self._listener:
                self._listener.join()
        except KeyboardInterrupt:
            sys.stderr.write("The gateway goes on until they have arrived.\n")

    def _end_unneeded(self) -> None:
        """Without an order, at once and with all that it started: it would first get ready."""
        process = self._process
        if process and not self._listener and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _spawned(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, str(self._program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Processes that it forks off find our modules by this, and by nothing else.
            env={**os.environ, "PYTHONPATH": str(self._program.parent)},
            # Ctrl-C is for Snakemake, which lets us know.
            start_new_session=True,
        )
        _write(process, self._setting.model_dump_json())
        return process

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        """Pass on how jobs ended, and have a new gateway do those that an old one left."""
        self._deliver(process)
        for _ in range(_RESTARTS):
            code = process.wait()
            if self._closing:
                return
            sys.stderr.write(f"The gateway died ({code}) and is started again.\n")
            log.warning("the gateway died (%s) and is started again", code)
            with self._lock:
                process = self._spawned()
                self._process = process
                with contextlib.suppress(ReelmakeError):
                    _give(process, self._order.model_copy(update={"again": True}))
                if self._draining:
                    self._tell(STOP)
                for job in self._jobs.values():
                    self._tell(job.line)
            self._deliver(process)
        if not self._closing:
            self._give_up()

    def _deliver(self, process: "subprocess.Popen[str]") -> None:
        with _output_of(process) as lines:
            for line in lines:
                number, outcome = Outcome.of_reply(line)
                with self._lock:
                    job = self._jobs.pop(number)
                if not self._closing:
                    job.ended(outcome)
        with self._lock, contextlib.suppress(OSError):
            _input_of(process).close()

    def _give_up(self) -> None:
        with self._lock:
            self._dead = True
            jobs = list(self._jobs.values())
            self._jobs.clear()
        for job in jobs:
            job.end_without_gateway()

    def _tell(self, line: str) -> None:
        if self._process:
            _write(self._process, line)

    def pass_on_signals(self) -> None:
        """Hear of Ctrl-C and SIGTERM before Snakemake does."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)

            def handle(number: int, frame: FrameType | None, before: Any = before) -> None:
                # In a thread: the main one, which runs this, may hold our lock just now.
                threading.Thread(target=self.drain, daemon=True).start()
                if callable(before):
                    before(number, frame)

            signal.signal(number, handle)


def _give(process: "subprocess.Popen[str]", order: Order) -> None:
    _write(process, order.model_dump_json())
    line = _output_of(process).readline()
    reply = Reply.model_validate_json(line) if line else Reply(code="crashed")
    if reply.code is not None:
        process.wait()
        raise ReelmakeError(reply.code, reply.message or "the gateway could not be started")


def _cores_here() -> int:
    """Those that this process may use; not every system tells them from all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _write(process: "subprocess.Popen[str]", line: str) -> None:
    """A gateway that is gone hears nothing, which its end says by itself."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: its end was noticed already
        _input_of(process).write(line + "\n")
        _input_of(process).flush()


def _input_of(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdin is not None  # noqa: S101  it was asked for
    return process.stdin


def _output_of(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None  # noqa: S101  it was asked for
    return process.stdout
