import pytest
from google.genai import errors as sdk

from reelmake.errors import ReelmakeError
from reelmake.gemini.failures import ServiceError, classify
from reelmake.gemini.keys import api_keys
from reelmake.redaction import redact


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEYS", "canary-one, canary-two")


@pytest.mark.parametrize(
    "text",
    [
        "header value b'canary-two'",
        "Consumer 'api_key:AIzaSyCanaryCanary' has been suspended",
        "https://generativelanguage.googleapis.com/v1beta/files/canary-uri is not there",
        "https://upload.example/upload/v1beta/files?upload_id=canary",
        "You can't access the File files/canary-file",
    ],
)
def test_keys_and_addresses_are_taken_out(text: str) -> None:
    assert "canary" not in redact(text).lower()
    assert "***" in str(ServiceError("request_refused", text))


def test_other_text_stays_as_it_is() -> None:
    text = "results/files.tsv, https://www.youtube.com/watch?v=abc and videos/a.mp4"
    assert redact(text) == text


def test_keys_may_stand_on_lines_of_their_own_and_a_broken_one_is_not_repeated() -> None:
    assert api_keys({"GEMINI_API_KEYS": "one\ntwo"}) == ["one", "two"]
    with pytest.raises(ReelmakeError) as refused:
        api_keys({"GEMINI_API_KEY": "canary\u200b"})
    assert refused.value.code == "key_invalid"
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "details", [None, 7, ["a"], [{"violations": None}], [{"violations": ["a"]}]]
)
def test_odd_error_bodies_are_classified_all_the_same(details: object) -> None:
    body = {"error": {"code": 429, "message": "slow down", "details": details}}
    assert classify(sdk.ClientError(429, body)).code == "quota_per_minute"


def test_a_wait_of_a_day_is_left_to_the_next_run() -> None:
    error = ServiceError("quota_per_minute", "429", retry_after_s=86_399)
    assert not error.may_pass
