"""What the cells of a row say; whatever can't be understood becomes a problem of that row."""

import re
from collections.abc import Callable
from typing import TypeVar

from reelmake.inputs.mentions import Mention, Problem
from reelmake.inputs.tables import COLUMNS, TableRow
from reelmake.timestamps import format_clock, parse_clock

Value = TypeVar("Value")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
_SEPARATORS = re.compile(r"[,;，；、\n]")


def mention_of(row: TableRow, where: str) -> Mention:
    """The row as a mention; its ``video`` is still as written in the cell."""
    problems = [row.problem] if row.problem else []

    def read(column: str, parse: Callable[[str], Value], default: Value) -> Value:
        try:
            return parse(row.cells[column]) if column in row.cells else default
        except ValueError as error:
            problems.append(f"{column}: {error}")
            return default

    start_s = read("start", _seconds, None)
    end_s = read("end", _seconds, None)
    if end_s is not None and end_s <= (start_s or 0.0):
        start = format_clock(start_s or 0.0)
        problems.append(f"end: expected a time after {start}, found {format_clock(end_s)}")
        start_s = end_s = None
    return Mention(
        video=row.cells.get("video", ""),
        where=where,
        name=row.cells.get("name"),
        templates=read("template", _listed, ()),
        languages=read("language", _languages, ()),
        priority=read("priority", _whole_number, 0),
        start_s=start_s,
        end_s=end_s,
        tags=read("tags", _listed, ()),
        extra={name: cell for name, cell in row.cells.items() if name not in COLUMNS},
        explicit=row.has_columns,
        problems=tuple(Problem("row_unusable", problem) for problem in problems),
    )


def _listed(cell: str) -> tuple[str, ...]:
    """``a; b`` or ``a, b``: each once, in order."""
    parts = (part.strip() for part in _SEPARATORS.split(cell))
    return tuple(dict.fromkeys(part for part in parts if part))


def _languages(cell: str) -> tuple[str, ...]:
    for language in _listed(cell):
        if not _LANGUAGE.fullmatch(language):
            raise ValueError(f"expected a tag such as en or zh-CN, found {language!r}")
    return _listed(cell)


def _whole_number(cell: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,9}(\.0+)?", cell):
        raise ValueError(f"expected a whole number, found {cell!r}")
    return int(float(cell))


def _seconds(cell: str) -> float | None:
    if re.fullmatch(r"\d{1,7}([.,]\d+)?", cell):
        return float(cell.replace(",", "."))
    try:
        return parse_clock(cell)
    except ValueError:
        raise ValueError(f"expected seconds, MM:SS or H:MM:SS, found {cell!r}") from None
