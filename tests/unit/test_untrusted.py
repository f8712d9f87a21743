import contextlib

import pytest

from reelmake.untrusted import TookTooLongError, time_limit


def for_ever() -> None:
    while True:
        pass


class EndsNever:
    """Whatever is raised in a finaliser is lost."""

    def __del__(self) -> None:
        for_ever()


def stubborn() -> None:
    EndsNever()
    with contextlib.suppress(Exception):
        for_ever()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_handler_and_no_finaliser_stops_a_limit_of_time() -> None:
    with pytest.raises(TookTooLongError), time_limit(0.01):
        stubborn()
