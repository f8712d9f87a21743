"""Rule build_index: all reports → index.html, summary.tsv and failures.tsv."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.index import write_index

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(results: Path, analyses: list[Path]) -> None:
    write_index(results, [(path.parent.name, path.stem) for path in analyses])


if __name__ == "__main__":
    main(Path(snakemake.params.results), [Path(path) for path in snakemake.input.analyses])
