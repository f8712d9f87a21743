"""All reports at a glance: index.html for people, summary.tsv and failures.tsv for both."""

import contextlib
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reelmake.analysis import Analysis, read_analysis
from reelmake.digests import DIGESTS
from reelmake.edits import new_version
from reelmake.errors import ReelmakeError
from reelmake.files import write_atomically
from reelmake.index_page import Entry, index_page
from reelmake.jobs import Failure, read_failure
from reelmake.markdown import plain, visible
from reelmake.notices import told
from reelmake.pages import split_front_matter
from reelmake.results import Results, names_in
from reelmake.runs.record import read_runs
from reelmake.targets import Target
from reelmake.templates import load_template
from reelmake.translation import Say, most_of, say_in, translatable

_FORMATS = {".md": "Markdown", ".docx": "Word", ".pdf": "PDF", ".srt": "SRT", ".vtt": "VTT"}
_FORMATS |= {".json": "JSON", ".anki.txt": "Anki"}
_NEW_VERSION = translatable("New version")
_TAGS = re.compile(r"^tags:.*(?:\n(?:[ \t-].*)?)*", re.MULTILINE)


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
    engine: str | None = None


def language_of(targets: Iterable[Target]) -> str:
    """The language of the index of these reports: that of most of them, if we speak it."""
    asked = [(target.template, target.language) for target in targets]
    own = {}
    for template in {template for template, _ in asked}:
        with contextlib.suppress(ReelmakeError):  # which its reports say themselves
            own[template] = load_template(template).language
    return most_of(filter(None, (language or own.get(name) for name, language in asked)))


def write_index(
    root: Path,
    targets: Sequence[tuple[str, str]],
    *,
    digests: Sequence[str] = (),
    language: str = "en",
) -> None:
    """Write the three files for these reports (template, name) and digests, built or not."""
    entries, failures = write_tables(root, targets, digests=digests, language=language)
    pages, runs = _pages_of(root, digests), read_runs(Results(root))
    page = index_page(entries, pages, runs, failures=failures, say=say_in(language))
    write_atomically(root / "index.html", page)


def write_tables(
    root: Path,
    targets: Sequence[tuple[str, str]],
    *,
    digests: Sequence[str] = (),
    language: str = "en",
) -> tuple[list[Entry], list[Failure]]:
    """Write summary.tsv and failures.tsv; what the index has to say of each report, and these."""
    results = Results(root)
    files = {
        template: names_in(results.report(template, "any").parent)
        for template in {template for template, _ in targets}
    }
    say = say_in(language)
    found = [_look_at(results, template, name, files[template], say) for template, name in targets]
    of_digests = (_failure_of(results, DIGESTS, name, say) for name in digests)
    failures = [entry.failure for _, entry in found if entry.failure]
    failures += filter(None, of_digests)
    write_atomically(root / "summary.tsv", _tsv(Row, (row for row, _ in found)))
    write_atomically(root / "failures.tsv", _tsv(Failure, failures))
    return [entry for _, entry in found], failures


def _pages_of(root: Path, digests: Sequence[str]) -> dict[str, str]:
    pages = {name: Path("digests", f"{name}.html") for name in digests}
    return {name: quote(page.as_posix()) for name, page in pages.items() if (root / page).exists()}


def _failure_of(results: Results, template: str, name: str, say: Say) -> Failure | None:
    """As it is shown: its message in one line, its hint in the language of the index."""
    failure = read_failure(results.failure(template, name))
    if failure is None:
        return None
    return replace(failure, message=plain(failure.message), hint=say(failure.hint))


def _look_at(
    results: Results, template: str, name: str, there: frozenset[str], say: Say
) -> tuple[Row, Entry]:
    report = results.report(template, name)
    failure = _failure_of(results, template, name, say)
    status = "failed" if failure else "done" if report.name in there else "missing"
    links = {label: name + ending for ending, label in _FORMATS.items() if name + ending in there}
    links |= {_NEW_VERSION: newer.name} if (newer := new_version(report)).name in there else {}
    page = f"{name}.html" if f"{name}.html" in there else links.get("Markdown")
    values: dict[str, Any] = {
        "name": name,
        "template": template,
        "status": status,
        "failure": failure,
        "page": _link(results, report.with_name(page)) if page else None,
        "links": {label: _link(results, report.with_name(file)) for label, file in links.items()},
        "edited": _NEW_VERSION in links,
        "tags": _tags(report) if report.name in there else (),
    }
    try:
        analysis = read_analysis(results.analysis(template, name))
    except (OSError, ValueError):  # one that can't be read leaves the others theirs
        row = Row(name, template, status, attempts=failure.attempts if failure else None)
        return row, Entry(title=name, **values)
    usage = analysis.usage
    tokens = usage.input_tokens + usage.output_tokens + usage.thought_tokens
    row = Row(
        video=name,
        template=template,
        status=status,
        duration_s=analysis.video.duration_s,
        tokens=tokens,
        usd=analysis.cost_usd,
        seconds=round(analysis.seconds, 1),
        attempts=analysis.attempts,
        model=analysis.engine.model,
        engine=analysis.engine.name,
    )
    entry = Entry(
        title=plain(analysis.title) or name,
        language=analysis.language,
        duration_s=analysis.video.duration_s,
        usd=analysis.cost_usd,
        tokens=tokens,
        model=analysis.engine.model,
        created=analysis.created,
        overview=plain(analysis.overview),
        warnings=tuple(plain(told(notice, say)) for notice in analysis.warnings),
        picture=_first_picture(results, results.pictures(template, name), there),
        text=visible("\n".join(_texts(analysis))),
        **values,
    )
    return row, entry


def _link(results: Results, path: Path) -> str:
    return quote(path.relative_to(results.root).as_posix())


def _first_picture(results: Results, folder: Path, there: frozenset[str]) -> str | None:
    if folder.name not in there:
        return None
    pictures = sorted(folder.glob("*.jpg"))
    return _link(results, pictures[0]) if pictures else None


def _tags(report: Path) -> tuple[str, ...]:
    """Those in the report, where its reader may have changed them."""
    try:
        with report.open(encoding="utf-8", errors="replace") as file:
            head = file.read(4096)
    except OSError:
        return ()
    # The other properties would take most of the time that the index takes.
    alone = head.startswith("---\n") and _TAGS.search(head.partition("\n---\n")[0])
    tags = split_front_matter(f"---\n{alone[0]}\n---\n" if alone else head)[0].get("tags")
    return tuple(str(tag) for tag in tags if tag) if isinstance(tags, list) else ()


def _texts(analysis: Analysis) -> Iterator[str]:
    """Everything that a reader may look for in a report."""
    yield analysis.overview
    for chapter in analysis.chapters:
        yield chapter.title
        yield chapter.summary
    for passage in analysis.transcript:
        yield passage.text
    for point in analysis.key_points:
        yield point.text
    for moment in analysis.key_moments:
        yield moment.why
        yield moment.shown
    for term in analysis.terms:
        yield " ".join(filter(None, [term.term, term.translation, term.explanation]))
    yield from _strings(analysis.fields)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _tsv(record: type[Row] | type[Failure], rows: Iterable[Row | Failure]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(field.name for field in fields(record))
    for row in rows:
        writer.writerow("" if value is None else _one_line(value) for value in asdict(row).values())
    return text.getvalue()


def _one_line(value: object) -> str:
    return " ".join(str(value).split())
