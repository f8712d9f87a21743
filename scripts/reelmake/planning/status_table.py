"""How things stand, for people."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from reelmake.planning.reasons import Planned, Reason
from reelmake.planning.tables import table
from reelmake.pricing import dollars
from reelmake.runs.record import RunRecord
from reelmake.translation import Say, translatable

_DONE, _FAILED = translatable("done"), translatable("failed")
_STALE, _MISSING = translatable("stale"), translatable("missing")

_MOST_DONE = 20
_MOST_ROWS = 200


def state_of(planned: Planned) -> str:
    """``done``, ``failed``, ``stale`` (there, but not up to date) or ``missing``."""
    if planned.reason in (Reason.FAILED, Reason.UNUSABLE):
        return _FAILED
    if planned.reason == Reason.NONE:
        return _DONE
    return _STALE if planned.there else _MISSING


def status_table(
    plan: Sequence[Planned], say: Say, *, runs: Sequence[RunRecord], waiting: Sequence[str]
) -> RenderableType:
    """All reports, but done ones only while they are few; what they and the last runs cost.

    ``waiting`` are lines about batches that have not ended.
    """
    states = Counter(map(state_of, plan))
    done = [planned for planned in plan if state_of(planned) == _DONE]
    others = [planned for planned in plan if state_of(planned) != _DONE]
    order = [_FAILED, _STALE, _MISSING, _DONE]
    shown = sorted(
        [*others, *(done if len(done) <= _MOST_DONE else [])],
        key=lambda planned: order.index(state_of(planned)),
    )
    rows = table(
        say("report"),
        say("template"),
        say("state"),
        say("why and what to do"),
        f"{say('attempts')} >",
        f"{say('USD')} >",
    )
    for planned in shown[:_MOST_ROWS]:
        rows.add_row(
            planned.target.name,
            planned.target.template,
            say(state_of(planned)),
            _why(planned, say),
            _attempts(planned),
            _cost(planned),
        )
    notes = []
    if len(shown) > _MOST_ROWS:
        notes.append(
            say(
                "… and {count:,} more: summary.tsv and failures.tsv list all.",
                count=len(shown) - _MOST_ROWS,
            )
        )
    usd = sum(planned.analysis.cost_usd or 0 for planned in plan if planned.analysis)
    notes.append(
        say(
            "{all:,} reports: {done:,} done, {failed:,} failed, {stale:,} stale, "
            "{missing:,} missing. {usd} USD were billed for those there are.",
            all=len(plan),
            done=states[_DONE],
            failed=states[_FAILED],
            stale=states[_STALE],
            missing=states[_MISSING],
            usd=dollars(usd),
        )
    )
    billed = [run.gemini.usd for run in runs if run.gemini]
    if billed:
        notes.append(
            say(
                "Runs on record: {count:,}; {usd} USD were billed in them, with what failed.",
                count=len(billed),
                usd=dollars(sum(billed)),
            )
        )
    if others:
        notes.append(
            say(
                "The same command as before makes what is missing; "
                "`snakemake plan` says for how much."
            )
        )
    return Group(*([rows] if shown else []), Text("\n".join([*notes, *waiting])))


def _why(planned: Planned, say: Say) -> str:
    if planned.failure and planned.reason == Reason.FAILED:
        failure = planned.failure
        what = say(
            "{kind}: {message} → {hint}",
            kind=say(failure.kind),
            message=failure.message,
            hint=say(failure.hint),
        )
        return f"{what}\n{failure.log}"
    return "" if planned.reason == Reason.NONE else planned.why(say)


def _attempts(planned: Planned) -> str:
    if planned.failure:
        return str(planned.failure.attempts)
    return str(planned.analysis.attempts) if planned.analysis else ""


def _cost(planned: Planned) -> str:
    if planned.analysis is None:
        return ""
    usd = planned.analysis.cost_usd
    return "?" if usd is None else dollars(usd)
