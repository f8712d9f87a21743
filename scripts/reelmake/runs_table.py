"""The last runs as a table of the index page, which each run puts there when it ends."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reelmake.files import write_atomically
from reelmake.results import Results
from reelmake.runs.record import RunRecord, read_runs
from reelmake.translation import Say, say_in
from reelmake.web_page import render_part

_SHOWN = 10
# Text of reports is escaped: only we write these.
_BEGINNING, _END = "<!-- last runs -->", "<!-- end of last runs -->"
_TABLE = re.compile(f"{_BEGINNING}.*?{_END}", re.DOTALL)
_LANGUAGE = re.compile(r'<html lang="([^"]*)"')


@dataclass(frozen=True)
class _Row:
    started: str
    ending: str
    built: int
    failed: int
    usd: float
    rate: float | None
    width_usd: float
    width_rate: float


def runs_table(records: Sequence[RunRecord], say: Say) -> Markup:
    """Render the newest runs that have ended, newest first; the bars are relative to the most."""
    newest = [record for record in records if record.ending != "running"][: -_SHOWN - 1 : -1]
    dearest = max((_usd(record) for record in newest), default=0) or 1
    fastest = max((record.reports_per_minute or 0 for record in newest), default=0) or 1
    rows = [
        _Row(
            started=record.started,
            ending=record.ending,
            built=record.reports.done,
            failed=record.reports.failed,
            usd=_usd(record),
            rate=record.reports_per_minute,
            width_usd=round(100 * _usd(record) / dearest, 1),
            width_rate=round(100 * (record.reports_per_minute or 0) / fastest, 1),
        )
        for record in newest
    ]
    return Markup(f"{_BEGINNING}\n{render_part('runs', runs=rows, say=say)}{_END}")  # noqa: S704  escaped there


def refresh_runs_table(results: Results) -> None:
    """Bring the table of a page that is there up to date, without looking at any report."""
    index = results.root / "index.html"
    with contextlib.suppress(OSError, UnicodeError):
        page = index.read_text(encoding="utf-8")
        language = _LANGUAGE.search(page)
        table = runs_table(read_runs(results), say_in(language[1] if language else ""))
        refreshed = _TABLE.sub(lambda _: table, page, count=1)
        if refreshed != page:
            write_atomically(index, refreshed)


def _usd(record: RunRecord) -> float:
    return record.gemini.usd if record.gemini else 0.0
