"""The plan for people."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from reelmake.config import Config
from reelmake.planning.limits import day, durations, factor_of, money, prices
from reelmake.planning.reasons import Planned, Reason
from reelmake.planning.tables import clock, table
from reelmake.planning.waiting import waiting_batches
from reelmake.pricing import dollars
from reelmake.results import Results
from reelmake.translation import Say

_MOST_ROWS = 50


def plan_table(
    plan: Sequence[Planned],
    config: Config,
    say: Say,
    *,
    jobs: int,
    learned_seconds: float | None,
    today: date,
) -> RenderableType:
    """Reports to make, totals by reason, and what is to be known before one starts."""
    to_make = [planned for planned in plan if planned.reason != Reason.NONE]
    current = len(plan) - len(to_make)
    if not to_make:
        return Text(
            say.count(
                "Nothing to make: {count:,} report up to date.",
                "Nothing to make: {count:,} reports up to date.",
                current,
            )
        )
    factor = factor_of(config.gemini.tier)
    head = say.count(
        "{count:,} report to make, {current:,} up to date. Nothing was asked for.",
        "{count:,} reports to make, {current:,} up to date. Nothing was asked for.",
        len(to_make),
        current=current,
    )
    about = notes(to_make, config, say, jobs=jobs, learned_seconds=learned_seconds, today=today)
    return Group(
        Text(f"{head}\n"),
        _reports_table(to_make, factor, say),
        _totals(to_make, factor, say),
        Text("\n".join(about)),
    )


def _reports_table(plan: Sequence[Planned], factor: float, say: Say) -> RenderableType:
    order = list(Reason)
    ordered = sorted(plan, key=lambda planned: order.index(planned.reason))
    shown = table(
        say("report"), say("template"), say("why"), f"{say('tokens')} >", f"{say('USD')} >"
    )
    for planned in ordered[:_MOST_ROWS]:
        tokens = planned.input_tokens + planned.output_tokens
        shown.add_row(
            planned.target.name,
            planned.target.template,
            planned.why(say),
            f"{tokens:,}" if planned.calls else "",
            dollars(planned.usd * factor) if planned.calls else say("free"),
        )
    rest = len(ordered) - _MOST_ROWS
    more = say("… and {count:,} more, in the file below", count=rest) + "\n" if rest > 0 else ""
    return Group(shown, Text(more))


def _totals(plan: Sequence[Planned], factor: float, say: Say) -> RenderableType:
    numbers = (say("reports"), say("calls"), say("tokens in"), say("tokens out"), say("USD"))
    shown = table(say("why"), *(f"{heading} >" for heading in numbers))
    for reason in Reason:
        some = [planned for planned in plan if planned.reason == reason]
        bought = [planned for planned in some if planned.calls]
        free = [planned for planned in some if not planned.calls]
        if bought:
            shown.add_row(say(reason), *_sums(bought, factor))
        if free:
            needs_engine = reason not in (Reason.LAYOUT, Reason.UNUSABLE)
            why = (
                say("{reason}, nothing to buy", reason=say(reason)) if needs_engine else say(reason)
            )
            shown.add_row(why, *_sums(free, 0))
    shown.add_section()
    shown.add_row(say("together"), *_sums(plan, factor))
    return shown


def _sums(plan: Sequence[Planned], factor: float) -> list[str]:
    return [
        f"{len(plan):,}",
        f"{sum(len(planned.calls) for planned in plan):,}",
        f"{sum(planned.input_tokens for planned in plan):,}",
        f"{sum(planned.output_tokens for planned in plan):,}",
        dollars(sum(planned.usd for planned in plan) * factor),
    ]


def notes(
    plan: Sequence[Planned],
    config: Config,
    say: Say,
    *,
    jobs: int,
    learned_seconds: float | None,
    today: date,
) -> Iterator[str]:
    """What is to be known before a run starts: money, quota, time, prices, open batches."""
    if config.engine == "local":
        yield say("The offline engine costs nothing.")
        return
    usd = sum(planned.usd for planned in plan)
    if usd:
        yield say(
            "{usd} USD with `tier: standard`, {half} USD with `tier: flex` or `batch` "
            "(yours: {tier}).",
            usd=dollars(usd),
            half=dollars(usd / 2),
            tier=config.gemini.tier,
        )
    if config.digest:
        yield say("Digests come on top: one call of text for each group whose reports change.")
    results = Results(Path(config.results))
    yield from filter(None, [money(plan, config, say), day(plan, config, results, say)])
    expected = durations(plan, config.gemini, jobs=jobs)
    if expected:
        times = [
            say("{time} with -j{jobs}", time=clock(one.seconds, say), jobs=one.jobs)
            for one in expected
        ]
        calls = [call.seconds for planned in plan for call in planned.calls]
        yield say(
            "About {times}: {seconds:.0f} s a call, as your reports show."
            if learned_seconds
            else "About {times}: {seconds:.0f} s a call, a guess, until there are reports.",
            times=say(", ").join(times),
            seconds=sum(calls) / len(calls),
        )
    elif config.gemini.tier == "batch" and usd:
        yield say(
            "Google answers batches within hours; one that took {hours:g} h is given up "
            "(`batch_max_wait_hours`).",
            hours=config.gemini.batch_max_wait_hours,
        )
    if expected and config.gemini.tier == "flex":
        yield say("With `tier: flex` it may be longer: such calls wait while others are served.")
    yield from prices(config, today, say)
    waiting = waiting_batches(results, say)
    if waiting:
        yield say(
            "Some of it is being asked for already; a run waits for these, whatever they are for:"
            if config.gemini.tier == "batch"
            else "Some of it is being asked for already; a run uses what these have answered, and "
            "cancels the others, for it has another tier:"
        )
        yield from waiting
