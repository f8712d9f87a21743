"""Which key's project is asked, which are left aside, and what the account is told before."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gemini_double import TEST_KEY, Fault, GeminiDouble
from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.calling import Source
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.keys import api_keys
from reelmake.gemini.pacific import pacific_now
from reelmake.gemini.projects import Projects
from reelmake.results import Results
from unit.gemini_client import SECOND_KEY, Client, request, take

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_a_useless_key_is_left_aside_for_the_next(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    Client(tmp_path, "canary-key", SECOND_KEY).ask(request(lecture), lecture)
    assert [record.project for record in double.ledger.billed()] == ["second"]
    assert double.ledger.count("upload_start", status=200) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "day_spent"},
        {"action": "http_error", "code": 403, "status": "PERMISSION_DENIED"},
        {"action": "http_error", "code": 401, "status": "UNAUTHENTICATED"},
    ],
    ids=str,
)
def test_a_project_that_can_not_be_asked_is_left_aside(
    double: GeminiDouble, tmp_path: Path, lecture: Source, fault: dict[str, Any]
) -> None:
    Client(tmp_path, TEST_KEY, SECOND_KEY).ask(request(lecture), lecture)
    (first,) = double.ledger.billed()
    double.faults.add(Fault(project=first.project, **fault))
    Client(tmp_path / "other", TEST_KEY, SECOND_KEY).ask(request(lecture), lecture)
    assert {record.project for record in double.ledger.billed()} == {"first", "second"}


def test_a_video_stays_with_one_project_in_any_order_of_keys(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    Client(tmp_path / "a", TEST_KEY, SECOND_KEY).ask(request(lecture), lecture)
    Client(tmp_path / "b", SECOND_KEY, TEST_KEY).ask(request(lecture), lecture)
    assert len({record.project for record in double.ledger.billed()}) == 1
    assert len(double.ledger.uploads()) == 1


@pytest.mark.parametrize(
    ("keys", "model", "code"),
    [
        (("canary-key", "canary-key-2"), "gemini-3.5-flash-lite", "key_invalid"),
        ((TEST_KEY,), "gemini-0-flash", "model_unknown"),
    ],
)
def test_the_account_is_checked_by_one_free_call(
    double: GeminiDouble, tmp_path: Path, keys: tuple[str, ...], model: str, code: str
) -> None:
    with pytest.raises(ReelmakeError) as failed:
        Client(tmp_path, *keys, model=model).check()
    assert failed.value.code == code
    assert "canary-key" not in str(failed.value)
    Client(tmp_path, "canary-key", TEST_KEY).check()
    assert double.ledger.billed() == []


@pytest.mark.parametrize(
    ("environment", "keys"),
    [
        ({}, []),
        ({"GEMINI_API_KEY": "a"}, ["a"]),
        ({"GOOGLE_API_KEY": "b"}, ["b"]),
        ({"GEMINI_API_KEYS": "a, b,,a", "GEMINI_API_KEY": "c"}, ["a", "b"]),
        ({"GEMINI_API_KEY": " "}, []),
    ],
)
def test_keys_come_from_the_environment(environment: dict[str, str], keys: list[str]) -> None:
    assert api_keys(environment) == keys


def test_without_a_key_nothing_is_tried(tmp_path: Path) -> None:
    with pytest.raises(ReelmakeError, match="no API key"):
        Projects(GeminiSettings(), [], Results(tmp_path)).choose("")


@pytest.mark.parametrize(
    "no",
    [
        "The caller does not have permission",
        "You do not have permission to access the file or it may not exist.",
    ],
)
def test_an_address_that_may_not_be_opened_leaves_the_account_alone(
    double: GeminiDouble, tmp_path: Path, no: str
) -> None:
    private, public = (
        Source(identity=url, url=url)
        for url in ("https://youtu.be/private0000", "https://youtu.be/public00000")
    )
    refusal = Fault("http_error", code=403, status="PERMISSION_DENIED", message=no, times=1)
    double.faults.add(refusal)

    async def both() -> None:
        client = Client(tmp_path)
        async with Projects(client.settings, client.keys, client.results) as projects:
            asker = client.asker(projects)
            with pytest.raises(ServiceError) as refused:
                await asker.ask(request(private), private, take, client.bill)
            assert refused.value.code == "address_refused"
            assert no in refused.value.message
            await asker.ask(request(public), public, take, client.bill)

    asyncio.run(both())


@pytest.mark.parametrize("no", ["Your API key was reported as leaked", "No billing account"])
def test_an_account_that_may_not_ask_is_not_taken_for_a_private_video(
    double: GeminiDouble, tmp_path: Path, no: str
) -> None:
    double.faults.add(Fault("http_error", code=403, status="PERMISSION_DENIED", message=no))
    video = Source(identity="https://youtu.be/a", url="https://youtu.be/a")
    with pytest.raises(ServiceError) as refused:
        Client(tmp_path).ask(request(video), video)
    assert refused.value.code == "permission_denied"


def test_a_day_that_the_service_calls_spent_says_when_to_go_on(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.faults.add(Fault("day_spent"))
    with pytest.raises(ServiceError, match=r"renewed at \d{4}-\d\d-\d\d 00:00 P[SD]T") as caught:
        Client(tmp_path).ask(request(lecture), lecture)
    assert "retry" not in caught.value.message  # as the service says, in a second
    assert double.ledger.count("generate") == 1


def test_what_a_spent_day_left_over_goes_to_the_next_project(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    client = Client(tmp_path, TEST_KEY, SECOND_KEY, rpd=1)
    for end_s in (1.0, 2.0):
        client.ask(request(lecture, end_s=end_s), lecture)
    with pytest.raises(ServiceError, match=r"1 requests of `gemini.rpd` are spent"):
        client.ask(request(lecture, end_s=3.0), lecture)
    assert {record.project for record in double.ledger.billed()} == {"first", "second"}


def test_a_project_whose_day_was_spent_is_asked_again_on_the_next(
    double: GeminiDouble, tmp_path: Path, lecture: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    double.faults.add(Fault("day_spent", times=1))
    client = Client(tmp_path)

    async def two_days() -> None:
        async with Projects(client.settings, client.keys, client.results) as projects:
            with pytest.raises(ServiceError, match="day's quota"):
                await client.asker(projects).ask(request(lecture), lecture, take, client.bill)
            tomorrow = pacific_now() + timedelta(days=1)
            monkeypatch.setattr("reelmake.gemini.projects.pacific_now", lambda: tomorrow)
            await client.asker(projects).ask(request(lecture), lecture, take, client.bill)

    asyncio.run(two_days())


@pytest.mark.parametrize(("code", "usable"), [("quota_per_day", True), ("key_invalid", False)])
def test_only_a_spent_day_is_forgotten_on_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, usable: bool
) -> None:
    projects = Projects(GeminiSettings(), [TEST_KEY], Results(tmp_path))
    (project,) = projects.all
    projects.set_aside(project, ServiceError(code, "no"))
    with pytest.raises(ServiceError):
        projects.choose("")
    tomorrow = pacific_now() + timedelta(days=1)
    monkeypatch.setattr("reelmake.gemini.projects.pacific_now", lambda: tomorrow)
    assert (project.fault is None) == usable


def test_who_waits_for_a_project_whose_day_is_spent_does_not_ask_it(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    double.faults.add(Fault("day_spent", project="first"))
    double.settings.update({"latency": 0.2})
    client = Client(tmp_path, TEST_KEY, max_in_flight=1)
    outcomes = client.ask_together(
        [request(lecture, end_s=end_s) for end_s in (1.0, 2.0, 3.0)], lecture
    )
    assert [error.code for error in outcomes if isinstance(error, ServiceError)] == [
        "quota_per_day"
    ] * 3
    assert double.ledger.count("generate") == 1
