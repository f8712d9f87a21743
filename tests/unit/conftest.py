"""What several of the modules here need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, GeminiDouble, Settings
from reelmake.gemini.calling import Source
from unit.gemini_client import SECOND_KEY


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiDouble]:
    """The service, with one key of each of two projects."""
    keys = {TEST_KEY: "first", SECOND_KEY: "second"}
    with GeminiDouble(Settings(keys=keys)) as service:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", service.url)
        monkeypatch.setenv("GEMINI_API_KEY", TEST_KEY)
        monkeypatch.delenv("GEMINI_API_KEYS", raising=False)
        yield service


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Retries wait no time; what they would have waited is listed."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("reelmake.gemini.retry.sleep", sleep)
    monkeypatch.setattr("reelmake.gemini.pacing.MINUTE_MS", 500)
    return waits


@pytest.fixture
def lecture(tmp_path: Path) -> Source:
    """A file that is sent as it is, and that only the service would have to read."""
    path = tmp_path / "讲座 – été.mkv"
    path.write_bytes(b"frames of a lecture")
    return Source(identity="sha256:" + "ab" * 32, path=path, sha256="ab" * 32)
