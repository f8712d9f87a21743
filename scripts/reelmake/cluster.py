"""What a run on a cluster has to look at before its first job."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from reelmake.config import Config
from reelmake.errors import ReelmakeError

_POLL_S = 3.0
_SAY_AGAIN_S = 300.0
_ANSWER_S = 60.0


def check_limits(config: Config, *, tell: Callable[[str], object]) -> None:
    """Who sets a budget or quotas relies on them: on nodes, no job knows what the others do.

    Raises ReelmakeError ``budget_on_nodes``.
    """
    gemini = config.gemini
    if (gemini.rpm or gemini.tpm) and not gemini.quota_store:
        tell(
            "Each job on a node keeps `gemini.rpm` and `gemini.tpm` for itself alone; "
            "`gemini.quota_store` has them share the quotas: docs/cluster.md.\n"
        )
    if config.budget_usd is not None:
        raise ReelmakeError(
            "budget_on_nodes",
            f"`budget_usd: {config.budget_usd:g}` can't be held by jobs on nodes, "
            "which don't know what the others spend",
        )


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
