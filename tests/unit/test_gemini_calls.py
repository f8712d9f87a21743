"""The real SDK over HTTP against the double: what is sent, retried, and never repeated."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from gemini_double import Fault, GeminiDouble, Settings
from reelmake.errors import ReelmakeError
from reelmake.gemini.budget import Budget
from reelmake.gemini.calling import Source
from reelmake.gemini.checked import Checked
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.projects import Projects
from reelmake.pricing import cost_usd
from unit.gemini_client import Client, request, take

TOO_MANY = "The input token count (1234567) exceeds the maximum number of tokens allowed (1048576)."
NOT_READY = "The File abc is not in an ACTIVE state and usage is not allowed."
TIERS = ("flex", "standard")

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_an_answer_is_bought_once(double: GeminiDouble, tmp_path: Path, lecture: Source) -> None:
    first = Client(tmp_path).ask(request(lecture), lecture)
    assert Client(tmp_path).ask(request(lecture), lecture) == first
    assert len(double.ledger.billed()) == 1
    assert double.ledger.count("upload_start") == 1
    (record,) = double.ledger.billed()
    assert record.store is False


def test_of_several_that_ask_the_same_at_once_one_buys(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.settings.update({"latency": 0.2})
    outcomes = Client(tmp_path).ask_together([request(lecture)] * 4, lecture)
    assert all(isinstance(outcome, Checked) for outcome in outcomes)
    assert len(double.ledger.billed()) == 1


def test_an_answer_that_the_sdk_can_not_read_is_kept_and_used(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.faults.add(Fault("other_kinds"))
    client = Client(tmp_path)
    assert client.ask(request(lecture), lecture)
    (answer,) = client.bill.answers.values()
    assert answer.answer["candidates"][0]["safety_ratings"] == "none"
    assert cost_usd("gemini-3.5-flash-lite", answer.answer["usage_metadata"], tier="standard")


def test_a_crash_right_after_the_answer_loses_nothing(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    def crash(answer: dict[str, Any]) -> Checked:
        raise MemoryError

    with pytest.raises(MemoryError):
        Client(tmp_path).ask(request(lecture), lecture, crash)
    assert Client(tmp_path).ask(request(lecture), lecture)
    assert len(double.ledger.billed()) == 1


def test_what_the_budget_does_not_allow_is_not_asked(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    client = Client(tmp_path)
    client.budget = Budget(1e-9)
    with pytest.raises(ReelmakeError) as refused:
        client.ask(request(lecture), lecture)
    assert refused.value.code == "budget_reached"
    assert double.ledger.count("generate") == 0


def test_an_answer_that_is_being_kept_is_kept_though_everything_ends(
    double: GeminiDouble, tmp_path: Path, lecture: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, asked = Client(tmp_path), request(lecture)
    begun, ended, sync = threading.Event(), threading.Event(), os.fsync

    def slow_disk(descriptor: int) -> None:
        if client.store.root in Path(f"/proc/self/fd/{descriptor}").readlink().parents:
            begun.set()
            ended.wait(10)
        sync(descriptor)

    async def main() -> None:
        async with Projects(client.settings, client.keys, client.results) as projects:
            asking = client.asker(projects).ask(asked, lecture, take, client.bill)
            call = asyncio.create_task(asking)
            await asyncio.to_thread(begun.wait, 10)
            call.cancel()
            await asyncio.wait([call], timeout=0.1)
            ended.set()
            await asyncio.wait([call])
            assert call.cancelled()

    monkeypatch.setattr(os, "fsync", slow_disk)
    asyncio.run(main())
    assert len(double.ledger.billed()) == 1
    assert client.store.get(asked.key)


@pytest.mark.parametrize(
    "change",
    [{"start_s": 1.0}, {"end_s": 9.5}, {"model": "gemini-3.8-flash"}],
)
def test_what_is_sent_otherwise_is_bought_anew_on_the_same_upload(
    double: GeminiDouble, tmp_path: Path, lecture: Source, change: dict[str, Any]
) -> None:
    Client(tmp_path).ask(request(lecture), lecture)
    Client(tmp_path).ask(request(lecture, **change), lecture)
    assert len(double.ledger.billed()) == 2
    assert double.ledger.count("upload_start") == 1


@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        (Fault("overloaded", times=2), 1),
        (Fault("http_error", code=500, times=1), 1),
        (Fault("http_error", code=408, status="DEADLINE_EXCEEDED", times=1), 1),
        (Fault("rate_limited", times=2), 1),
        (Fault("reset", times=1), 1),
        (Fault("truncated_body", times=1), 2),
        (Fault("lost_answer", times=1), 2),
        (Fault("upload_reset", times=1), 1),
        (Fault("http_error", kind="upload_start", code=503, times=1), 1),
        (Fault("file_vanished", times=1), 1),
        *((Fault("http_error", code=code, times=1), 1) for code in (409, 425, 499, 520, 529)),
        (Fault("http_error", code=404, message="File abc not found.", times=1), 1),
        (Fault("http_error", code=400, message=NOT_READY, times=1), 1),
        # By which the SDK finds that an upload has no end, with an error of no kind of its own.
        (Fault("http_error", kind="upload_chunk", code=200, times=1), 1),
    ],
)
def test_what_may_pass_is_tried_again(
    double: GeminiDouble, tmp_path: Path, lecture: Source, fault: Fault, billed: int
) -> None:
    double.faults.add(fault)
    client = Client(tmp_path, max_attempts=3)
    assert client.ask(request(lecture), lecture)
    assert double.faults.fired() > 0
    assert len(double.ledger.billed()) == billed
    assert client.bill.attempts > 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("overloaded"), "overloaded"),
        (Fault("rate_limited"), "quota_per_minute"),
        (Fault("day_spent"), "quota_per_day"),
        (Fault("reset"), "connection_lost"),
        (Fault("redirect"), "redirected"),
        (Fault("http_error", code=400, status="INVALID_ARGUMENT"), "request_refused"),
        (Fault("http_error", code=400, message=TOO_MANY), "too_many_tokens"),
        (Fault("http_error", code=403, status="PERMISSION_DENIED"), "permission_denied"),
        (Fault("file_failed"), "video_refused"),
        (Fault("upload_reset"), "connection_lost"),
    ],
)
def test_what_does_not_pass_is_named(
    double: GeminiDouble, tmp_path: Path, lecture: Source, fault: Fault, code: str
) -> None:
    double.faults.add(fault)
    with pytest.raises(ServiceError) as failed:
        Client(tmp_path, max_attempts=2).ask(request(lecture), lecture)
    assert failed.value.code == code
    assert double.ledger.billed() == []
    retried = failed.value.may_pass
    assert failed.value.attempts == (2 if retried else 1)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("stall"),
        Fault("slow_body"),
        *(Fault("slow_body", kind=kind) for kind in ("upload_chunk", "file_get")),
    ],
    ids=lambda fault: f"{fault.action} {fault.kind}",
)
def test_a_call_that_never_answers_is_given_up(
    double: GeminiDouble, tmp_path: Path, lecture: Source, fault: Fault
) -> None:
    double.settings.update({"processing_polls": 1})
    double.faults.add(fault)
    with pytest.raises(ServiceError) as failed:
        Client(tmp_path, max_attempts=1, timeout_s=0.5).ask(request(lecture), lecture)
    assert failed.value.code == "timed_out"


def test_the_service_is_given_the_time_that_it_asks_for(
    double: GeminiDouble, tmp_path: Path, lecture: Source, no_waiting: list[float]
) -> None:
    double.faults.add(Fault("rate_limited", retry_delay=0.5, times=1))
    Client(tmp_path).ask(request(lecture), lecture)
    assert no_waiting
    assert 0.5 <= no_waiting[0] <= 1.5


def test_a_redirect_is_not_followed_with_the_key(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    with GeminiDouble(Settings()) as elsewhere:
        double.faults.add(Fault("redirect", location=f"{elsewhere.url}/v1beta/models/x"))
        with pytest.raises(ServiceError, match="redirect"):
            Client(tmp_path).ask(request(lecture), lecture)
        assert elsewhere.ledger.records() == []


def test_an_overloaded_model_is_replaced_and_its_answer_found_again(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    for busy in ("gemini-3.5-flash-lite", "gemini-3.6-flash"):
        double.faults.add(Fault("overloaded", model=busy))
    models = ["gemini-3.6-flash", "gemini-3.8-flash"]
    settings: dict[str, Any] = {"max_attempts": 2, "fallback_models": models}
    client = Client(tmp_path, **settings)
    client.ask(request(lecture), lecture)
    assert [record.model for record in double.ledger.billed()] == ["gemini-3.8-flash"]
    double.faults.clear()
    Client(tmp_path, **settings).ask(request(lecture), lecture)
    assert len(double.ledger.billed()) == 1


def test_only_an_overloaded_model_is_replaced(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.faults.add(Fault("http_error", code=400, model="gemini-3.5-flash-lite"))
    with pytest.raises(ServiceError) as refused:
        Client(tmp_path, fallback_models=["gemini-3.8-flash"]).ask(request(lecture), lecture)
    assert refused.value.code == "request_refused"
    assert double.ledger.billed() == []


def test_a_failed_look_at_an_upload_is_tried_again(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.settings.update({"processing_polls": 1})
    double.faults.add(Fault("http_error", kind="file_get", code=503, times=1))
    client = Client(tmp_path, max_attempts=3)
    assert client.ask(request(lecture), lecture)
    assert double.faults.fired() == 1
    assert len(double.ledger.uploads()) == 1


def test_flex_that_stays_refused_is_bought_at_the_full_price(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.faults.add(Fault("overloaded", times=3))
    client = Client(tmp_path, tier="flex", max_attempts=3)
    client.ask(request(lecture), lecture)
    tiers = [record.service_tier for record in double.ledger.records("generate")]
    assert tiers == ["flex", "flex", "flex", "standard"]
    (stored,) = client.bill.answers.values()
    assert stored.request["tier"] == "standard"


def test_flex_costs_half(double: GeminiDouble, tmp_path: Path, lecture: Source) -> None:
    client = Client(tmp_path, tier="flex")
    client.ask(request(lecture), lecture)
    (record,) = double.ledger.billed()
    (stored,) = client.bill.answers.values()
    usage = stored.answer["usage_metadata"]
    flex, standard = (cost_usd(str(record.model), usage, tier=tier) for tier in TIERS)
    assert record.usd == pytest.approx(flex)
    assert standard == pytest.approx(2 * record.usd)
    assert client.budget.spent_usd == pytest.approx(flex)
    assert stored.request["tier"] == "flex"


def test_an_answer_that_was_lost_on_its_way_counts_as_spent(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.faults.add(Fault("lost_answer", times=1))
    client = Client(tmp_path)
    client.ask(request(lecture), lecture)
    first, second = double.ledger.billed()
    assert client.budget.spent_usd > second.usd
    assert (client.meter.bought, client.meter.lost) == (1, 1)
    assert (client.bill.attempts, client.meter.tries) == (2, 2)
    assert first.answered is False


def test_an_answer_that_did_not_come_in_time_counts_as_spent(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.faults.add(Fault("stall"))
    client = Client(tmp_path, max_attempts=1, timeout_s=0.5)
    with pytest.raises(ServiceError):
        client.ask(request(lecture), lecture)
    assert client.meter.lost == 1
    assert client.budget.spent_usd > 0


@pytest.mark.parametrize(("fault", "asked_again"), [("rate_limited", True), ("overloaded", False)])
def test_only_what_the_quota_refused_is_not_counted_for_the_day(
    double: GeminiDouble, tmp_path: Path, lecture: Source, fault: str, asked_again: bool
) -> None:
    double.faults.add(Fault(fault, times=1))
    client = Client(tmp_path, rpd=1)
    (outcome,) = client.ask_together([request(lecture)], lecture)
    assert double.ledger.count("generate") == 1 + asked_again
    assert getattr(outcome, "code", None) == (None if asked_again else "quota_per_day")
