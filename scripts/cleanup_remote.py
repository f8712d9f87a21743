"""Rule cleanup_remote: delete the videos that these results have uploaded."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.cleanup import cleanup_remote
from reelmake.results import Results

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(settings: GeminiSettings, results: Results, log: Path) -> int:
    try:
        said, complete = asyncio.run(cleanup_remote(settings, results))
    except ReelmakeError as error:
        said, complete = f"{error}\n", False
    log.write_text(said, encoding="utf-8")
    sys.stdout.write(said)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(
        main(
            GeminiSettings.model_validate_json(snakemake.params.gemini),
            Results(Path(snakemake.params.results)),
            Path(snakemake.log[0]),
        )
    )
