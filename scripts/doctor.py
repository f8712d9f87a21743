"""Rule doctor: whether everything is there that a run needs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.config import Config
from reelmake.doctor import findings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(config: Config, log: Path) -> int:
    with log.open("w", encoding="utf-8") as file:
        failed = False
        for finding in findings(config):
            failed |= finding.mark == "fail"
            file.write(f"{finding}\n")
            sys.stdout.write(f"{finding}\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Config.model_validate_json(snakemake.params.config), Path(snakemake.log[0])))
