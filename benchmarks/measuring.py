"""Wall time, CPU time and memory of a command with everything that it starts."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_S = 0.2
_DAEMONS = ("forkserver", "resource_tracker")


@dataclass
class Measured:
    """One command. Seconds; by a word of the command line, MB at the peak and CPU seconds."""

    code: int
    wall_s: float
    cpu_s: float
    peak_mb: dict[str, float] = field(default_factory=dict)
    cpu_s_of: dict[str, float] = field(default_factory=dict)


def measure(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], watch: Sequence[str]
) -> Measured:
    """Run a command to its end.

    The kernel adds up what a process and the children that it waited for used; daemons that
    nobody waits for are sampled by their working folder. ``watch`` are words in the command lines
    of those whose share is wanted.
    """
    began = time.monotonic()
    with Path(folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sampler = _Sampler(folder, watch)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - began
    sampler.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    daemons_s = sum(sampler.cpu_s(word) for word in _DAEMONS)
    return Measured(
        process.returncode,
        wall_s,
        usage.ru_utime + usage.ru_stime + daemons_s,
        sampler.peak_mb,
        {word: sampler.cpu_s(word) for word in watch} | {"daemons": daemons_s},
    )


class _Sampler(threading.Thread):
    def __init__(self, folder: Path, watch: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._folder = folder.resolve()
        self._words = [*watch, *_DAEMONS]
        self._cpu_s: dict[tuple[str, int], float] = {}
        self._done = threading.Event()
        self.peak_mb: dict[str, float] = {}

    def run(self) -> None:
        while not self._done.wait(_SAMPLE_S):
            for path in Path("/proc").glob("[0-9]*"):
                try:
                    if (path / "cwd").resolve() == self._folder:
                        self._sample(path)
                except OSError:
                    continue

    def stop(self) -> None:
        self._done.set()
        self.join()

    def cpu_s(self, word: str) -> float:
        """CPU that processes with this word in their command line had used when last seen."""
        return sum(seconds for (name, _), seconds in self._cpu_s.items() if name == word)

    def _sample(self, path: Path) -> None:
        line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        word = next((word for word in self._words if word in line), None)
        peak = re.search(r"^VmHWM:\s*(\d+) kB", (path / "status").read_text(), re.MULTILINE)
        if not word or not peak:
            return
        self.peak_mb[word] = max(self.peak_mb.get(word, 0.0), int(peak[1]) / 1024)
        fields = (path / "stat").read_text().rpartition(")")[2].split()
        self._cpu_s[word, int(path.name)] = (int(fields[11]) + int(fields[12])) / _TICKS
