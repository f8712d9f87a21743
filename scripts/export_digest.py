"""Rule export_digest: a digest → its web page."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.digests import write_digest_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


if __name__ == "__main__":
    write_digest_page(Path(snakemake.input.digest), Path(snakemake.output.page))
