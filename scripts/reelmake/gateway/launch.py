"""Snakemake's side of the gateway: start it, keep it going, tell it to stop, wait for its end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.targets import Target

ADDRESS = "REELMAKE_GATEWAY"
"""The environment variable that tells jobs where the gateway is."""

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

    address: Path
    to_analyse: list[Target]
    """Reports whose analysis is to be made, first come first."""


class Reply(BaseModel):
    """What the gateway says when it is ready, or why it can't serve."""

    code: str | None = None
    message: str = ""


class Gateway:
    """The gateway of this run: one process, started once more when it dies."""

    def __init__(self, program: Path, config: Config, *, cores: int | None) -> None:
        """``cores`` are those given to the run, None when its jobs run elsewhere."""
        available = _cores_here()
        self._program = program
        self._setting = Setting(config=config, processes=min(cores or available, available))
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._closing = False

    def prepare(self) -> None:
        """Start the process, which gets ready; without an order it ends with this one."""
        self._process = self._spawned()

    def start(self, to_analyse: Sequence[Target]) -> None:
        """Have it serve, once it has looked at the account for what is to be analysed.

        Raises ReelmakeError when it can't serve.
        """
        # Private: nobody else can reach a socket in it.
        self._folder = tempfile.TemporaryDirectory(prefix="reelmake-", ignore_cleanup_errors=True)
        address = Path(self._folder.name) / "gateway"
        order = Order(address=address, to_analyse=list(to_analyse))
        self._process = self._process or self._spawned()
        self._give(order)
        os.environ[ADDRESS] = str(address)
        threading.Thread(target=self._restart_when_it_dies, args=[order], daemon=True).start()
        self.pass_on_signals()

    def drain(self) -> None:
        """Let no new call begin. Those in flight go on, and so do their jobs."""
        if self._process:
            _tell(self._process, "stop")

    def close(self) -> None:
        """End it; returns when the answers in flight have arrived, or at a second Ctrl-C."""
        if not self._process:
            return
        self._closing = True
        os.environ.pop(ADDRESS, None)
        with contextlib.suppress(OSError):
            _input_of(self._process).close()
        try:
            self._process.wait()
        except KeyboardInterrupt:
            sys.stderr.write("The gateway goes on until they have arrived.\n")
            return
        if self._folder:
            self._folder.cleanup()

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
        _tell(process, self._setting.model_dump_json())
        return process

    def _give(self, order: Order) -> None:
        process = self._process or self._spawned()
        _tell(process, order.model_dump_json())
        line = process.stdout.readline() if process.stdout else ""
        reply = Reply.model_validate(json.loads(line)) if line else Reply(code="crashed")
        if reply.code is not None:
            process.wait()
            raise ReelmakeError(reply.code, reply.message or "the gateway could not be started")

    def _restart_when_it_dies(self, order: Order) -> None:
        again = order.model_copy(update={"to_analyse": []})
        for _ in range(_RESTARTS):
            code = self._process.wait() if self._process else 0
            if self._closing:
                return
            sys.stderr.write(f"The gateway died ({code}) and is started again.\n")
            order.address.unlink(missing_ok=True)
            self._process = self._spawned()
            with contextlib.suppress(ReelmakeError):
                self._give(again)

    def pass_on_signals(self) -> None:
        """Hear of Ctrl-C and SIGTERM before Snakemake does."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)

            def handle(number: int, frame: FrameType | None, before: Any = before) -> None:
                self.drain()
                if number == signal.SIGTERM and callable(before):
                    # Snakemake's own takes a lock that the main thread, which runs this, may hold
                    # just now: there it would wait for itself for ever (9.27).
                    threading.Thread(target=before, args=(number, None), daemon=True).start()
                elif callable(before):
                    before(number, frame)

            signal.signal(number, handle)


def _cores_here() -> int:
    """Those that this process may use; not every system tells them from all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    """A gateway that is gone hears nothing, which its end says by itself.

    Nor does one while a signal comes in the middle of another line; the end of the run follows.
    """
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        _input_of(process).write(line + "\n")
        _input_of(process).flush()


def _input_of(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdin is not None  # noqa: S101  it was asked for
    return process.stdin
