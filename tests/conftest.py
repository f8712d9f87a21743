"""For all tests."""

import os

import pytest
from hypothesis import settings

# Generated examples are not timed, since a busy machine is no fault of the code.
settings.register_profile("reelmake", deadline=None)
settings.load_profile("reelmake")

_TRACE = "COVERAGE_PROCESS_CONFIG"


def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: most tests wait, for other processes and for moments."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session", autouse=True)
def tracing() -> str | None:
    """What has coverage measured in processes that tests start: not in all, for it takes long."""
    return os.environ.pop(_TRACE, None)


@pytest.fixture(autouse=True)
def trace_where_asked(
    request: pytest.FixtureRequest, tracing: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tracing and request.node.get_closest_marker("traced"):
        monkeypatch.setenv(_TRACE, tracing)
