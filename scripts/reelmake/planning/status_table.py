"""How things stand, for people."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from reelmake.planning.reasons import Planned, Reason
from reelmake.planning.tables import dollars, table

_MOST_DONE = 20
_MOST_ROWS = 200


def state_of(planned: Planned) -> str:
    """``done``, ``failed``, ``stale`` (there, but not up to date) or ``missing``."""
    if planned.reason in (Reason.FAILED, Reason.UNUSABLE):
        return "failed"
    if planned.reason == Reason.NONE:
        return "done"
    return "stale" if planned.there else "missing"


def status_table(plan: Sequence[Planned], *, waiting: Sequence[str]) -> RenderableType:
    """All reports, but done ones only while they are few; what they cost so far.

    ``waiting`` are lines about batches that have not ended.
    """
    states = Counter(map(state_of, plan))
    done = [planned for planned in plan if state_of(planned) == "done"]
    others = [planned for planned in plan if state_of(planned) != "done"]
    order = ["failed", "stale", "missing", "done"]
    shown = sorted(
        [*others, *(done if len(done) <= _MOST_DONE else [])],
        key=lambda planned: order.index(state_of(planned)),
    )
    rows = table("report", "template", "state", "why and what to do", "attempts >", "USD >")
    for planned in shown[:_MOST_ROWS]:
        rows.add_row(
            planned.target.name,
            planned.target.template,
            state_of(planned),
            _why(planned),
            _attempts(planned),
            _cost(planned),
        )
    notes = []
    if len(shown) > _MOST_ROWS:
        notes.append(
            f"… and {len(shown) - _MOST_ROWS:,} more: summary.tsv and failures.tsv list all."
        )
    counts = ", ".join(f"{states[state]:,} {state}" for state in ("done", *order[:3]))
    usd = sum(planned.analysis.cost_usd or 0 for planned in plan if planned.analysis)
    notes.append(
        f"{len(plan):,} reports: {counts}. {dollars(usd)} USD were billed for those there are."
    )
    if others:
        notes.append(
            "The same command as before makes what is missing; `snakemake plan` says for how much."
        )
    return Group(*([rows] if shown else []), Text("\n".join([*notes, *waiting])))


def _why(planned: Planned) -> str:
    if planned.failure and planned.reason == Reason.FAILED:
        failure = planned.failure
        return f"{failure.kind}: {failure.message} → {failure.hint} ({failure.log})"
    if planned.reason == Reason.NONE:
        return ""
    return f"{planned.reason}: {planned.detail}" if planned.detail else str(planned.reason)


def _attempts(planned: Planned) -> str:
    if planned.failure:
        return str(planned.failure.attempts)
    return str(planned.analysis.attempts) if planned.analysis else ""


def _cost(planned: Planned) -> str:
    if planned.analysis is None:
        return ""
    usd = planned.analysis.cost_usd
    return "?" if usd is None else dollars(usd)
