"""All reports at a glance: index.html for people, summary.tsv and failures.tsv for both."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import jinja2

from reelmake.analysis import read_analysis
from reelmake.files import write_atomically
from reelmake.jobs import Failure, read_failure
from reelmake.results import Results
from reelmake.timestamps import format_clock


@dataclass(frozen=True)
class Row:
    """One row of summary.tsv; what is not known of a report that is not there is empty."""

    video: str
    template: str
    status: str
    duration_s: float | None = None
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None
    attempts: int | None = None
    model: str | None = None


@dataclass(frozen=True)
class Entry:
    """What the page shows of a report, besides its row."""

    row: Row
    title: str
    language: str
    link: str | None
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None


def write_index(root: Path, targets: Sequence[tuple[str, str]]) -> None:
    """Write the three files for these reports (template, name), built or not."""
    results = Results(root)
    entries = [_entry(results, template, name) for template, name in targets]
    failures = [entry.failure for entry in entries if entry.failure]
    write_atomically(root / "summary.tsv", _tsv(Row, (entry.row for entry in entries)))
    write_atomically(root / "failures.tsv", _tsv(Failure, failures))
    write_atomically(root / "index.html", _page(entries))


def _entry(results: Results, template: str, name: str) -> Entry:
    report = results.report(template, name)
    link = quote(os.path.relpath(report, results.root)) if report.exists() else None
    failure = read_failure(results.failure(template, name))
    status = "failed" if failure else "done" if link else "missing"
    try:
        analysis = read_analysis(results.analysis(template, name))
    except (FileNotFoundError, ValueError):
        row = Row(name, template, status, attempts=failure.attempts if failure else None)
        return Entry(row, title=name, language="", link=link, failure=failure)
    row = Row(
        video=name,
        template=template,
        status=status,
        duration_s=analysis.video.duration_s,
        tokens=analysis.usage.input_tokens
        + analysis.usage.output_tokens
        + analysis.usage.thought_tokens,
        usd=analysis.cost_usd,
        seconds=round(analysis.seconds, 1),
        attempts=analysis.attempts,
        model=f"{analysis.engine.name} {analysis.engine.model}",
    )
    warnings = tuple(notice.message for notice in analysis.warnings)
    return Entry(row, analysis.title, analysis.language, link, warnings, failure)


def _tsv(record: type[Row] | type[Failure], rows: Iterable[Row | Failure]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(field.name for field in fields(record))
    for row in rows:
        writer.writerow("" if value is None else _one_line(value) for value in asdict(row).values())
    return text.getvalue()


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def _page(entries: Sequence[Entry]) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["clock"] = format_clock
    page = resources.files(__package__).joinpath("index.html.j2").read_text(encoding="utf-8")
    return environment.from_string(page).render(
        entries=entries,
        templates=sorted({entry.row.template for entry in entries}),
        languages=sorted({entry.language for entry in entries if entry.language}),
        statuses=sorted({entry.row.status for entry in entries}),
        failures=[entry.failure for entry in entries if entry.failure],
        duration_s=sum(entry.row.duration_s or 0 for entry in entries),
        usd=sum(entry.row.usd or 0 for entry in entries),
    )
