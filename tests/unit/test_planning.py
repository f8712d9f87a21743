"""What a plan learns from the reports that are there."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from reelmake.config import GeminiSettings
from reelmake.planning.gemini_engine import GeminiEngine
from reelmake.results import Results
from reelmake.samples import sample_analyses


@pytest.mark.parametrize(
    ("attempts_and_seconds", "learned"),
    [
        ([(1, 30.0)], None),
        ([(1, 30.0), (2, 50.0)], 40.0),
        ([(0, 0.0), (0, 0.1)], None),
        ([(1, 30.0), (0, 0.0), (0, 0.0), (1, 50.0)], 40.0),
    ],
    ids=["one is too few", "asked", "found in the store", "both"],
)
def test_seconds_a_call_come_from_what_was_asked(
    attempts_and_seconds: Sequence[tuple[int, float]], learned: float | None, tmp_path: Path
) -> None:
    rich, _ = sample_analyses("summary_report", "en", {})
    analyses = [
        rich.model_copy(update={"attempts": attempts, "seconds": seconds})
        for attempts, seconds in attempts_and_seconds
    ]
    settings = GeminiSettings(model=rich.engine.model)
    assert GeminiEngine(settings, Results(tmp_path), analyses).learned_seconds == learned
