"""Rule build_index: all reports → index.html, summary.tsv and failures.tsv."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.index import write_index
from reelmake.pages import refresh_report_page
from reelmake.results import Results

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(results: Path, analyses: list[Path], digests: list[Path]) -> None:
    targets = [(path.parent.name, path.stem) for path in analyses]
    for template, name in targets:
        report = Results(results).report(template, name)
        refresh_report_page(
            report, Results(results).page(template, name), index=results / "index.html"
        )
    write_index(results, targets, digests=list(dict.fromkeys(path.stem for path in digests)))


if __name__ == "__main__":
    main(
        Path(snakemake.params.results),
        [Path(path) for path in snakemake.input.analyses],
        [Path(path) for path in snakemake.input.digests],
    )
