"""Rule analyze_video with Gemini: a video → its analysis."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Json

from reelmake.analysis import write_analysis
from reelmake.config import GeminiSettings
from reelmake.jobs import JobArguments, Outcome, job

if TYPE_CHECKING:
    from reelmake.gemini.account import Account


class Arguments(JobArguments):
    analysis: Path
    settings: Json[GeminiSettings]


async def command(account: "Account", arguments: Sequence[str]) -> Outcome:
    given = Arguments.parse(arguments)
    with job(given.target, given.results, given.log) as outcome:
        write_analysis(await account.analyse(given.target), given.analysis)
    return outcome


async def main(arguments: Sequence[str]) -> int:
    """Do it here, with an account of its own."""
    from reelmake.gemini.account import Account  # noqa: PLC0415  the gateway may not need it
    from reelmake.gemini.stopping import Stopping  # noqa: PLC0415

    given = Arguments.parse(arguments)
    stopping = Stopping()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.begin)
    account = Account(
        given.settings, given.results, run=asyncio.to_thread, stopping=stopping, alone=True
    )
    async with account:
        outcome = await command(account, arguments)
    sys.stderr.write(outcome.message)
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
