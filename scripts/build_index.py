"""Rule build_index: all reports → index.html, summary.tsv and failures.tsv."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from job_arguments import arguments_of
from reelmake.index import write_index
from reelmake.jobs import Outcome
from reelmake.pages import refresh_report_page
from reelmake.results import Results

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


class Arguments(BaseModel):
    results: Path
    reports: list[Path]
    digests: list[Path]
    language: str


def main(results: Path, reports: list[Path], digests: list[Path], language: str) -> None:
    targets = [(report.parent.name, report.stem) for report in reports]
    for report, target in zip(reports, targets, strict=True):
        page = Results(results).page(*target)
        refresh_report_page(report, page, index=results / "index.html")
    names = list(dict.fromkeys(path.stem for path in digests))
    write_index(results, targets, digests=names, language=language)


def command(arguments: Mapping[str, Any]) -> Outcome:
    given = Arguments.model_validate(arguments)
    main(given.results, given.reports, given.digests, given.language)
    return Outcome()


if __name__ == "__main__":
    command(arguments_of(snakemake)).exit()
