"""What concerns the whole account: keys that can not be used, and secrets."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gemini_double import Fault, GeminiDouble, Settings
from sample_videos import GREEN, RED, make_video
from workflow.conftest import Project

KEY = "canary-key-that-must-not-show"


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(keys={KEY: "first"})) as service:
        yield service


@pytest.fixture
def gemini(project: Project, double: GeminiDouble) -> Project:
    (project.folder / "videos").mkdir(parents=True)
    for name, colour in (("one", RED), ("two", GREEN)):
        make_video(project.folder / f"videos/{name}.mp4", [(colour, 20.0)], size=(64, 64), fps=2)
    project.config |= {"engine": "gemini", "frames": False}
    project.environment |= {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
    return project


@pytest.mark.parametrize(
    ("environment", "settings", "told"),
    [
        ({"GEMINI_API_KEY": ""}, {}, "no API key in the environment"),
        ({"GEMINI_API_KEY": "canary-mistyped"}, {}, "API key not valid"),
        ({}, {"model": "gemini-0-nothing"}, "gemini-0-nothing"),
        ({}, {"fallback_models": ["gemini-3.8-flash", "gemini-0-nothing"]}, "gemini-0-nothing"),
    ],
)
def test_an_unusable_account_stops_the_run_at_once_with_one_message(
    gemini: Project,
    double: GeminiDouble,
    environment: dict[str, str],
    settings: dict[str, Any],
    told: str,
) -> None:
    gemini.environment |= environment
    gemini.config["gemini"] = settings
    run = gemini.run()
    assert run.code == 1
    assert run.output.count(told) == 1
    assert "Traceback" not in run.output
    assert "canary" not in run.output
    assert double.ledger.uploads() == []
    assert double.ledger.billed() == []


def test_secrets_show_nowhere(gemini: Project, double: GeminiDouble) -> None:
    double.settings.update({"latency": 2.0})
    double.faults.add(
        Fault("http_error", code=400, message="files/canary-uri is not to be read", nth=2),
        Fault("upload_reset", times=1),
        Fault("file_vanished", times=1),
    )
    process = gemini.start()
    command_lines = set()
    while process.poll() is None:
        command_lines |= set(_command_lines())
        time.sleep(0.05)
    output = process.communicate()[0]
    secrets = [KEY, *double.files.upload_ids(), *(file.uri for file in double.files)]
    assert len(secrets) > 3
    found = [
        (secret, place)
        for secret in secrets
        for place, text in [("output", output), *enumerate(command_lines), *_texts(gemini.folder)]
        if secret in text
    ]
    assert found == []


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().decode(errors="replace")
        except OSError:
            continue


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes().decode(errors="replace")
