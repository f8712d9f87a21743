"""Rule analyze_video with Gemini: a video → its analysis."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job_arguments import arguments_of
from reelmake.analysis import write_analysis
from reelmake.config import GeminiSettings
from reelmake.jobs import JobArguments, Outcome, job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from reelmake.gemini.account import Account

SETTINGS = "REELMAKE_GEMINI_SETTINGS"
"""The environment variable with the settings of a job that is done without a gateway.

Not among its params, so that how fast one asks makes no report out of date.
"""


class Arguments(JobArguments):
    analysis: Path


async def command(account: "Account", arguments: Mapping[str, Any]) -> Outcome:
    given = Arguments.model_validate(arguments)
    with job(given.target, given.results, given.log) as outcome:
        write_analysis(await account.analyse(given.target), given.analysis)
    return outcome


async def main(arguments: Mapping[str, Any]) -> Outcome:
    """Do it here, with an account of its own."""
    from reelmake.gemini.account import Account  # noqa: PLC0415  the gateway may not need it
    from reelmake.gemini.stopping import Stopping  # noqa: PLC0415

    settings = GeminiSettings.model_validate_json(os.environ[SETTINGS])
    stopping = Stopping()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.begin)
    results = Arguments.model_validate(arguments).results
    account = Account(settings, results, run=asyncio.to_thread, stopping=stopping)
    async with account:
        return await command(account, arguments)


if __name__ == "__main__":
    asyncio.run(main(arguments_of(snakemake))).exit()
