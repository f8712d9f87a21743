"""Rule prune: list what no row of the video table wants any more, or delete it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from reelmake.pruning import prune
from reelmake.results import Results
from reelmake.targets import Target

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(results: Path, targets: list[Target], *, delete: bool) -> str:
    return prune(Results(results), targets, delete=delete)


if __name__ == "__main__":
    said = main(
        Path(snakemake.params.results),
        TypeAdapter(list[Target]).validate_json(snakemake.params.targets),
        delete=snakemake.params.delete,
    )
    Path(snakemake.log[0]).write_text(said, encoding="utf-8")
    sys.stdout.write(said)
