"""Rule export_report: a report and its analysis → the report in another format."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job_arguments import arguments_of
from reelmake.exports.export import export
from reelmake.jobs import JobArguments, Outcome, job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


class Arguments(JobArguments):
    report: Path
    analysis: Path
    document: Path


def command(arguments: Mapping[str, Any]) -> Outcome:
    given = Arguments.model_validate(arguments)
    with job(given.target, given.results, given.log, beside=True) as outcome:
        export(given.report, given.analysis, given.document)
    return outcome


if __name__ == "__main__":
    command(arguments_of(snakemake)).exit()
