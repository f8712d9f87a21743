"""Rule build_digest: all analyses and reports of a group → its digest."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Json

from job_arguments import arguments_of
from reelmake.analysis import read_analysis
from reelmake.digests import Group, language_of, write_digest
from reelmake.edits import told
from reelmake.jobs import JobArguments, Outcome, job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from reelmake.gemini.account import Account


class Arguments(JobArguments):
    group: Json[Group]
    analyses: list[Path]
    reports: list[Path]
    digest: Path


async def command(account: "Account | None", arguments: Mapping[str, Any]) -> Outcome:
    """With an account, Gemini writes about the whole."""
    given = Arguments.model_validate(arguments)
    with job(given.target, given.results, given.log) as outcome:
        analyses = [read_analysis(path) for path in given.analyses]
        title, language = given.group.title, language_of(analyses)
        summary = await account.summarise(title, analyses, language) if account else None
        written = write_digest(given.group, analyses, given.reports, given.digest, summary=summary)
        outcome.message = told(given.digest, written)
    return outcome


async def main(arguments: Mapping[str, Any]) -> Outcome:
    """Do it here, with an account of its own if Gemini is asked."""
    if arguments["engine"] != "gemini":
        return await command(None, arguments)
    from own_account import own_account  # noqa: PLC0415  half a second that others do without

    async with own_account(JobArguments.model_validate(arguments).results) as account:
        return await command(account, arguments)


if __name__ == "__main__":
    asyncio.run(main(arguments_of(snakemake))).exit()
