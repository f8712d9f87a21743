"""The plan for programs."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from reelmake.config import Config
from reelmake.files import write_atomically
from reelmake.planning.limits import durations, factor_of, requests_left
from reelmake.planning.plan_table import notes
from reelmake.planning.reasons import Planned, Reason
from reelmake.results import Results
from reelmake.translation import ENGLISH

_TIERS = ("standard", "flex", "batch")


def write_plan(
    plan: Sequence[Planned],
    config: Config,
    path: Path,
    *,
    jobs: int,
    learned_seconds: float | None,
    today: date,
) -> None:
    """All of it as JSON: reports that are up to date too; ``notes`` in English."""
    settings, factor = config.gemini, factor_of(config.gemini.tier)
    asks_gemini = config.engine == "gemini"
    to_make = [planned for planned in plan if planned.reason != Reason.NONE]
    about = notes(to_make, config, ENGLISH, jobs=jobs, learned_seconds=learned_seconds, today=today)
    expected = durations(plan, settings, jobs=jobs) if asks_gemini else []
    content = {
        "tier": settings.tier,
        "model": settings.model if asks_gemini else None,
        **_sums(plan, factor),
        "usd_by_tier": {tier: _usd(plan, factor_of(tier)) for tier in _TIERS},
        "by_reason": {
            reason: _sums(some, factor)
            for reason in Reason
            if (some := [planned for planned in plan if planned.reason == reason])
        },
        "budget_usd": config.budget_usd,
        "requests_left_today": requests_left(settings, Results(Path(config.results)))
        if asks_gemini
        else None,
        "seconds_by_jobs": {one.jobs: round(one.seconds, 1) for one in expected},
        "notes": list(about) if to_make else [],
        "reports": [_report(planned, factor) for planned in plan],
    }
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _sums(plan: Sequence[Planned], factor: float) -> dict[str, Any]:
    return {
        "count": len(plan),
        "nothing_to_buy": sum(not planned.calls for planned in plan),
        "calls": sum(len(planned.calls) for planned in plan),
        "input_tokens": sum(planned.input_tokens for planned in plan),
        "output_tokens": sum(planned.output_tokens for planned in plan),
        "usd": _usd(plan, factor),
    }


def _report(planned: Planned, factor: float) -> dict[str, Any]:
    return {
        "video": planned.target.name,
        "template": planned.target.template,
        "reason": planned.reason.value,
        "detail": planned.detail,
        "calls": len(planned.calls),
        "input_tokens": planned.input_tokens,
        "output_tokens": planned.output_tokens,
        "usd": _usd([planned], factor),
    }


def _usd(plan: Sequence[Planned], factor: float) -> float:
    return round(sum(planned.usd for planned in plan) * factor, 6)
