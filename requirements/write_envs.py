"""Write envs/*.yaml (for `snakemake --sdm conda`) from the lock files: part of `make lock`."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def pins(lock: Path) -> list[str]:
    """Read ``name==version`` with its marker, if it has one, of every package in a lock file."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [line.rstrip(" \\") for line in lines if re.match(r"[A-Za-z0-9]", line)]


def environment(lock: Path) -> str:
    """Return the text of the conda environment that installs what the lock file pins."""
    content = {
        "channels": ["conda-forge"],
        "dependencies": ["python=3.11", "pip", {"pip": pins(lock)}],
    }
    comment = f"# Made by `make lock` from requirements/{lock.name}.\n"
    return comment + yaml.safe_dump(content, sort_keys=False, width=1000)


if __name__ == "__main__":
    for engine in ("gemini", "local"):
        text = environment(ROOT / f"requirements/{engine}.txt")
        (ROOT / f"envs/{engine}.yaml").write_text(text, encoding="utf-8")
