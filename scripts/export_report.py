"""Rule export_report: a report and its analysis → the report in another format."""

import sys
from collections.abc import Sequence
from pathlib import Path

from reelmake.exports.export import export
from reelmake.jobs import JobArguments, Outcome, job


class Arguments(JobArguments):
    report: Path
    analysis: Path
    document: Path


def command(arguments: Sequence[str]) -> Outcome:
    given = Arguments.parse(arguments)
    with job(given.target, given.results, given.log, beside=True) as outcome:
        export(given.report, given.analysis, given.document)
    return outcome


if __name__ == "__main__":
    command(sys.argv[1:]).exit()
