"""Rule doctor: whether everything is there that a run needs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.config import Config
from reelmake.doctor import findings
from reelmake.translation import ENGLISH, say_on_terminal

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(config: Config, log: Path) -> int:
    say = say_on_terminal()
    with log.open("w", encoding="utf-8") as file:
        failed = False
        for finding in findings(config):
            failed |= finding.mark == "fail"
            file.write(f"{finding.told(ENGLISH)}\n")
            sys.stdout.write(f"{finding.told(say)}\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Config.model_validate_json(snakemake.params.config), Path(snakemake.log[0])))
