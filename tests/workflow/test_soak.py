"""The short form of `benchmarks/soak.py`: a few interruptions of a few videos, by fixed seeds."""

from pathlib import Path
from random import Random

import pytest

from gemini_double import TEST_KEY, GeminiDouble, Settings
from sample_videos import many_videos
from workflow.conftest import SUMMARY, Project
from workflow.soak import soak


@pytest.mark.parametrize("seed", [5, 11])
def test_interrupted_at_random_a_run_still_comes_to_its_end_and_pays_once(
    seed: int, tmp_path: Path
) -> None:
    with GeminiDouble(Settings(latency=1.0)) as double:
        many_videos(tmp_path / "videos", 12)
        key = {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
        project = Project(tmp_path, dict(SUMMARY), key)
        chosen = Random(seed)  # noqa: S311  reproducible on purpose
        found = soak(project, double, chosen, interruptions=3, longest_s=4.0, cores=3)
        assert found.reports == 12
        assert found.billed == 12 + found.lost
