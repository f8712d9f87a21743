"""The end of a run in words: for the terminal, and for whoever is notified."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from reelmake.errors import Kind
from reelmake.gemini.pacific import renewal
from reelmake.jobs import Failure
from reelmake.meter import Meter
from reelmake.runs.record import RunRecord
from reelmake.runs.texts import count, shown, usd
from reelmake.timestamps import format_clock

_FEW = 5
"""So many failures of one code are named; failures.tsv has all."""


@dataclass(frozen=True)
class Line:
    """One line; ``style`` is rich's, for where there are colours."""

    text: str
    style: str = ""
    indent: int = 0


def headline(record: RunRecord) -> str:
    """``9 of 12 reports are there: 7 built, 2 up to date; 3 failed (0:42)``."""
    reports = record.reports
    there = reports.done + reports.up_to_date
    parts = [f"{reports.done:,} built"]
    if reports.up_to_date:
        parts.append(f"{reports.up_to_date:,} up to date")
    lacking = []
    if reports.failed:
        lacking.append(f"{reports.failed:,} failed")
    if reports.unfinished:
        lacking.append(f"{reports.unfinished:,} not reached")
    of = f"{there:,} of {count(reports.asked, 'report')}"
    verb = "is" if reports.asked == 1 else "are"
    rest = f"; {', '.join(lacking)}" if lacking else ""
    return f"{of} {verb} there: {', '.join(parts)}{rest}. It took {format_clock(record.seconds)}."


def summary(record: RunRecord, failures: Sequence[Failure], results: Path) -> Iterator[Line]:
    """Yield all that a user wants to know at the end; after an empty line, the headline."""
    yield Line("")
    style = "bold green" if record.ending == "complete" else "bold yellow"
    yield Line(headline(record), style)
    if record.gemini:
        yield Line(_bought(record.gemini, record))
    yield from failure_lines(failures)
    for rule in record.other_failures:
        yield Line(f"{rule} failed: its log says why.", "red")
    yield Line(next_step(record, failures))
    listed = f" · failures: {results / 'failures.tsv'}" if failures else ""
    yield Line(f"All reports: {results / 'index.html'}{listed}")


def concerns_the_account(failure: Failure) -> bool:
    """Whether no other report can be asked for either."""
    return failure.kind in (Kind.AUTH, Kind.BUDGET) or failure.code == "quota_per_day"


def failure_lines(failures: Sequence[Failure]) -> Iterator[Line]:
    """Yield the failures by their codes, with what to do about each code and where the logs are."""
    ordered = sorted(failures, key=lambda failure: (failure.kind, failure.code))
    for (kind, code), some in groupby(ordered, key=lambda failure: (failure.kind, failure.code)):
        group = list(some)
        if concerns_the_account(group[0]):
            yield Line(f"{len(group):,} × {code} ({kind}): {shown(group[0].message)}", "red")
            continue
        yield Line(f"{len(group):,} × {code} ({kind}): {group[0].hint}", "red")
        for failure in group[:_FEW]:
            yield Line(f"{shown(failure.video)}: {shown(failure.message)}", indent=2)
            yield Line(shown(failure.log), "dim", indent=4)
        if len(group) > _FEW:
            yield Line(f"and {len(group) - _FEW:,} more, in failures.tsv", indent=2)


_AFTER_A_STOP = {
    "quota_per_day": "The day's quota is spent: run the same command again after {renewal}.",
    "budget_reached": "Raise `budget_usd` and run the same command again: nothing is paid twice.",
}
_AGAIN = {
    "complete": "Nothing is left to do.",
    "interrupted": "Run the same command again: it goes on from here, and nothing is paid twice.",
    "failures": "Run the same command again: only what failed is tried again.",
}


def next_step(record: RunRecord, failures: Sequence[Failure]) -> str:
    """What to do now."""
    if record.stopped_by:
        other = "Correct what the account lacks, and run the same command again."
        return _AFTER_A_STOP.get(record.stopped_by, other).format(renewal=renewal())
    if failures and all(failure.kind == Kind.BLOCKED for failure in failures):
        return "What was refused is not asked again unless you set `gemini.retry_blocked: true`."
    return _AGAIN[record.ending]


def _bought(meter: Meter, record: RunRecord) -> str:
    parts = [f"{count(meter.bought, 'answer')} bought"]
    if meter.found:
        parts.append(f"{meter.found:,} from the store")
    parts += [f"{meter.tokens:,} tokens", usd(meter.usd)]
    if record.reports_per_minute:
        parts.append(f"{record.reports_per_minute:g} reports a minute")
    if meter.retries:
        parts.append("1 retry" if meter.retries == 1 else f"{meter.retries:,} retries")
    refusals = {"429": meter.rate_limited, "503": meter.overloaded}
    parts += [f"{number:,} × {code}" for code, number in refusals.items() if number]
    return " · ".join(parts)
