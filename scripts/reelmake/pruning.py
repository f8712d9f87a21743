"""What no row wants any more: found, shown, and deleted only when that is asked for.

Only what reelmake makes is looked at, by its place and form; the store of paid answers never is.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reelmake.edits import is_edited
from reelmake.exports.formats import FORMATS, ending
from reelmake.results import Results
from reelmake.targets import Target

_TEMPLATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def leftovers(results: Results, targets: Iterable[Target]) -> list[Path]:
    """Reports with all that goes with them, and fetched videos, that no target has, sorted.

    Reports that were edited by hand are not among them.
    """
    wanted: set[Path] = set()
    for target in targets:
        report = results.report(*target.key)
        wanted |= {report, results.pictures(*target.key)}
        wanted |= {results.analysis(*target.key), results.failure(*target.key)}
        if target.source:
            path = Path(target.video)
            wanted |= {path, *_parts_of(path), results.failure("fetched", path.name)}
    found = {path for path in _made(results) if path not in wanted and not _is_new(path, wanted)}
    # What a user wrote is never thrown away, nor the pictures in it.
    edited = {path for path in found if path.suffix == ".md" and _is_edited(path)}
    found -= edited | {path.with_suffix(".assets") for path in edited}
    for report in [path for path in found if path.suffix == ".md"]:
        found.update(path for path in _other_formats(report) if path not in wanted)
    return sorted(found)


def prune(results: Results, targets: Iterable[Target], *, delete: bool) -> str:
    """Say what is left over, and delete it if asked to; the text for the terminal."""
    found = leftovers(results, targets)
    if not found:
        return f"Nothing is left over in {results.root}.\n"
    size = sum(map(_size, found))
    lines = [f"  {_shown(path)}" for path in found]
    what = f"{len(found):,} files and folders, {size / 1e6:,.1f} MB"
    if not delete:
        ask = "Nothing was deleted. To delete them: the same command with --config prune=yes"
        return "\n".join(["No row of `videos:` wants these:", *lines, f"{what}. {ask}", ""])
    for path in found:
        _delete(path)
    return "\n".join(["Deleted:", *lines, f"{what}. Paid answers are kept.", ""])


def _made(results: Results) -> Iterator[Path]:
    for folder in _templates(results.root / "reports"):
        yield from (path for path in _folders(folder) if path.suffix == ".assets")
        yield from (path for path in folder.glob("*.md") if _is_report(path, folder.name))
    for folder in _templates(results.root / "analyses"):
        yield from (path for path in folder.glob("*.json") if _is_analysis(path, folder.name))
    for folder in _templates(results.failure("any", "any").parents[1]):
        yield from folder.glob("*.json")
    for folder in _folders(results.fetched_folder):
        yield from (path for path in folder.iterdir() if not path.is_dir())


def _is_new(path: Path, wanted: set[Path]) -> bool:
    """Whether it is the version that came beside an edited report which is wanted."""
    while path.name.endswith(".new.md"):
        path = path.with_name(path.name.removesuffix(".new.md") + ".md")
        if path in wanted:
            return True
    return False


def _is_edited(report: Path) -> bool:
    return is_edited(report.read_text(encoding="utf-8", errors="replace"))


def _other_formats(report: Path) -> list[Path]:
    """The page and all else that was made of a report and is still beside it."""
    name = report.name.removesuffix(".md")
    others = (report.with_name(name + ending(each)) for each in FORMATS if each != "md")
    return [path for path in others if path.is_file()]


def _templates(folder: Path) -> list[Path]:
    return [path for path in _folders(folder) if _TEMPLATE.fullmatch(path.name)]


def _folders(folder: Path) -> list[Path]:
    """Real folders in it: a link may lead to what is not ours."""
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]


def _is_report(path: Path, template: str) -> bool:
    """Whether its front matter is of a report: notes of the user's own are not touched."""
    with contextlib.suppress(OSError, UnicodeError):
        with path.open(encoding="utf-8") as file:
            head = file.read(20_000).split("\n---\n")[0].splitlines()
        return head[:1] == ["---"] and f"template: {template}" in head
    return False


def _is_analysis(path: Path, template: str) -> bool:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_bytes())
        return isinstance(content, dict) and content.get("template") == template
    return False


def _parts_of(path: Path) -> Sequence[Path]:
    return [path.with_name(f"{path.name}{ending}") for ending in (".part", ".part.json")]


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files)


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace("\n", "\\n")


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
