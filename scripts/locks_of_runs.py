"""A Snakemake that ends takes away its own locks only (Snakemake 9.27 takes away all there are).

Internals, so the version is pinned and tests/workflow/test_environment.py watches them.
"""

from pathlib import Path
from typing import Any

from snakemake.persistence.file import FilePersistence


def keep_locks_of_others() -> None:
    """Else `status`, asked while a run goes on, would let a second run into the same folder."""
    replaced: Any = FilePersistence
    replaced.cleanup_locks = FilePersistence._delete_locks  # for --unlock: all
    replaced.unlock = _take_away_own


def _take_away_own(persistence: FilePersistence) -> None:
    for path in persistence._lockfile.values():
        Path(path).unlink(missing_ok=True)
    persistence._lockfile.clear()
