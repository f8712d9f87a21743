"""What the benchmarks share: the double in a process of its own, and a folder of videos."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests"), str(ROOT / "scripts")]

from gemini_double import TEST_KEY  # noqa: E402  found by the line above

PYTHON = sys.executable
SNAKEMAKE = [
    str(Path(sys.executable).with_name("snakemake")),
    *("--snakefile", str(ROOT / "Snakefile"), "--quiet", "all"),
]


@contextmanager
def double(folder: Path, **settings: Any) -> Iterator[tuple[str, Path]]:
    """Start the service's double; its URL, and the ledger that it writes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "double.json").write_text(json.dumps(settings))
    ledger = folder / "ledger.jsonl"
    ledger.unlink(missing_ok=True)
    process = subprocess.Popen(
        [
            *(PYTHON, "-m", "gemini_double"),
            *("--config", str(folder / "double.json"), "--ledger", str(ledger)),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        yield process.stdout.readline().strip(), ledger
    finally:
        process.terminate()
        process.wait()


def environment(url: str) -> dict[str, str]:
    """What a run needs to find the double."""
    return {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEYS": ""}


def records(ledger: Path, kind: str = "generate") -> list[dict[str, Any]]:
    """Requests of a kind that the double has noted."""
    lines = ledger.read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def machine() -> str:
    """The machine, in a few words."""
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"
