"""Whether money and quota suffice for a plan, and about how long it takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reelmake.config import Config, GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.day_quota import DayQuota
from reelmake.gemini.keys import api_keys, fingerprint_of
from reelmake.planning.reasons import Planned
from reelmake.pricing import price_table
from reelmake.results import Results
from reelmake.translation import Say, translatable

_JOBS = (4, 16, 64)
_OLD_DAYS = 90
_SOON_DAYS = 30


@dataclass(frozen=True)
class Duration:
    """Seconds that the calls of a plan take with so many jobs at a time."""

    jobs: int
    seconds: float


def factor_of(tier: str) -> float:
    """What a tier costs, by the price of the standard one."""
    return 0.5 if tier in ("flex", "batch") else 1.0


def durations(plan: Sequence[Planned], settings: GeminiSettings, *, jobs: int) -> list[Duration]:
    """For the jobs at a time that were given, and for more; batches take their own time."""
    calls = [call for planned in plan for call in planned.calls]
    if not calls or settings.tier == "batch":
        return []
    minutes = [0.0]
    if settings.rpm:
        minutes.append(len(calls) / settings.rpm)
    if settings.tpm:
        minutes.append(sum(call.input_tokens for call in calls) / settings.tpm)
    needed = sum(call.seconds for call in calls)
    longest = max(call.seconds for call in calls)
    at_most = min(settings.max_in_flight, len(calls))
    found: list[Duration] = []
    for number in sorted({jobs, *(more for more in _JOBS if more > jobs)}):
        seconds = max(60 * max(minutes), longest, needed / min(number, at_most))
        if not found or seconds < found[-1].seconds:
            found.append(Duration(number, seconds))
    return found


def requests_left(settings: GeminiSettings, results: Results) -> int | None:
    """Of today, with all keys together; None: no limit is known, or none that batches meet."""
    if settings.rpd is None or settings.tier == "batch":
        return None
    if settings.quota_store:
        return _left_in_store(settings, settings.quota_store)
    quota = DayQuota(results.day_quota, settings.rpd)
    left = [quota.left(project, settings.model) or 0 for project in _projects()]
    return sum(left) if left else settings.rpd


def _left_in_store(settings: GeminiSettings, address: str) -> int | None:
    """None when the store can't be asked: a run says why."""
    # With what it counts by, which other plans do without.
    from reelmake.gemini.quota_store import QuotaStore  # noqa: PLC0415

    async def left() -> list[int]:
        store = QuotaStore(address, rpm=settings.rpm, tpm=settings.tpm, rpd=settings.rpd)
        try:
            return [await store.left_of_day(each, settings.model) or 0 for each in _projects()]
        finally:
            await store.aclose()

    try:
        found = asyncio.run(left())
    except ReelmakeError:
        return None
    return sum(found) if found else settings.rpd


def _requests_a_day(settings: GeminiSettings) -> int:
    return (settings.rpd or 0) * max(len(_projects()), 1)


def money(plan: Sequence[Planned], config: Config, say: Say) -> str:
    """Whether `budget_usd` is enough; nothing when there is none."""
    if config.budget_usd is None:
        return ""
    usd = sum(planned.usd for planned in plan) * factor_of(config.gemini.tier)
    if usd > config.budget_usd:
        return say(
            "`budget_usd: {budget:g}` is not enough: a run would not start.",
            budget=config.budget_usd,
        )
    return say("`budget_usd: {budget:g}` is enough.", budget=config.budget_usd)


def day(plan: Sequence[Planned], config: Config, results: Results, say: Say) -> str:
    """Whether today's requests are enough; nothing when no limit is known."""
    settings = config.gemini
    remaining = requests_left(settings, results)
    if remaining is None:
        return ""
    calls = sum(len(planned.calls) for planned in plan)
    if calls <= remaining:
        return say(
            "{left:,} requests are left today (`rpd: {rpd}`): enough.",
            left=remaining,
            rpd=settings.rpd,
        )
    return say.count(
        "{left:,} requests are left today (`rpd: {rpd}`): not enough for {lacking:,} of {calls:,} "
        "calls, which wait for the next day.",
        "{left:,} requests are left today (`rpd: {rpd}`): not enough for {lacking:,} of {calls:,} "
        "calls, which wait for the next {count} days.",
        -(-(calls - remaining) // _requests_a_day(settings)),
        left=remaining,
        rpd=settings.rpd,
        lacking=calls - remaining,
        calls=calls,
    )


def prices(config: Config, today: date, say: Say) -> list[str]:
    """What is to be known of the prices that a plan rests on."""
    table, models = price_table(), [config.gemini.model, *config.gemini.fallback_models]
    said = [
        say(
            "`{model}` has no price in {path}, which knows {known}: taken as free.",
            model=model,
            path=table.path,
            known=", ".join(table.models),
        )
        for model in models
        if model not in table.models
    ]
    if (today - table.updated).days > _OLD_DAYS:
        said.append(
            say(
                "The prices are of {updated}, {days} days ago: look whether they changed, "
                "and edit {path}.",
                updated=table.updated,
                days=(today - table.updated).days,
                path=table.path,
            )
        )
    for model in models:
        price = table.models.get(model)
        if price and price.until and (price.until - today).days < _SOON_DAYS:
            past = price.until <= today
            told = (
                translatable("The price of `{model}` has changed on {day}.")
                if past
                else translatable("The price of `{model}` changes on {day}.")
            )
            said.append(say(told, model=model, day=price.until))
    return said


def _projects() -> list[str]:
    """Fingerprints of the keys in the environment."""
    try:
        return [fingerprint_of(key) for key in api_keys()]
    except ReelmakeError:
        return []
