"""Whether money and quota suffice for a plan, and about how long it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reelmake.config import Config, GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.day_quota import DayQuota
from reelmake.planning.reasons import Planned
from reelmake.pricing import price_table
from reelmake.results import Results

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
    """For the jobs at a time that were given, and for more."""
    calls = [call for planned in plan for call in planned.calls]
    if not calls:
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


def money(plan: Sequence[Planned], config: Config) -> str:
    """Whether `budget_usd` is enough; nothing when there is none."""
    if config.budget_usd is None:
        return ""
    usd = sum(planned.usd for planned in plan) * factor_of(config.gemini.tier)
    if usd > config.budget_usd:
        return f"`budget_usd: {config.budget_usd:g}` is not enough: a run would not start."
    return f"`budget_usd: {config.budget_usd:g}` is enough."


def day(plan: Sequence[Planned], config: Config, results: Results) -> str:
    """Whether today's requests are enough; nothing when no limit is known."""
    settings = config.gemini
    if settings.rpd is None:
        return ""
    quota = DayQuota(results.day_quota, settings.rpd)
    left = [quota.left(project, settings.model) or 0 for project in _projects()]
    remaining = sum(left) if left else settings.rpd
    calls = sum(len(planned.calls) for planned in plan)
    said = f"{remaining:,} requests are left today (`rpd: {settings.rpd}`)"
    if calls <= remaining:
        return f"{said}: enough."
    days = -(-(calls - remaining) // (settings.rpd * max(len(left), 1)))
    when = "the next day" if days == 1 else f"the next {days} days"
    return (
        f"{said}: not enough for {calls - remaining:,} of {calls:,} calls, which wait for {when}."
    )


def prices(config: Config, today: date) -> list[str]:
    """What is to be known of the prices that a plan rests on."""
    table, model = price_table(), config.gemini.model
    said = []
    price = table.models.get(model)
    if price is None:
        known = ", ".join(table.models)
        said.append(f"`{model}` has no price in {table.path}, which knows {known}: taken as free.")
    if (today - table.updated).days > _OLD_DAYS:
        said.append(
            f"The prices are of {table.updated}, {(today - table.updated).days} days ago: "
            f"look whether they changed, and edit {table.path}."
        )
    if price and price.until and (price.until - today).days < _SOON_DAYS:
        change = "has changed" if price.until <= today else "changes"
        said.append(f"The price of `{model}` {change} on {price.until}.")
    return said


def _projects() -> list[str]:
    """Fingerprints of the keys in the environment."""
    # The SDK, which runs without Gemini do without.
    from reelmake.gemini.projects import fingerprint_of  # noqa: PLC0415
    from reelmake.gemini.service import api_keys  # noqa: PLC0415

    try:
        return [fingerprint_of(key) for key in api_keys()]
    except ReelmakeError:
        return []
