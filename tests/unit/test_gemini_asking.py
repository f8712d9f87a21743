"""When an answer is bought again, from whom, and when it is not."""

from pathlib import Path
from typing import Any

import pytest

from gemini_double import Fault, GeminiDouble
from reelmake.gemini.calling import Source
from reelmake.gemini.checked import Checked, InvalidAnswer
from reelmake.gemini.failures import ServiceError
from unit.gemini_client import Client, request

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.mark.parametrize(
    ("code", "retry_blocked", "bought"),
    [
        ("answer_blocked", False, 1),
        ("answer_blocked", True, 2),
        ("answer_truncated", False, 2),
        ("answer_truncated", True, 2),
    ],
)
def test_what_was_refused_is_bought_again_but_for_what_is_blocked(
    double: GeminiDouble,
    tmp_path: Path,
    lecture: Source,
    *,
    code: str,
    retry_blocked: bool,
    bought: int,
) -> None:
    def refuse(answer: dict[str, Any]) -> Checked:
        raise InvalidAnswer(code, "no")

    for _ in range(2):
        with pytest.raises(InvalidAnswer) as refused:
            Client(tmp_path, retry_blocked=retry_blocked).ask(request(lecture), lecture, refuse)
        assert refused.value.code == code
    assert len(double.ledger.billed()) == bought


@pytest.mark.parametrize(
    "error", [AttributeError, IndexError, KeyError, RecursionError, ValueError, ZeroDivisionError]
)
@pytest.mark.usefixtures("double")
def test_an_answer_that_can_not_be_read_is_never_kept_as_good(
    tmp_path: Path, lecture: Source, error: type[Exception]
) -> None:
    def stumble(answer: dict[str, Any]) -> Checked:
        raise error

    client, asked = Client(tmp_path), request(lecture)
    with pytest.raises(InvalidAnswer, match=error.__name__):
        client.ask(asked, lecture, stumble)
    assert client.store.get(asked.key) is None
    rejection = client.store.rejection(asked.key)
    assert rejection
    assert rejection.code == "answer_wrong_shape"


@pytest.mark.parametrize(
    ("fault", "tiers"),
    [
        (Fault("overloaded"), {"flex", "standard"}),
        (Fault("rate_limited"), {"flex", "standard"}),
        (Fault("http_error", code=400), {"flex"}),
    ],
    ids=lambda value: value.action if isinstance(value, Fault) else "",
)
def test_the_full_price_is_paid_only_where_flex_has_no_room(
    double: GeminiDouble, tmp_path: Path, lecture: Source, fault: Fault, tiers: set[str]
) -> None:
    double.faults.add(fault)
    with pytest.raises(ServiceError):
        Client(tmp_path, tier="flex", max_attempts=1).ask(request(lecture), lecture)
    assert {record.service_tier for record in double.ledger.records("generate")} == tiers
