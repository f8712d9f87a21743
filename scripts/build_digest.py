"""Rule build_digest: all reports of a group → its digest and the digest's page."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.digests import Group, write_digest
from reelmake.edits import told

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    group: Group,
    analyses: list[Path],
    reports: list[Path],
    digest: Path,
    page: Path,
    *,
    link_pages: bool,
) -> None:
    written = write_digest(group, analyses, reports, digest, page, link_pages=link_pages)
    sys.stderr.write(told(digest, written))


if __name__ == "__main__":
    main(
        Group.model_validate_json(snakemake.params.group),
        [Path(path) for path in snakemake.input.analyses],
        [Path(path) for path in snakemake.input.reports],
        Path(snakemake.output.digest),
        Path(snakemake.output.page),
        link_pages=snakemake.params.link_pages,
    )
