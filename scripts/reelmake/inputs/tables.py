"""Reading lists and tables as people and spreadsheets write them; each row with its line."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

TABLE_SUFFIXES = frozenset({".txt", ".csv", ".tsv"})
COLUMNS = ("video", "name", "template", "language", "priority", "start", "end", "tags")
_DELIMITERS = ",;\t|"
# What spreadsheets on Windows write when they are not asked for Unicode: Western and Chinese.
_OLD_ENCODINGS = ["cp1252", "gb18030"]


class TableRow(NamedTuple):
    """A row: the line that it begins on, its cells by column name, and what is wrong with it."""

    line: int
    cells: dict[str, str]
    problem: str | None = None
    has_columns: bool = False
    """Whether it could say more than the video."""


class TableError(Exception):
    """The table as a whole can't be read; ``line`` is where, when that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def read_table(path: Path) -> Iterator[TableRow]:
    """The rows of a .csv or .tsv table, or of a .txt list, which may have columns too.

    Known columns come under their names in COLUMNS, others under their own. Blank lines and those
    that begin with ``#`` are left out. Raises TableError, and OSError when it can't be read.
    """
    lines = re.split("\r\n|\r|\n", _text(path.read_bytes()))
    said = re.fullmatch(r"sep=(.)", lines[0].strip('" '), re.IGNORECASE)
    skipped = 1 if said else 0
    header = _first_line(lines[skipped:])
    delimiter = said[1] if said else _delimiter(header, path.suffix.lower())
    if path.suffix.lower() == ".txt" and "video" not in map(_column, header.split(delimiter)):
        yield from _list(lines)
        return
    records = _records(lines[skipped:], delimiter, first=skipped + 1)
    line, header_cells = next(records, (1, []))
    names = _columns(header_cells, line)
    for start, cells in records:
        if any(cell.strip() for cell in cells):
            yield _row(start, names, cells)


def _row(line: int, names: list[str], cells: list[str]) -> TableRow:
    found = {
        name: cell.strip()
        for name, cell in zip(names, cells, strict=False)
        if name and cell.strip()
    }
    problem = None
    if any(cell.strip() for cell in cells[len(names) :]):
        problem = (
            f"{len(cells)} cells where the header has {len(names)}; "
            "a cell that holds a delimiter needs quotes around it"
        )
    elif "video" not in found:
        problem = "no video: the cell is empty"
    return TableRow(line, found, problem, has_columns=len(names) > 1)


def _text(data: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return _decoded(data, encoding)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        guess = None if b"\0" in data else from_bytes(data, cp_isolation=_OLD_ENCODINGS).best()
        if guess is None:
            raise TableError("is no text that can be read; save it as CSV in UTF-8") from None
        return str(guess)
    if "\0" in text:  # UTF-16 without its mark; or no text at all
        raise TableError("is no text that can be read; save it as CSV in UTF-8")
    return text


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(f"is not {encoding} as its first bytes say: {error.reason}") from None


def _list(lines: list[str]) -> Iterator[TableRow]:
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield TableRow(number, {"video": entry})


def _first_line(lines: list[str]) -> str:
    return next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")


def _delimiter(header: str, suffix: str) -> str:
    """The one that makes the most columns of the header; in a .tsv it is the tab."""
    unquoted = re.sub(r'"[^"]*"', "", header)
    return "\t" if suffix == ".tsv" else max(_DELIMITERS, key=unquoted.count)


def _records(lines: list[str], delimiter: str, *, first: int) -> Iterator[tuple[int, list[str]]]:
    """Cells of each record with the line it begins on; a quoted cell may hold line breaks."""
    number, start = first - 1, first
    at_start = True

    def source() -> Iterator[str]:
        nonlocal number, start, at_start
        for line in lines:
            number += 1
            if at_start:
                start = number
                if line.lstrip().startswith("#"):
                    yield "\n"
                    continue
                at_start = False
            yield line + "\n"

    reader = csv.reader(source(), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            at_start = True
            if any(cell.strip() for cell in cells):
                yield start, cells
    except csv.Error as error:
        reason = "a quoted cell is never closed" if "end of data" in str(error) else str(error)
        raise TableError(reason, start) from None


def _columns(header: list[str], line: int) -> list[str]:
    """The header with known columns under their own names. Raises TableError."""
    names = [_column(cell) if _column(cell) in COLUMNS else cell.strip() for cell in header]
    known = [name for name in names if name in COLUMNS]
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise TableError(f"has two columns {repeated[0]!r}", line)
    for name in names:
        meant = _near_miss(_column(name)) if name not in COLUMNS else None
        if meant and meant not in known:
            raise TableError(f"has a column {name!r}; did you mean {meant!r}?", line)
    if "video" not in names:
        found = ", ".join(repr(name) for name in names if name) or "nothing"
        raise TableError(f"has no column 'video' in its header; found {found}", line)
    return names


def _column(cell: str) -> str:
    return cell.strip().strip('"').strip().casefold()


def _near_miss(name: str) -> str | None:
    """The column that was probably meant: letters swapped, or one too many or too few."""
    return next((column for column in COLUMNS if _is_slip(name, column)), None)


def _is_slip(name: str, column: str) -> bool:
    if name == column or len(column) < 4:
        return False
    if sorted(name) == sorted(column):
        return name[0] == column[0]
    longer, shorter = sorted((name, column), key=len, reverse=True)
    return len(longer) - len(shorter) == 1 and any(
        longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer))
    )
