"""Jobs that a run before this one has left in Slurm, because it was killed."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_POLL_S = 3.0
_SAY_AGAIN_S = 300.0
_ANSWER_S = 60.0


def wait_for_jobs_left(folder: Path, prefix: str, *, tell: Callable[[str], object]) -> None:
    """Return once no job that was submitted from ``folder`` under this name's prefix is left.

    A queue that can't be asked is told, and not waited for.
    """
    said_at = float("-inf")
    while jobs := _jobs_left(folder, prefix, tell):
        if time.monotonic() - said_at >= _SAY_AGAIN_S:
            tell(
                f"{len(jobs)} jobs of an earlier run here are still in Slurm, and are waited for. "
                f"Not to wait: `scancel {' '.join(jobs)}`; a call that is being paid for is lost.\n"
            )
            said_at = time.monotonic()
        time.sleep(_POLL_S)


def _jobs_left(folder: Path, prefix: str, tell: Callable[[str], object]) -> list[str]:
    command = ["squeue", "--me", "--noheader", "--format=%i %j %Z"]
    try:
        queue = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_ANSWER_S
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        tell(f"Whether an earlier run left jobs in Slurm is not known: {error}\n")
        return []
    rows = [row.split(maxsplit=2) for row in queue.splitlines()]
    return [
        number
        for number, name, where in rows
        if name.startswith(f"{prefix}_") and Path(where).resolve() == folder.resolve()
    ]
