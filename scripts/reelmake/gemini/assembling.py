"""From what was found, and what it took, to the record that reports are made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from reelmake import analysis as record
from reelmake.gemini.calling import Bill
from reelmake.gemini.checked import Checked
from reelmake.gemini.times import TIME_KEYS
from reelmake.notices import notice
from reelmake.pricing import cost_usd
from reelmake.targets import Target
from reelmake.templates import Template

Record = TypeVar("Record", bound=BaseModel)


def analysis_of(
    target: Target,
    template: Template,
    facts: record.VideoFacts,
    checked: Checked,
    bill: Bill,
    *,
    model: str,
    seconds: float,
) -> record.Analysis:
    """Put together what holds of the answers on the bill.

    ``model`` is the one that should have given them; ``seconds`` is how long it took.
    """
    content = checked.content
    answers = [stored.answer for stored in bill.answers.values()]
    asked = sorted({stored.request["model"] for stored in bill.answers.values()})
    versions = sorted({str(answer.get("model_version", "unknown")) for answer in answers})
    return record.Analysis(
        name=target.name,
        template=template.name,
        language=target.language or template.language,
        engine=record.Engine(name="gemini", model=", ".join(asked), version=", ".join(versions)),
        video=facts,
        title=content["title"],
        overview=content.get("overview", ""),
        chapters=_records(record.Chapter, content.get("chapters", ())),
        transcript=_records(record.Passage, content.get("transcript", ())),
        key_points=_records(record.KeyPoint, content.get("key_points", ())),
        key_moments=_records(record.KeyMoment, content.get("key_moments", ())),
        terms=_records(record.Term, content.get("terms", ())),
        fields={key: content[key] for key in template.own_fields if key in content},
        usage=_usage(answers),
        cost_usd=_cost_usd(bill),
        seconds=seconds,
        attempts=bill.attempts,
        request_digests=list(bill.answers),
        warnings=[*checked.notices, *_other_model(versions, model)],
        created=max(stored.received for stored in bill.answers.values()),
    )


def _cost_usd(bill: Bill) -> float | None:
    costs = [
        cost_usd(
            stored.request["model"],
            stored.answer.get("usage_metadata", {}),
            tier=stored.request["tier"],
            day=datetime.fromisoformat(stored.received).date(),
        )
        for stored in bill.answers.values()
    ]
    return None if None in costs else round(sum(cost or 0 for cost in costs), 6)


def _other_model(versions: Sequence[str], model: str) -> list[record.Notice]:
    others = [version for version in versions if not version.startswith(model)]
    return [notice("other_model", others=", ".join(others), model=model)] if others else []


def _records(kind: type[Record], items: Sequence[dict[str, Any]]) -> list[Record]:
    """The model's ``start`` is the record's ``start_s``; what it says besides is left out."""
    named = [
        {f"{key}_s" if key in TIME_KEYS else key: value for key, value in item.items()}
        for item in items
    ]
    return [
        kind.model_validate({key: item[key] for key in item.keys() & kind.model_fields.keys()})
        for item in named
    ]


def _usage(answers: Sequence[dict[str, Any]]) -> record.Usage:
    def total(key: str) -> int:
        return sum(answer.get("usage_metadata", {}).get(key, 0) for answer in answers)

    return record.Usage(
        calls=len(answers),
        input_tokens=total("prompt_token_count"),
        output_tokens=total("candidates_token_count"),
        thought_tokens=total("thoughts_token_count"),
        cached_tokens=total("cached_content_token_count"),
    )
