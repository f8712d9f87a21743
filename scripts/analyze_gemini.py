"""Rule analyze_video with Gemini: a video → its analysis."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job_arguments import arguments_of
from reelmake.analysis import write_analysis
from reelmake.jobs import JobArguments, Outcome, job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from reelmake.gemini.account import Account


class Arguments(JobArguments):
    analysis: Path


async def command(account: "Account", arguments: Mapping[str, Any]) -> Outcome:
    given = Arguments.model_validate(arguments)
    with job(given.target, given.results, given.log) as outcome:
        write_analysis(await account.analyse(given.target), given.analysis)
    return outcome


async def main(arguments: Mapping[str, Any]) -> Outcome:
    """Do it here, with an account of its own."""
    from own_account import own_account  # noqa: PLC0415  the gateway may not need it

    async with own_account(Arguments.model_validate(arguments).results) as account:
        return await command(account, arguments)


if __name__ == "__main__":
    asyncio.run(main(arguments_of(snakemake))).exit()
