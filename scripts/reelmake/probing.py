"""Looking into many videos at once, in processes apart: hostile bytes may crash or hang them.

The processes are started by one of their own (this module, run with ``python -c``), which has
nothing else loaded: neither Snakemake nor this run's threads come with them.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import asdict
from pathlib import Path

from reelmake.errors import ReelmakeError
from reelmake.forking import fork_server
from reelmake.memory import limit_memory
from reelmake.probes import Probe, Unusable

TIMEOUT_S = 60.0
_SHOW_AFTER_S = 1.0
_PLAIN_EVERY_S = 10.0
_PACKAGES = Path(__file__).parents[1]
_START = "from reelmake import probing; probing.main()"


def probe_all(
    paths: Sequence[str], *, timeout_s: float = TIMEOUT_S
) -> Iterator[tuple[str, Probe | Unusable, bool]]:
    """Each path with what it is, and whether that is worth remembering, in order.

    A file that crashes the process that opens it, or keeps it busy for longer than ``timeout_s``,
    is unusable, and the others go on.
    """
    command = [sys.executable, "-P", "-c", _START, str(timeout_s)]
    process = subprocess.Popen(  # noqa: S603  this interpreter, our own code
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is this process's to handle
        # Processes that it forks off find our modules by this, and by nothing else.
        env={**os.environ, "PYTHONPATH": str(_PACKAGES)},
    )
    if process.stdin is None or process.stdout is None:  # never: both are pipes
        return
    try:
        with contextlib.suppress(BrokenPipeError), process.stdin:
            json.dump(list(paths), process.stdin)
        done = 0
        for path, line in zip(paths, _with_progress(process.stdout, len(paths)), strict=False):
            yield (path, *_read(line))
            done += 1
        if done < len(paths):
            message = f"the process that looks into videos ended early ({process.wait()})"
            raise ReelmakeError("crashed", message)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # with all that it started
        process.wait()
        process.stdout.close()


def main() -> None:
    """Read paths from standard input, write one line of JSON for each to standard output."""
    from pebble import ProcessPool  # noqa: PLC0415  only this process needs it

    logging.disable()
    _silence_workers()
    paths = json.load(sys.stdin)
    workers = max(1, min(len(paths), os.cpu_count() or 1, 32))
    context = fork_server(["reelmake.media"])  # FFmpeg, loaded once
    with ProcessPool(workers, max_tasks=2000, initializer=limit_memory, context=context) as pool:
        results = pool.map(_look_into, paths, timeout=float(sys.argv[1])).result()
        for _ in paths:
            try:
                found = next(results)
            except TookTooLong:
                seconds = float(sys.argv[1])
                found = {"problem": "video_unreadable", "message": f"no end after {seconds:.0f} s"}
            except Exception as error:  # noqa: BLE001  the process died, whatever of
                message = f"looking into it ended the process ({type(error).__name__})"
                found = {"problem": "video_unreadable", "message": message}
            try:
                sys.stdout.write(json.dumps(found) + "\n")
                sys.stdout.flush()
            except BrokenPipeError:  # who asked was killed
                os._exit(1)


def _silence_workers() -> None:
    """One that still starts when the last video has been looked into would show a stack."""
    sys.stderr = os.fdopen(os.dup(2), "w")  # this process alone goes on with it
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _look_into(path: str) -> dict[str, object]:
    from reelmake.media import probe  # noqa: PLC0415  FFmpeg is loaded only where videos are opened

    try:
        return {"probe": asdict(probe(Path(path)))}
    except ReelmakeError as error:
        # What may be read is no matter of the file's size and time, by which it is remembered.
        lasting = error.code != "video_forbidden"
        return {"problem": error.code, "message": error.message, "lasting": lasting}
    except Exception as error:  # noqa: BLE001  whatever a strange file raises, it is that file's
        return {"problem": "video_unreadable", "message": f"{type(error).__name__}: {error}"}


def _read(line: str) -> tuple[Probe | Unusable, bool]:
    found = json.loads(line)
    if "probe" in found:
        return Probe(**found["probe"]), True
    return Unusable(found["problem"], found["message"]), bool(found.get("lasting"))


def _with_progress(lines: Iterator[str], total: int) -> Iterator[str]:
    """Pass lines on; say on standard error how far it is, once it takes longer than a moment."""
    terminal = sys.stderr.isatty()
    every_s = 0.2 if terminal else _PLAIN_EVERY_S
    began, due, told = 0.0, 0.0, False
    for number, line in enumerate(lines, 1):
        yield line
        now = time.monotonic()
        if number == 1:  # before it, only the processes start
            began, due = now, now + _SHOW_AFTER_S
        elif now >= due or (told and number == total):
            left_s = (now - began) / (number - 1) * (total - number)
            text = f"looking into videos: {number:,} of {total:,}, {left_s:.0f} s left"
            sys.stderr.write(f"\r{text}\x1b[K" if terminal else f"{text}\n")
            sys.stderr.flush()
            due, told = now + every_s, True
    if told and terminal:
        sys.stderr.write("\n")
