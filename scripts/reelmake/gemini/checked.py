"""What an answer is checked against, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reelmake.analysis import Notice
from reelmake.errors import ReelmakeError


class InvalidAnswer(ReelmakeError):  # noqa: N818  an answer is what it is
    """An answer that was paid for and can't be taken: kept as evidence, never as a result."""

    @property
    def smaller_segments_may_help(self) -> bool:
        return self.code in {
            "answer_truncated",
            "answer_not_json",
            "answer_repeats_itself",
            "transcript_incomplete",
        }


def _never(start_s: float, end_s: float) -> bool:  # noqa: ARG001
    return False


@dataclass(frozen=True, slots=True)
class Window:
    """What was asked about: seconds of the video (``end_s`` None: unknown), and the language.

    ``is_silent`` listens to the recording between two moments.
    """

    language: str
    start_s: float = 0.0
    end_s: float | None = None
    is_silent: Callable[[float, float], bool] = _never


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer that holds: all its times are seconds from the beginning of the video."""

    content: dict[str, Any]
    notices: list[Notice] = field(default_factory=list)
