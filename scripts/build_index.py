"""Rule build_index: all reports → index.html, summary.tsv and failures.tsv."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.index import write_index

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(results: Path, targets: list[tuple[str, str]]) -> None:
    write_index(results, targets)


if __name__ == "__main__":
    main(Path(snakemake.params.results), snakemake.params.targets)
