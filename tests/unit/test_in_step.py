"""Files that say the same thing in two places stay in step."""

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reelmake import __version__
from reelmake.config import Config, GeminiSettings, LocalSettings
from reelmake.schemas import RECORDS, schema_text
from workflow.fault_table import as_markdown

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("write_envs", ROOT / "requirements/write_envs.py")
assert spec
assert spec.loader
write_envs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(write_envs)

CHANGELOG = ROOT / "CHANGELOG.md"
LOCKS = ("gemini", "local", "dev", "uv", "youtube", "storage", "cluster")


@pytest.mark.parametrize("name", RECORDS)
def test_schemas_are_those_of_the_records(name: str) -> None:
    text = (ROOT / f"schemas/{name}.schema.yaml").read_text(encoding="utf-8")
    assert text == schema_text(RECORDS[name]), "run `make schemas`"


@pytest.mark.parametrize("engine", ["gemini", "local"])
def test_environments_pin_what_the_lock_files_pin(engine: str) -> None:
    text = (ROOT / f"envs/{engine}.yaml").read_text(encoding="utf-8")
    assert text == write_envs.environment(ROOT / f"requirements/{engine}.txt"), "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_versions_and_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text.replace("--index", "")
    entries = re.split(r"\n(?=\S)", text)
    pins = [entry for entry in entries if not entry.startswith("#")]
    assert pins
    for pin in pins:
        assert re.match(r"[A-Za-z0-9._-]+==[^\s;]+", pin)
        assert "--hash=sha256:" in pin


def test_engines_agree_on_every_version() -> None:
    def versions(lock: str) -> set[str]:
        pins = write_envs.pins(ROOT / f"requirements/{lock}.txt")
        return {pin.split(" ;")[0] for pin in pins}

    assert versions("gemini") | versions("local") <= versions("dev")


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_what_their_lists_ask_for(lock: str) -> None:
    pinned = {pin.split("==")[0] for pin in write_envs.pins(ROOT / f"requirements/{lock}.txt")}
    text = (ROOT / f"requirements/{lock}.in").read_text(encoding="utf-8")
    for line in text.splitlines():
        asked = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
        if asked:
            assert asked[0].lower() in pinned


def profile(name: str) -> dict[str, Any]:
    text = (ROOT / f"profiles/{name}/config.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_the_profile_for_offline_nodes_is_that_of_slurm_but_for_what_needs_the_internet() -> None:
    slurm, offline = profile("slurm"), profile("slurm-offline-nodes")
    for rule in ("analyze_video", "fetch_video", "copy_from_bucket"):
        slurm["set-resources"].setdefault(rule, {})["on_head_node"] = 1
    calls = slurm.pop("resources")["gemini_calls"]  # all are made here: this limits them
    assert slurm.pop("local-cores") < offline.pop("local-cores") == calls
    assert offline == slurm


@pytest.mark.parametrize("name", ["slurm", "slurm-offline-nodes", "cluster-generic"])
def test_profiles_name_rules_that_there_are(name: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk")]
    rules = set(re.findall(r"^rule (\w+):", "\n".join(texts), re.MULTILINE))
    assert set(profile(name)["set-resources"]) <= rules


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "deb.debian" + ".org"]
    pattern = "|".join([*hosts, "/ro" + "ot/", "/wo" + "rk/"])
    found = subprocess.run(
        ["git", "grep", "-nIE", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == ""


def test_every_failure_is_in_the_docs_with_its_kind_and_hint() -> None:
    codes = yaml.safe_load((ROOT / "scripts/reelmake/failures.yaml").read_text(encoding="utf-8"))
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    told = {
        code: {"kind": part.splitlines()[0], "hint": hint}
        for part in text.split("\n## ")[1:]
        for code, hint in re.findall(r"^\| `(\w+)` \| (.+) \|$", part, re.MULTILINE)
    }
    assert told == codes
    kinds = {entry["kind"] for entry in codes.values()}
    table = (ROOT / "docs/gemini.md").read_text(encoding="utf-8").partition("| kind |")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE)) == kinds


def test_the_version_and_its_date_are_the_same_everywhere() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(r"^## (\S+), (\S+)$", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest.groups() == (__version__, str(cited["date-released"]))
    assert cited["version"] == __version__


OTHER_VALUES: dict[str, Any] = {
    "model": "other",
    "api_version": "v1",
    "fallback_models": ["other"],
    "tier": "flex",
    "batch_fallback": [],
    "quota_store": "redis://other",
    "media_resolution": "low",
    "vertex": {"project": "mine"},
    "speech_model": "large-v3",
}


def told_effects() -> dict[str, str]:
    """By key of the configuration: what the changelog says of asking again."""
    rows = re.findall(r"^\| (`.+?) \| (.+?) \| .+ \|$", CHANGELOG.read_text("utf-8"), re.MULTILINE)
    pairs = [(key, effect) for keys, effect in rows for key in re.findall(r"`(.+?)`", keys)]
    assert len(dict(pairs)) == len(pairs), "a key stands there twice"
    return dict(pairs)


def other_value(name: str, value: Any) -> Any:
    if name in OTHER_VALUES:
        return OTHER_VALUES[name]
    return not value if isinstance(value, bool) else (value or 0) + 1


def test_the_changelog_tells_of_every_key_whether_it_asks_again() -> None:
    told = told_effects()
    sections = {"gemini": GeminiSettings(), "local": LocalSettings()}
    top = set(Config.model_fields) - set(sections)
    inner = {f"{name}.{key}" for name, each in sections.items() for key in type(each).model_fields}
    assert set(told) == top | inner
    for engine, section in sections.items():
        before = Config.model_validate({"videos": "v", "engine": engine})
        for key, value in section.model_dump().items():
            changed = {"videos": "v", "engine": engine, engine: {key: other_value(key, value)}}
            asks = Config.model_validate(changed).request_settings() != before.request_settings()
            assert asks == told[f"{engine}.{key}"].startswith(("yes", "listens")), f"{engine}.{key}"


def outline_of(name: str) -> tuple[list[str], list[str], list[str], set[str]]:
    """What does not depend on the language: code blocks, headings' levels, links, code in text."""
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)
    levels = re.findall(r"^#+(?= )", text, re.MULTILINE)
    links = sorted(re.findall(r"\]\(([^\s()]+(?:\([^\s()]*\))?)\)", text))
    return blocks, levels, links, set(re.findall(r"`(\S[^`\n]*)`", text))


def test_the_chinese_readme_says_what_the_english_one_does() -> None:
    blocks, levels, links, code = outline_of("README.md")
    chinese = outline_of("README.zh-CN.md")
    assert blocks == chinese[0] != []
    assert levels == chinese[1]
    assert [link for link in links if link != "README.zh-CN.md"] == [
        link for link in chinese[2] if link != "README.md"
    ]
    assert code <= chinese[3]
    assert "README.zh-CN.md" in links
    assert "README.md" in chinese[2]


def test_the_table_of_faults_is_the_one_that_is_tested() -> None:
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    assert as_markdown() in text, "put what `workflow.fault_table.as_markdown` gives there"
