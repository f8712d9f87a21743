"""The real SDK over HTTP against the double: what is sent, retried, and never repeated."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gemini_double import TEST_KEY, Fault, GeminiDouble, Settings
from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.asking import Asker
from reelmake.gemini.budget import Budget
from reelmake.gemini.calling import Bill, Caller, Source
from reelmake.gemini.checked import Checked
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.keys import api_keys
from reelmake.gemini.projects import Projects
from reelmake.gemini.request import Clip, Request
from reelmake.gemini.stopping import Stopping
from reelmake.meter import Meter
from reelmake.pricing import cost_usd
from reelmake.results import Results

Result = TypeVar("Result")

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
}
TOO_MANY = "The input token count (1234567) exceeds the maximum number of tokens allowed (1048576)."
NOT_READY = "The File abc is not in an ACTIVE state and usage is not allowed."
SECOND_KEY = "second-key"
TIERS = ("flex", "standard")


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiDouble]:
    keys = {TEST_KEY: "first", SECOND_KEY: "second"}
    with GeminiDouble(Settings(keys=keys)) as service:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", service.url)
        yield service


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Retries wait no time; what they would have waited is listed."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("reelmake.gemini.retry.sleep", sleep)
    monkeypatch.setattr("reelmake.gemini.pacing.MINUTE_MS", 500)
    return waits


@pytest.fixture
def video(tmp_path: Path) -> Source:
    path = tmp_path / "讲座 – été.mkv"
    path.write_bytes(b"frames of a lecture")
    return Source(identity="sha256:" + "ab" * 32, path=path, sha256="ab" * 32)


def request(source: Source, model: str = "gemini-3.5-flash-lite", **clip: Any) -> Request:
    return Request(
        model=model,
        prompt="Report in English.",
        schema=SCHEMA,
        clip=Clip(identity=source.identity, fps=1.0, media_resolution="low", **clip),
    )


def take(answer: dict[str, Any]) -> Checked:
    return Checked({"text": answer["candidates"][0]["content"]["parts"][0]["text"]})


class Client:
    """Asks as a job does, with a store that stays."""

    def __init__(self, root: Path, *keys: str, **settings: Any) -> None:
        self.results = Results(root)
        self.store = self.results.store
        self.keys = keys or (TEST_KEY,)
        self.settings = GeminiSettings(**settings)
        self.bill = Bill()
        self.budget = Budget(None)
        self.meter = Meter()

    def ask(self, asked: Request, source: Source) -> Checked:
        (outcome,) = self.ask_together([asked], source)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def ask_together(
        self, asked: Sequence[Request], source: Source
    ) -> list[Checked | BaseException]:
        async def once() -> list[Checked | BaseException]:
            async with Projects(self.settings, self.keys, self.results) as projects:
                caller = Caller(
                    self.settings,
                    projects,
                    self.store,
                    budget=self.budget,
                    stopping=Stopping(),
                    meter=self.meter,
                )
                asker = Asker(self.settings, caller, self.store, run=asyncio.to_thread)
                asking = (asker.ask(each, source, take, self.bill) for each in asked)
                return await asyncio.gather(*asking, return_exceptions=True)

        return asyncio.run(once())

    def check(self) -> None:
        async def once() -> None:
            async with Projects(self.settings, self.keys, self.results) as projects:
                await projects.check(self.settings.model)

        asyncio.run(once())


def test_an_answer_is_bought_once(double: GeminiDouble, tmp_path: Path, video: Source) -> None:
    first = Client(tmp_path).ask(request(video), video)
    assert Client(tmp_path).ask(request(video), video) == first
    assert len(double.ledger.billed()) == 1
    assert double.ledger.count("upload_start") == 1
    (record,) = double.ledger.billed()
    assert record.store is False


def test_an_answer_that_the_sdk_can_not_read_is_kept_and_used(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    double.faults.add(Fault("other_kinds"))
    client = Client(tmp_path)
    assert client.ask(request(video), video)
    (answer,) = client.bill.answers.values()
    assert answer.answer["candidates"][0]["safety_ratings"] == "none"
    assert cost_usd("gemini-3.5-flash-lite", answer.answer["usage_metadata"], tier="standard")


def test_a_crash_right_after_the_answer_loses_nothing(
    double: GeminiDouble, tmp_path: Path, video: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(answer: dict[str, Any]) -> Checked:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setitem(globals(), "take", crash)
        with pytest.raises(MemoryError):
            Client(tmp_path).ask(request(video), video)
    assert Client(tmp_path).ask(request(video), video)
    assert len(double.ledger.billed()) == 1


@pytest.mark.parametrize(
    "change",
    [{"start_s": 1.0}, {"end_s": 9.5}, {"model": "gemini-3.8-flash"}],
)
def test_what_is_sent_otherwise_is_bought_anew_on_the_same_upload(
    double: GeminiDouble, tmp_path: Path, video: Source, change: dict[str, Any]
) -> None:
    Client(tmp_path).ask(request(video), video)
    Client(tmp_path).ask(request(video, **change), video)
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
    double: GeminiDouble, tmp_path: Path, video: Source, fault: Fault, billed: int
) -> None:
    double.faults.add(fault)
    client = Client(tmp_path, max_attempts=3)
    assert client.ask(request(video), video)
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
    double: GeminiDouble, tmp_path: Path, video: Source, fault: Fault, code: str
) -> None:
    double.faults.add(fault)
    with pytest.raises(ServiceError) as failed:
        Client(tmp_path, max_attempts=2).ask(request(video), video)
    assert failed.value.code == code
    assert double.ledger.billed() == []
    retried = failed.value.may_pass
    assert failed.value.attempts == (2 if retried else 1)


@pytest.mark.parametrize("action", ["stall", "slow_body"])
def test_a_call_that_never_answers_is_given_up(
    double: GeminiDouble, tmp_path: Path, video: Source, action: str
) -> None:
    double.faults.add(Fault(action))
    with pytest.raises(ServiceError) as failed:
        Client(tmp_path, max_attempts=1, timeout_s=0.5).ask(request(video), video)
    assert failed.value.code == "timed_out"


def test_the_service_is_given_the_time_that_it_asks_for(
    double: GeminiDouble, tmp_path: Path, video: Source, no_waiting: list[float]
) -> None:
    double.faults.add(Fault("rate_limited", retry_delay=0.5, times=1))
    Client(tmp_path).ask(request(video), video)
    assert no_waiting
    assert 0.5 <= no_waiting[0] <= 1.5


def test_a_redirect_is_not_followed_with_the_key(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    with GeminiDouble(Settings()) as elsewhere:
        double.faults.add(Fault("redirect", location=f"{elsewhere.url}/v1beta/models/x"))
        with pytest.raises(ServiceError, match="redirect"):
            Client(tmp_path).ask(request(video), video)
        assert elsewhere.ledger.records() == []


def test_an_overloaded_model_is_replaced_and_its_answer_found_again(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    double.faults.add(Fault("overloaded", model="gemini-3.5-flash-lite"))
    settings: dict[str, Any] = {"max_attempts": 2, "fallback_models": ["gemini-3.8-flash"]}
    client = Client(tmp_path, **settings)
    client.ask(request(video), video)
    assert [record.model for record in double.ledger.billed()] == ["gemini-3.8-flash"]
    double.faults.clear()
    Client(tmp_path, **settings).ask(request(video), video)
    assert len(double.ledger.billed()) == 1


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
            caller = Caller(
                client.settings,
                projects,
                client.store,
                budget=client.budget,
                stopping=Stopping(),
            )
            asker = Asker(client.settings, caller, client.store, run=asyncio.to_thread)
            with pytest.raises(ServiceError) as refused:
                await asker.ask(request(private), private, take, client.bill)
            assert refused.value.code == "address_refused"
            assert no in refused.value.message
            await asker.ask(request(public), public, take, client.bill)

    asyncio.run(both())


def test_a_useless_key_is_left_aside_for_the_next(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    Client(tmp_path, "canary-key", SECOND_KEY).ask(request(video), video)
    assert [record.project for record in double.ledger.billed()] == ["second"]
    assert double.ledger.count("upload_start", status=200) == 1


def test_a_failed_look_at_an_upload_is_tried_again(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    double.settings.update({"processing_polls": 1})
    double.faults.add(Fault("http_error", kind="file_get", code=503, times=1))
    client = Client(tmp_path, max_attempts=3)
    assert client.ask(request(video), video)
    assert double.faults.fired() == 1
    assert len(double.ledger.uploads()) == 1


def test_a_project_whose_day_is_spent_is_left_aside(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    Client(tmp_path, TEST_KEY, SECOND_KEY).ask(request(video), video)
    (first,) = double.ledger.billed()
    double.faults.add(Fault("day_spent", project=first.project))
    Client(tmp_path / "other", TEST_KEY, SECOND_KEY).ask(request(video), video)
    assert {record.project for record in double.ledger.billed()} == {"first", "second"}


def test_a_video_stays_with_one_project_in_any_order_of_keys(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    Client(tmp_path / "a", TEST_KEY, SECOND_KEY).ask(request(video), video)
    Client(tmp_path / "b", SECOND_KEY, TEST_KEY).ask(request(video), video)
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


def test_flex_that_stays_refused_is_bought_at_the_full_price(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    double.faults.add(Fault("overloaded", times=3))
    client = Client(tmp_path, tier="flex", max_attempts=3)
    client.ask(request(video), video)
    tiers = [record.service_tier for record in double.ledger.records("generate")]
    assert tiers == ["flex", "flex", "flex", "standard"]
    (stored,) = client.bill.answers.values()
    assert stored.request["tier"] == "standard"


def test_flex_costs_half(double: GeminiDouble, tmp_path: Path, video: Source) -> None:
    client = Client(tmp_path, tier="flex")
    client.ask(request(video), video)
    (record,) = double.ledger.billed()
    (stored,) = client.bill.answers.values()
    usage = stored.answer["usage_metadata"]
    flex, standard = (cost_usd(str(record.model), usage, tier=tier) for tier in TIERS)
    assert record.usd == pytest.approx(flex)
    assert standard == pytest.approx(2 * record.usd)


def test_a_day_that_the_service_calls_spent_says_when_to_go_on(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    double.faults.add(Fault("day_spent"))
    with pytest.raises(ServiceError, match=r"renewed at \d{4}-\d\d-\d\d 00:00 P[SD]T") as caught:
        Client(tmp_path).ask(request(video), video)
    assert "retry" not in caught.value.message  # as the service says, in a second
    assert double.ledger.count("generate") == 1


def test_what_a_spent_day_left_over_goes_to_the_next_project(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    client = Client(tmp_path, TEST_KEY, SECOND_KEY, rpd=1)
    for end_s in (1.0, 2.0):
        client.ask(request(video, end_s=end_s), video)
    with pytest.raises(ServiceError, match=r"1 requests of `gemini.rpd` are spent"):
        client.ask(request(video, end_s=3.0), video)
    assert {record.project for record in double.ledger.billed()} == {"first", "second"}


def test_who_waits_for_a_project_whose_day_is_spent_does_not_ask_it(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    double.faults.add(Fault("day_spent", project="first"))
    double.settings.update({"latency": 0.2})
    client = Client(tmp_path, TEST_KEY, max_in_flight=1)
    outcomes = client.ask_together(
        [request(video, end_s=end_s) for end_s in (1.0, 2.0, 3.0)], video
    )
    assert [error.code for error in outcomes if isinstance(error, ServiceError)] == [
        "quota_per_day"
    ] * 3
    assert double.ledger.count("generate") == 1


def test_an_answer_that_was_lost_on_its_way_counts_as_spent(
    double: GeminiDouble, tmp_path: Path, video: Source
) -> None:
    double.faults.add(Fault("lost_answer", times=1))
    client = Client(tmp_path)
    client.ask(request(video), video)
    first, second = double.ledger.billed()
    assert client.budget.spent_usd > second.usd
    assert (client.meter.bought, client.meter.lost) == (1, 1)
    assert first.answered is False
