from pathlib import Path
from typing import Any

import pytest
import yaml

from reelmake.config import Config, load_config
from reelmake.errors import Kind, ReelmakeError

ROOT = Path(__file__).parents[2]


def problems(values: dict[str, Any], *files: Path) -> str:
    with pytest.raises(ReelmakeError) as caught:
        load_config(values, files)
    assert caught.value.code == "config_invalid"
    assert caught.value.kind == Kind.INVALID_INPUT
    return caught.value.message


def test_only_the_videos_are_required() -> None:
    config = load_config({"videos": "lectures"})
    assert config.engine == "gemini"
    assert config.gemini.model == "gemini-3.5-flash-lite"
    assert "videos: missing" in problems({})


@pytest.mark.parametrize("written", ["out", "out/", "./out", "a/../out"])
def test_the_results_folder_has_one_spelling(written: str) -> None:
    assert load_config({"videos": "x", "results": written}).results == "out"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"vidoes": "x"}, "vidoes: unknown key; did you mean 'videos'?"),
        ({"gemini": {"zzz": 1}}, "gemini.zzz: unknown key; expected one of model, "),
        ({"gemini": {"vertex": {"projct": "p"}}}, "gemini.vertex.projct: unknown key; did you me"),
        ({"Engine": "local"}, "Engine: unknown key; did you mean 'engine'?"),
        ({"gemini": {"max-attempts": 2}}, "gemini.max-attempts: unknown key; did you mean 'max_a"),
        (
            {"gemini": {"tier": "batch", "vertex": {"project": "p"}}},
            "gemini.tier: batch needs an API key",
        ),
        ({"gemini": {"batch_fallback": ["free"]}}, "gemini.batch_fallback[0]: expected 'batch', "),
        ({"AIza": 1}, "AIza: unknown key; expected one of videos, "),
        ({"gemini": {"rpm": "many"}}, "gemini.rpm: expected a valid integer, found 'many'"),
        ({"gemini": {"rpm": 0}}, "gemini.rpm: expected greater than or equal to 1, found 0"),
        ({"engine": "gemni"}, "engine: expected 'gemini' or 'local', found 'gemni'"),
        ({"frames": "yes"}, "frames: expected a valid boolean, found 'yes'"),
        ({"language": "Chinese!"}, "language: "),
        ({"results": "a{b}"}, "results: expected a path without any of { } < >, found 'a{b}'"),
        ({"local": {"speech_model": "<x>"}}, "local.speech_model: expected a path without any of"),
        ({"videos": []}, "videos: "),
        ({"videos": ["a", 3]}, "videos[1]: expected a valid string, found 3"),
        ({"gemini": None}, "gemini: expected "),
        ({"gemini": {"quota_store": "http://x", "rpm": 1}}, "gemini.quota_store: expected "),
        ({"gemini": {"quota_store": "redis://x"}}, "gemini.quota_store: there is nothing to share"),
        ({"gemini": {"quota_store": "env:NONE_SUCH", "rpm": 1}}, "as NONE_SUCH, found none"),
        ({"gemini": {"quota_store": "env:PATH", "rpm": 1}}, "as PATH, found something else"),
    ],
)
def test_each_mistake_is_named_with_what_was_expected(
    values: dict[str, Any], expected: str
) -> None:
    assert expected in problems({"videos": "x", **values})


def test_on_the_command_line_numbers_and_yes_or_no_may_be_text() -> None:
    typed = {
        "frames": "no",
        "prune": "yes",
        "language": "no",
        "budget_usd": "null",
        "gemini": {"rpm": "null", "fps": "0.5", "max_attempts": "5", "retry_blocked": "true"},
    }
    config = load_config({"videos": "x", **typed}, typed=typed)
    assert (config.frames, config.prune, config.language) == (False, True, "no")
    gemini = config.gemini
    assert (gemini.rpm, gemini.fps, gemini.max_attempts) == (None, 0.5, 5)
    assert gemini.retry_blocked
    for wrong in ("many", "{", "[1]", "0"):
        typed = {"gemini": {"rpm": wrong}}
        with pytest.raises(ReelmakeError, match=r"gemini\.rpm: expected"):
            load_config({"videos": "x", **typed}, typed=typed)


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("videos: x\nengine: gemni\ngemini:\n  fps: 1\n  rpm: many\n")
    told = problems(yaml.safe_load(file.read_text()), file)
    assert f"engine ({file}, line 2)" in told
    assert f"gemini.rpm ({file}, line 5)" in told


@pytest.mark.parametrize(
    "values",
    [
        {"gemini": {"api_key": "whatever"}},
        {"GEMINI_API_KEY": "whatever"},
        {"notify": ["AIza" + "SyCanary" * 5]},
        {"gemini": {"rpm": "AQ." + "Ab8Canary" * 5}},
        {"results": "out/of-the-environment-Canary"},
        {"gemini": {"quota_store": "redis://user:whatever@host:6379/0", "rpm": 1}},
    ],
)
def test_a_secret_is_refused_and_not_repeated(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEYS", "one-of-the-environment, of-the-environment-Canary")
    told = problems({"videos": "x", **values})
    assert "a secret" in told
    assert "whatever" not in told
    assert "Canary" not in told


def test_sharing_quotas_needs_a_package_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told = problems({"videos": "x", "gemini": {"quota_store": "redis://host", "rpm": 1}})
    assert "requirements/cluster.txt" in told


def test_config_yaml_shows_every_key_with_its_default_and_a_comment() -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    shown = load_config(yaml.safe_load(text))
    assert shown.model_dump() == Config(videos="videos").model_dump()
    assert shown.model_fields_set == set(Config.model_fields)
    assert shown.gemini.model_fields_set == set(type(shown.gemini).model_fields)
    keys = [line for line in text.splitlines() if ":" in line and not line.startswith("#")]
    assert [line for line in keys if "#" not in line] == ["gemini:", "local:"]
