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
from reelmake.runs.texts import shown, usd
from reelmake.timestamps import format_clock
from reelmake.translation import Say, translatable

_FEW = 5
"""So many failures of one code are named; failures.tsv has all."""


@dataclass(frozen=True)
class Line:
    """One line; ``style`` is rich's, for where there are colours."""

    text: str
    style: str = ""
    indent: int = 0


def headline(record: RunRecord, say: Say) -> str:
    """As in ``9 of 12 reports are there: 7 built, 2 up to date; 3 failed. It took 0:42``."""
    reports = record.reports
    parts = [say("{count:,} built", count=reports.done)]
    if reports.up_to_date:
        parts.append(say("{count:,} up to date", count=reports.up_to_date))
    lacking = []
    if reports.failed:
        lacking.append(say("{count:,} failed", count=reports.failed))
    if reports.unfinished:
        lacking.append(say("{count:,} not reached", count=reports.unfinished))
    comma = say(", ")
    figures = {
        "there": reports.done + reports.up_to_date,
        "parts": say("; ").join(comma.join(some) for some in (parts, lacking) if some),
        "time": format_clock(record.seconds),
    }
    if record.makes_reports:
        return say.count(
            "{there:,} of {count:,} report is there: {parts}. It took {time}.",
            "{there:,} of {count:,} reports are there: {parts}. It took {time}.",
            reports.asked,
            **figures,
        )
    return say.count(
        "{there:,} of {count:,} report is as far as was asked: {parts}. It took {time}.",
        "{there:,} of {count:,} reports are as far as was asked: {parts}. It took {time}.",
        reports.asked,
        **figures,
    )


def summary(
    record: RunRecord, failures: Sequence[Failure], results: Path, say: Say
) -> Iterator[Line]:
    """Yield all that a user wants to know at the end; after an empty line, the headline."""
    yield Line("")
    style = "bold green" if record.ending == "complete" else "bold yellow"
    yield Line(headline(record, say), style)
    if record.gemini:
        yield Line(_bought(record.gemini, record, say))
    yield from failure_lines(failures, say)
    for rule in record.other_failures:
        yield Line(say("{rule} failed: its log says why.", rule=rule), "red")
    yield Line(next_step(record, failures, say))
    places = []
    if record.makes_reports:
        places.append(say("All reports: {path}", path=results / "index.html"))
    if failures:
        places.append(say("failures: {path}", path=results / "failures.tsv"))
    if places:
        yield Line(" · ".join(places))


def concerns_the_account(failure: Failure) -> bool:
    """Whether no other report can be asked for either."""
    if failure.code in ("quota_per_day", "disk_full"):
        return True
    return failure.kind in (Kind.AUTH, Kind.BUDGET)


def failure_lines(failures: Sequence[Failure], say: Say) -> Iterator[Line]:
    """Yield the failures by their codes, with what to do about each code and where the logs are."""
    ordered = sorted(failures, key=lambda failure: (failure.kind, failure.code))
    for (kind, code), some in groupby(ordered, key=lambda failure: (failure.kind, failure.code)):
        group = list(some)
        head = say("{count:,} × {code} ({kind}): ", count=len(group), code=code, kind=say(kind))
        if concerns_the_account(group[0]):
            yield Line(head + shown(group[0].message), "red")
            continue
        yield Line(head + say(group[0].hint), "red")
        for failure in group[:_FEW]:
            named = say("{name}: {text}", name=shown(failure.video), text=shown(failure.message))
            yield Line(named, indent=2)
            yield Line(shown(failure.log), "dim", indent=4)
        if len(group) > _FEW:
            more = say("and {count:,} more, in failures.tsv", count=len(group) - _FEW)
            yield Line(more, indent=2)


_AFTER_A_STOP = {
    "quota_per_day": translatable(
        "The day's quota is spent: run the same command again after {renewal}."
    ),
    "disk_full": translatable(
        "Make room on the disk and run the same command again: nothing is paid twice."
    ),
    "budget_reached": translatable(
        "Raise `budget_usd` and run the same command again: nothing is paid twice."
    ),
}
_AGAIN = {
    "complete": translatable("Nothing is left to do."),
    "interrupted": translatable(
        "Run the same command again: it goes on from here, and nothing is paid twice."
    ),
    "failures": translatable("Run the same command again: only what failed is tried again."),
}


def next_step(record: RunRecord, failures: Sequence[Failure], say: Say) -> str:
    """What to do now."""
    if record.stopped_by in _AFTER_A_STOP:
        return say(_AFTER_A_STOP[record.stopped_by], renewal=renewal())
    if record.stopped_by:
        return say("Correct what the account lacks, and run the same command again.")
    blocked = all(failure.kind == Kind.BLOCKED for failure in failures)
    if failures and blocked and record.ending == "failures":
        return say(
            "What was refused is not asked again unless you set `gemini.retry_blocked: true`."
        )
    if record.ending == "complete" and not record.makes_reports:
        return say("The reports themselves are made by a run without `--until`.")
    return say(_AGAIN[record.ending])


def _bought(meter: Meter, record: RunRecord, say: Say) -> str:
    parts = [say.count("{count:,} answer bought", "{count:,} answers bought", meter.bought)]
    if meter.found:
        parts.append(say("{count:,} from the store", count=meter.found))
    parts += [say("{count:,} tokens", count=meter.tokens), usd(meter.usd, say)]
    if meter.lost:
        parts.append(say("{count:,} lost that may be billed", count=meter.lost))
    if record.reports_per_minute:
        parts.append(say("{count:g} reports a minute", count=record.reports_per_minute))
    if meter.retries:
        parts.append(say.count("{count:,} retry", "{count:,} retries", meter.retries))
    refusals = {"429": meter.rate_limited, "503": meter.overloaded}
    parts += [f"{number:,} × {code}" for code, number in refusals.items() if number]
    return " · ".join(parts)
