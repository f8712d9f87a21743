"""Rule render_report: an analysis and its frames → the Markdown report and its page."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job_arguments import arguments_of
from reelmake.analysis import read_analysis
from reelmake.edits import signed, told, write_report
from reelmake.frames import pictures_in
from reelmake.jobs import JobArguments, Outcome, job
from reelmake.pages import write_report_page
from reelmake.report import render_report
from reelmake.targets import Target, is_url
from reelmake.templates import load_template

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


class Arguments(JobArguments):
    analysis: Path
    frames: list[Path]
    """One folder, unless no pictures are wanted."""
    report: Path
    page: Path


def main(target: Target, analysis: Path, report: Path, *, frames: Path | None) -> str:
    """What the user is to be told, if anything."""
    text = render_report(
        read_analysis(analysis),
        load_template(target.template),
        source_link=_link_to(target.source or target.video, report.parent),
        frames=pictures_in(frames, relative_to=report.parent) if frames else [],
        tags=target.tags,
        extra=target.extra,
    )
    return told(report, write_report(report, signed(text)))


def _link_to(video: str, folder: Path) -> str:
    return video if is_url(video) else os.path.relpath(video, folder)


def command(arguments: Mapping[str, Any]) -> Outcome:
    given = Arguments.model_validate(arguments)
    with job(given.target, given.results, given.log) as outcome:
        folder = given.frames[0] if given.frames else None
        outcome.message = main(given.target, given.analysis, given.report, frames=folder)
        write_report_page(given.report, given.page, index=given.results.root / "index.html")
    return outcome


if __name__ == "__main__":
    command(arguments_of(snakemake)).exit()
