"""Rule build_digest: all analyses and reports of a group → its digest."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.digests import Group, write_digest
from reelmake.edits import told

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(group: Group, analyses: list[Path], reports: list[Path], digest: Path) -> None:
    sys.stderr.write(told(digest, write_digest(group, analyses, reports, digest)))


if __name__ == "__main__":
    main(
        Group.model_validate_json(snakemake.params.group),
        [Path(path) for path in snakemake.input.analyses],
        [Path(path) for path in snakemake.input.reports],
        Path(snakemake.output.digest),
    )
