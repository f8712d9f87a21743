"""What Snakemake has recorded of files: with which parameters each was made.

Where it has no record of a file, it sees no change of parameters. Reads and writes the files of
Snakemake 9.27.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake.io import IOFile
from snakemake.persistence import RECORD_FORMAT_VERSION, MetadataRecord
from snakemake.persistence.file import FilePersistence

from reelmake.results import missing

_UNKNOWN = ["unknown: the record was lost"]


class Records:
    """The records of the folder that Snakemake works in."""

    def __init__(self) -> None:
        self._persistence = FilePersistence(nolock=True, path=Path(".snakemake"))

    def params(self, path: Path) -> Sequence[str] | None:
        """Each as its `repr`; None where nothing is recorded."""
        params: list[str] | None = self._persistence.params(IOFile(str(path)))
        return params

    def without(self, paths: Sequence[str]) -> list[str]:
        """Those of the paths that there are no records of."""
        folder = self._persistence._metadata_path
        records = {self._persistence._record_path(folder, path): path for path in paths}
        return [records[record] for record in missing(list(records))]

    def restore(self, path: str, params: Sequence[Any] | None) -> None:
        """Record a file as made with these parameters; None: as made with others than now."""
        made_with = _UNKNOWN if params is None else sorted(map(repr, params))
        record = MetadataRecord(params=made_with, record_format_version=RECORD_FORMAT_VERSION)
        self._persistence._write_record(path, record)
