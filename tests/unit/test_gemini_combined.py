"""Which templates of a video are asked for in one call, and what a plan counts of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from reelmake.analysis import VideoFacts
from reelmake.config import GeminiSettings
from reelmake.gemini.combined import calls_together, whole_of
from reelmake.gemini.engine import Report
from reelmake.gemini.request import Request
from reelmake.store import Rejection, Store
from reelmake.targets import Target
from reelmake.templates import load_template

TEMPLATES = ("summary_report", "study_notes", "comprehensive_lesson")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def report(template: str, *, minutes: float = 1.0, **settings: Any) -> Report:
    target = Target(video="v.mp4", name="v", template=template)
    facts = VideoFacts(source="v.mp4", sha256="ab" * 32, duration_s=60 * minutes)
    return Report(target, load_template(template), facts, settings=GeminiSettings(**settings))


def reports(*templates: str, **values: Any) -> list[Report]:
    return [report(template, **values) for template in templates or TEMPLATES]


def asked(of: Report) -> Request:
    request = of.in_one_call
    assert request
    return request


def put(store: Store, request: Request, *parts: str) -> None:
    text = json.dumps({name: {"title": name} for name in parts})
    candidate = {"content": {"parts": [{"text": text}]}, "finish_reason": "STOP"}
    store.put(request.key, {"candidates": [candidate]}, request=request.summary())


def reject(store: Store, request: Request) -> None:
    put(store, request)
    store.reject(request.key, Rejection("answer_truncated", "…"))


def together(store: Store, of: list[Report]) -> list[str]:
    whole = whole_of(of, store)
    return list(whole.parts) if whole else []


def test_what_is_there_or_was_refused_is_not_asked_for_with_the_others(store: Store) -> None:
    all_of_them = reports()
    assert together(store, all_of_them) == list(TEMPLATES)
    put(store, asked(all_of_them[0]))
    assert together(store, all_of_them) == list(TEMPLATES[1:])
    reject(store, asked(all_of_them[1]))
    assert together(store, all_of_them) == []  # one alone is asked for as ever
    put(store, asked(all_of_them[1]))
    put(store, asked(all_of_them[2]))
    assert together(store, all_of_them) == []


def test_what_was_refused_as_a_whole_is_not_asked_for_so_again(store: Store) -> None:
    whole = whole_of(reports(), store)
    assert whole
    reject(store, whole.request)
    assert together(store, reports()) == []


def test_what_would_be_too_long_for_one_answer_is_asked_for_alone(store: Store) -> None:
    long = ("chinese_transcript", "meeting_minutes", *TEMPLATES)
    values = {"minutes": 200.0, "segment_minutes": 240}
    assert all(each.in_one_call for each in reports(*long, **values))
    assert together(store, reports(*long, **values)) == []
    assert together(store, reports(*long)) == list(long)


@pytest.mark.parametrize(
    "other", [{"media_resolution": "high"}, {"fps": 2}, {"model": "gemini-3.8-flash"}], ids=str
)
def test_only_what_is_asked_alike_is_asked_together(store: Store, other: dict[str, Any]) -> None:
    one, two, _ = TEMPLATES
    assert together(store, [report(one), report(two, **other)]) == []
    assert together(store, [*reports(), report("meeting_minutes", **other)]) == list(TEMPLATES)


def test_the_call_is_counted_once_and_none_of_what_it_brought(store: Store) -> None:
    def counted() -> list[int | None]:
        found = [calls_together(each, reports(), store, tier="standard") for each in reports()]
        return [None if calls is None else len(calls) for calls in found]

    assert counted() == [1, 0, 0]
    whole = whole_of(reports(), store)
    assert whole
    put(store, whole.request, *TEMPLATES[:2])  # the third was left out
    assert counted() == [0, 0, None]


def test_the_order_of_rows_is_without_effect_on_what_is_asked(store: Store) -> None:
    there, back = whole_of(reports(), store), whole_of(reports()[::-1], store)
    assert there
    assert back
    assert there.request.key == back.request.key
    assert set(there.request.schema["required"]) == set(TEMPLATES)
