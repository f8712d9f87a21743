"""Every command that the documents show is typed here, in a folder like a user's.

Of each file the `sh` blocks are run from top to bottom, then whole commands within its sentences.
Two kinds are rehearsed rather than done: `make` would install what is installed, and a main job
outside of the tutorial, which runs eight of them, is a dry run. What can't be run at all is in
`NOT_RUN`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, GeminiDouble
from sample_videos import BLUE, GREEN, RED, make_video
from workflow.conftest import ROOT

FILES = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TUTORIAL = "docs/tutorial.md"

NOT_RUN = {
    "pip install -r requirements/cluster.txt": "installs",
    "snakemake -j64 --profile profiles/slurm --configfile my.yaml": "Slurm: tests/slurm runs it",
    "snakemake -j64 --profile profiles/slurm-offline-nodes --configfile my.yaml": "Slurm, likewise",
    "podman build --file envs/Containerfile --tag reelmake .": "test_containerfile.py reads it",
    'podman run --rm --volume "$PWD:/project" --env GEMINI_API_KEY reelmake -j4 '
    "--configfile my.yaml": "needs that image",
    "for year in videos/*/; do": "test_parts.py runs it",
    "snakemake -j4 --config videos=s3://talks/week-1.mp4": "a bucket: test_inputs.py has one",
}
"""Commands, by their first lines, that can't be run in CI or are run elsewhere, and why."""

FAIL = {
    (TUTORIAL, "snakemake -j4 --configfile my.yaml", 2),
    (TUTORIAL, "snakemake -j4 --configfile my.yaml --config on_bad_input=skip", 1),
}
"""What is shown to fail: the file, the command, and the which time it stands there."""

COMMAND = r"^(?:.*<<'(\w+)'\n(?:.*\n)*?\1|for .*\n(?:.*\n)*?done|.+)$"
TELL = r"\b(plan|status|doctor|prune|cleanup_remote|check_template)\b"


@dataclass
class Typed:
    """A command that was run, and what is shown below it."""

    command: str
    code: int
    output: str
    shown: str


