"""Snakemake, but for the minutes that it leaves between two looks at its jobs on nodes.

Slurm's plugin waits 10 s longer each time that nothing has ended, and no option changes that.
"""

import asyncio
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def _sleep(_: RemoteExecutor) -> None:
    await asyncio.sleep(0.5)


RemoteExecutor.sleep = _sleep  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main())  # type: ignore[no-untyped-call]
