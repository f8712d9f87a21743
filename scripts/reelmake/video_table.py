"""The video table: from what `videos:` says to one named row a report."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

import pandas as pd
from pathvalidate import sanitize_filename

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.targets import Target, is_url

VIDEO_SUFFIXES = frozenset(
    [
        ".mp4",
        ".mov",
        ".avi",
        ".mkv",
        ".webm",
        ".m4v",
        ".mpeg",
        ".mpg",
        ".3gp",
        ".flv",
        ".wmv",
        ".ts",
    ]
)
# Room for the longest ending, ".assets" and a temporary's prefix, in the 255 bytes of a file name.
_NAME_BYTES = 200


def video_table(config: Config) -> pd.DataFrame:
    """The rows of ``videos:``: one a video and template, named, in a stable order.

    Columns are the fields of `Target`; ``problem`` says why a row can't be used.
    Raises ReelmakeError ``videos_invalid`` when there are none, or when one can't be used and
    ``on_bad_input`` is ``fail``.
    """
    entries = [config.videos] if isinstance(config.videos, str) else config.videos
    videos = list(dict.fromkeys(video for entry in entries for video in _expand(entry)))
    table = pd.DataFrame(
        {
            "video": videos,
            "name": distinct_names(videos),
            "template": config.template,
            "language": config.language,
            "priority": 0,
            "start_s": None,
            "end_s": None,
            "tags": [()] * len(videos),
            "extra": [{}] * len(videos),
            "parameters": [config.parameters.get(config.template, {})] * len(videos),
            "problem": [_problem(video, config) for video in videos],
        },
        dtype=object,  # as they are: pandas would turn what is missing into numbers
    )
    _refuse_unusable(table, config, entries)
    return table


def targets(table: pd.DataFrame) -> dict[tuple[str, str], Target]:
    """The rows as records, to be looked up by template and name."""
    rows = (Target.model_validate(row) for row in table.to_dict(orient="records"))
    return {target.key: target for target in rows}


def _expand(entry: str) -> Iterator[str]:
    path = Path(entry).expanduser()
    if is_url(entry):
        yield entry
    elif path.is_dir():
        yield from sorted(str(file) for file in _videos_below(path))
    elif has_magic(entry) and not path.exists():
        files = (Path(found) for found in glob(str(path), recursive=True))
        yield from sorted(str(file) for file in files if _is_video(file))
    else:
        yield str(path)


def _videos_below(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not hidden and _is_video(file):
            yield file


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()


def _problem(video: str, config: Config) -> str | None:
    return _problem_of_url(video, config) if is_url(video) else _problem_of_file(video, config)


def _problem_of_url(video: str, config: Config) -> str | None:
    if config.engine != "gemini":
        return f"{video}: `engine: {config.engine}` needs a file"
    scheme = video.partition("://")[0].lower()
    if scheme == "gs":
        return None if config.gemini.vertex else f"{video}: gs:// needs `gemini.vertex`"
    return None if scheme == "https" else f"{video}: expected an https:// address"


def _problem_of_file(video: str, config: Config) -> str | None:
    path = Path(video)
    if not path.is_file():
        return f"{video}: no such file or folder"
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        known = " ".join(sorted(suffix[1:] for suffix in VIDEO_SUFFIXES))
        return f"{video}: expected a video ({known})"
    if config.engine == "gemini" and config.gemini.vertex:
        return f"{video}: Vertex AI takes no uploads; put it into a bucket and name it by gs://"
    return None


def _refuse_unusable(table: pd.DataFrame, config: Config, entries: Sequence[str]) -> None:
    problems = [problem for problem in table["problem"] if problem]
    if table.empty:
        problems = [f"no videos found in {', '.join(entries)}"]
    elif config.on_bad_input == "skip":
        return
    if problems:
        lines = [f"  {problem}" for problem in problems]
        raise ReelmakeError("videos_invalid", "\n".join(["Videos that can't be used:", *lines]))


def distinct_names(videos: Sequence[str]) -> list[str]:
    """A readable file name for each video, safe on every file system.

    Names that would be equal, also where upper and lower case or Unicode forms are one, all get
    a short suffix made from the video's own path, so the order of the list is without effect.
    """
    names = [_safe_name(Path(video).stem) for video in videos]
    uses = Counter(_folded(name) for name in names)
    return [
        name if uses[_folded(name)] == 1 else f"{name}-{_short_hash(video)}"
        for name, video in zip(names, videos, strict=True)
    ]


def _safe_name(stem: str) -> str:
    name = unicodedata.normalize("NFC", stem)
    name = "".join("-" if _is_awkward(character) else character for character in name)
    name = sanitize_filename(name, replacement_text="-", platform="universal").strip(" .-")
    while len(name.encode()) > _NAME_BYTES:
        name = name[:-1]
    # Snakemake takes a wildcard that ends in twenty repeats for an endless recursion.
    name = re.sub(r"(.+?)\1{9,}$", r"\1\1\1", name, flags=re.DOTALL)
    return name.rstrip() or "video"


def _is_awkward(character: str) -> bool:
    """What a shell, a wildcard, a Markdown link or a terminal could take for its own."""
    return character in "{}[]()<>#^|`$\"'\\%*?&;!~" or unicodedata.category(character)[0] == "C"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _short_hash(video: str) -> str:
    return hashlib.sha256(video.encode("utf-8", "surrogateescape")).hexdigest()[:6]
