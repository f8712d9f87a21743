"""The plan for people, and as JSON."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from reelmake.config import Config
from reelmake.files import write_atomically
from reelmake.planning.limits import day, durations, factor_of, money, prices
from reelmake.planning.reasons import Planned, Reason
from reelmake.planning.tables import clock, dollars, table
from reelmake.planning.waiting import waiting_batches
from reelmake.results import Results

_MOST_ROWS = 50


def plan_table(
    plan: Sequence[Planned],
    config: Config,
    *,
    jobs: int,
    learned_seconds: float | None,
    today: date,
) -> RenderableType:
    """Reports to make, totals by reason, and what is to be known before one starts."""
    to_make = [planned for planned in plan if planned.reason != Reason.NONE]
    current = len(plan) - len(to_make)
    if not to_make:
        return Text(f"Nothing to make: {_reports(current)} up to date.")
    factor = factor_of(config.gemini.tier)
    parts: list[RenderableType] = [
        Text(f"{_reports(len(to_make))} to make, {current:,} up to date. Nothing was asked for.\n"),
        _reports_table(to_make, factor),
        _totals(to_make, factor),
    ]
    notes = list(_notes(to_make, config, jobs, learned_seconds, today))
    return Group(*parts, Text("\n".join(notes)))


def write_plan(plan: Sequence[Planned], config: Config, path: Path) -> None:
    """All of it, for programs: reports that are up to date too."""
    factor = factor_of(config.gemini.tier)
    reports = [_as_json(planned, factor) for planned in plan]
    content = {
        "tier": config.gemini.tier,
        "model": config.gemini.model if config.engine == "gemini" else None,
        "reports": reports,
        "calls": sum(report["calls"] for report in reports),
        "input_tokens": sum(report["input_tokens"] for report in reports),
        "output_tokens": sum(report["output_tokens"] for report in reports),
        "usd": round(sum(report["usd"] for report in reports), 6),
    }
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _as_json(planned: Planned, factor: float) -> dict[str, Any]:
    return {
        "video": planned.target.name,
        "template": planned.target.template,
        "reason": planned.reason.value,
        "detail": planned.detail,
        "calls": len(planned.calls),
        "input_tokens": planned.input_tokens,
        "output_tokens": planned.output_tokens,
        "usd": round(planned.usd * factor, 6),
    }


def _reports_table(plan: Sequence[Planned], factor: float) -> RenderableType:
    order = list(Reason)
    ordered = sorted(plan, key=lambda planned: order.index(planned.reason))
    shown = table("report", "template", "why", "tokens >", "USD >")
    for planned in ordered[:_MOST_ROWS]:
        why = f"{planned.reason}: {planned.detail}" if planned.detail else str(planned.reason)
        tokens = planned.input_tokens + planned.output_tokens
        shown.add_row(
            planned.target.name,
            planned.target.template,
            why,
            f"{tokens:,}" if planned.calls else "",
            dollars(planned.usd * factor) if planned.calls else "free",
        )
    rest = len(ordered) - _MOST_ROWS
    more = f"… and {rest:,} more, in the file below\n" if rest > 0 else ""
    return Group(shown, Text(more))


def _totals(plan: Sequence[Planned], factor: float) -> RenderableType:
    shown = table("why", "reports >", "calls >", "tokens in >", "tokens out >", "USD >")
    for reason in Reason:
        some = [planned for planned in plan if planned.reason == reason]
        bought = [planned for planned in some if planned.calls]
        free = [planned for planned in some if not planned.calls]
        if bought:
            shown.add_row(reason, *_sums(bought, factor))
        if free:
            needs_engine = reason not in (Reason.LAYOUT, Reason.UNUSABLE)
            shown.add_row(f"{reason}, nothing to buy" if needs_engine else reason, *_sums(free, 0))
    shown.add_section()
    shown.add_row("together", *_sums(plan, factor))
    return shown


def _sums(plan: Sequence[Planned], factor: float) -> list[str]:
    return [
        f"{len(plan):,}",
        f"{sum(len(planned.calls) for planned in plan):,}",
        f"{sum(planned.input_tokens for planned in plan):,}",
        f"{sum(planned.output_tokens for planned in plan):,}",
        dollars(sum(planned.usd for planned in plan) * factor),
    ]


def _notes(
    plan: Sequence[Planned],
    config: Config,
    jobs: int,
    learned_seconds: float | None,
    today: date,
) -> Iterator[str]:
    if config.engine == "local":
        yield "The offline engine costs nothing."
        return
    usd = sum(planned.usd for planned in plan)
    if usd:
        cheaper = f"{dollars(usd / 2)} USD with `tier: flex` or `batch`"
        yield f"{dollars(usd)} USD with `tier: standard`, {cheaper} (yours: {config.gemini.tier})."
    if config.digest:
        yield "Digests come on top: one call of text for each group whose reports change."
    yield from filter(None, [money(plan, config), day(plan, config, Results(Path(config.results)))])
    expected = durations(plan, config.gemini, jobs=jobs)
    if expected:
        times = ", ".join(f"{clock(one.seconds)} with -j{one.jobs}" for one in expected)
        source = "as your reports show" if learned_seconds else "a guess, until there are reports"
        calls = [call.seconds for planned in plan for call in planned.calls]
        yield f"About {times}: {sum(calls) / len(calls):.0f} s a call, {source}."
    yield from prices(config, today)
    waiting = waiting_batches(Results(Path(config.results)))
    if waiting:
        yield "Some of it is being asked for already; a run waits for these, whatever they are for:"
        yield from waiting


def _reports(count: int) -> str:
    return "1 report" if count == 1 else f"{count:,} reports"