def blocks_of(text: str) -> list[tuple[str, str]]:
    """The fenced blocks: language and content, indented ones as if they were not."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [
        (language, re.sub(f"^{indent}", "", content, flags=re.MULTILINE))
        for indent, language, content in found
    ]


def commands_in(block: str) -> list[str]:
    """A command a line, unless it is a loop or has a here-document. Comments are left out."""
    whole = [match[0] for match in re.finditer(COMMAND, block, re.MULTILINE)]
    return [re.sub(r"\s+# .*", "", command) for command in whole]


def documented(file: Path) -> list[tuple[str, str]]:
    """Each command with what is shown below the block that it stands in."""
    text = file.read_text(encoding="utf-8")
    blocks = blocks_of(text)
    found = []
    for index, (language, content) in enumerate(blocks):
        if language == "sh":
            below = blocks[index + 1] if index + 1 < len(blocks) else ("sh", "")
            found += [(command, "" if below[0] else below[1]) for command in commands_in(content)]
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    inside = [" ".join(span.split()) for span in re.findall(r"`(snakemake [^`]+)`", prose)]
    found += [(command, "") for command in inside if re.search(r" -[jn]", command)]
    # What is the reader's own: the environment here has keys, and the rest can't be typed.
    return [(command, shown) for command, shown in found if "…" not in command]


def first_line(command: str) -> str:
    return command.partition("\n")[0]


def without_own_file(command: str) -> str:
    """Commands that differ in this alone are run once."""
    return command.replace(" --configfile my.yaml", "")


def as_run_here(name: str, command: str) -> str:
    if command.startswith("make "):
        return command.replace("make ", "make --dry-run ")
    main_job = command.startswith("snakemake ") and not re.search(TELL, command)
    return f"{command} --dry-run" if main_job and name != TUTORIAL else command


@pytest.fixture(scope="module")
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble() as service:
        yield service


@pytest.fixture(scope="module")
def typed(double: GeminiDouble, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Typed]]:
    """All that was run, by file. What the tutorial or an earlier file shows is not run again."""
    videos = tmp_path_factory.mktemp("videos")
    for number, colour in enumerate((RED, GREEN, BLUE), start=1):
        make_video(
            videos / f"week-{number}.mp4", [(colour, 20.0)], size=(64, 64), fps=2, sound="tone"
        )
    todo: dict[str, list[tuple[str, str]]] = {}
    seen = {*NOT_RUN, *(without_own_file(command) for command, _ in documented(ROOT / TUTORIAL))}
    for file in FILES:
        name = str(file.relative_to(ROOT))
        todo[name] = [
            (command, shown)
            for command, shown in documented(file)
            if name == TUTORIAL or not {first_line(command), without_own_file(command)} & seen
        ]
        seen |= {without_own_file(command) for command, _ in todo[name]}
    folders = {
        name: prepared(tmp_path_factory.mktemp("user") / "reelmake", videos, empty=name == TUTORIAL)
        for name, commands in todo.items()
        if commands
    }
    with ThreadPoolExecutor(2) as threads:
        # The longest one first.
        order = sorted(folders, key=lambda name: -len(todo[name]))
        running = {
            name: threads.submit(type_all, name, todo[name], folders[name], double.url)
            for name in order
        }
        return {name: each.result() for name, each in running.items()}


def prepared(folder: Path, videos: Path, *, empty: bool) -> Path:
    """What a user has after fetching reelmake, with videos; unless `empty`, with a my.yaml too."""
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "tests", "benchmarks", "results", "videos", "docs", "logs", "my.yaml"
    )
    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "path/to").mkdir(parents=True)
    (folder / "path/to/videos").symlink_to(videos)
    (folder / "path/to/reelmake").symlink_to(folder)
    if not empty:
        shutil.copytree(videos, folder / "videos")
        (folder / "my.yaml").write_text("videos: videos\ntemplate: summary_report\n")
    return folder


def type_all(name: str, commands: list[tuple[str, str]], folder: Path, url: str) -> list[Typed]:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GEMINI_API_KEY": TEST_KEY,
        "GOOGLE_GEMINI_BASE_URL": url,
    }
    done = []
    for command, shown in commands:
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", as_run_here(name, command)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        done.append(Typed(command, run.returncode, run.stdout, shown))
    return done


WITH_COMMANDS = [str(file.relative_to(ROOT)) for file in FILES if documented(file)]


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_every_command_of_a_document_is_run(name: str, typed: dict[str, list[Typed]]) -> None:
    run = {without_own_file(each.command) for all_of in typed.values() for each in all_of}
    for command, _ in documented(ROOT / name):
        assert first_line(command) in NOT_RUN or without_own_file(command) in run


def test_commands_do_what_is_shown(typed: dict[str, list[Typed]]) -> None:
    failed = set()
    for name, all_of in typed.items():
        times: Counter[str] = Counter()
        for each in all_of:
            times[each.command] += 1
            assert "Traceback" not in each.output
            if each.code:
                failed.add((name, each.command, times[each.command]))
    assert failed == FAIL, said_by(failed, typed)


def said_by(failed: set[tuple[str, str, int]], typed: dict[str, list[Typed]]) -> str:
    ours = {(name, command) for name, command, _ in failed}
    return "\n".join(
        f"{name}: {each.command}\n{each.output}"
        for name, all_of in typed.items()
        for each in all_of
        if (name, each.command) in ours
    )


def shape(line: str) -> str:
    """A line without its numbers, and without the width of its table."""
    return " ".join(re.sub(r"─+", "─", re.sub(r"\d[\d.,:]*", "#", line)).split())


def test_the_tutorial_shows_what_is_seen(typed: dict[str, list[Typed]]) -> None:
    by_block: dict[str, str] = {}
    for each in typed[TUTORIAL]:
        by_block[each.shown] = by_block.get(each.shown, "") + each.output
    del by_block[""]
    assert len(by_block) >= 8
    for shown, output in by_block.items():
        seen = {shape(line) for line in output.splitlines()}
        for line in shown.splitlines():
            assert shape(line) in seen | {""}, f"{line}\nis not in\n{output}"


def test_the_tutorial_buys_what_it_says(
    typed: dict[str, list[Typed]], double: GeminiDouble
) -> None:
    bought = re.findall(
        r"^(\d+) answers? bought", "\n".join(x.output for x in typed[TUTORIAL]), re.M
    )
    assert sum(map(int, bought)) == len(double.ledger.billed()) == 6
    assert double.ledger.paid_twice() == []


def test_what_is_not_run_is_still_in_the_documents() -> None:
    there = {first_line(command) for file in FILES for command, _ in documented(file)}
    assert set(NOT_RUN) <= there
    assert {command for _, command, _ in FAIL} <= there
