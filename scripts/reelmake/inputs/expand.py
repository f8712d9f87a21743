"""From the entries of `videos:` to mentions of single videos."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from glob import has_magic
from pathlib import Path

from reelmake.errors import ReelmakeError
from reelmake.inputs.cells import mention_of
from reelmake.inputs.mentions import Mention, Problem
from reelmake.inputs.places import is_excluded, videos_in_folder, videos_of_glob
from reelmake.inputs.tables import TABLE_SUFFIXES, TableError, read_table
from reelmake.inputs.youtube import is_youtube, read_link, videos_of_playlist
from reelmake.targets import is_url

_DEEPEST = 20


def expand(entries: Sequence[str], exclude: Sequence[str] = ()) -> list[Mention]:
    """Every video that the entries lead to, in their order; what can't be read has a problem."""
    expander = _Expander(exclude)
    return [found for entry in entries for found in expander.expand(Mention(entry), folder="")]


class _Expander:
    def __init__(self, exclude: Sequence[str]) -> None:
        self._exclude = exclude
        self._open_tables: list[str] = []

    def expand(self, mention: Mention, *, folder: str) -> Iterator[Mention]:
        """What the mention's ``video`` leads to; relative paths are relative to ``folder``."""
        entry = mention.video
        if not entry:
            yield mention
        elif "\0" in entry:
            yield _with(mention, Problem("row_unusable", "a name with a NUL, which no file has"))
        elif _is_address(entry, folder):
            yield from self._address(mention)
        else:
            yield from self._path(mention, _path(entry, folder))

    def _address(self, mention: Mention) -> Iterator[Mention]:
        url = mention.video
        if is_excluded(url, self._exclude):
            return
        if not is_youtube(url):
            yield mention
            return
        try:
            link = read_link(url)
            videos = [link.video] if link.video else videos_of_playlist(link.playlist or "")
        except ValueError as error:
            yield _with(mention, Problem("row_unusable", f"{url}: {error}"))
        except ReelmakeError as error:
            yield _with(mention, Problem(error.code, f"{url}: {error.message}"))
        else:
            yield from self._several(mention, videos)

    def _path(self, mention: Mention, path: str) -> Iterator[Mention]:
        suffix = os.path.splitext(path)[1].lower()
        if os.path.isdir(path):
            try:
                videos, closed = videos_in_folder(path, self._exclude)
            except PermissionError:
                videos, closed = [], [path]
            except OSError as error:
                reason = f"{path}: this folder can't be read: {error.strerror}"
                problem = Problem("video_unreadable", reason)
                yield _with(replace(mention, video=path), problem)
                return
            yield from self._several(mention, videos)
            for folder in closed:
                problem = Problem("video_forbidden", f"{folder}: this folder may not be read")
                yield _with(replace(mention, video=_tidy(folder)), problem)
        elif has_magic(path) and not os.path.lexists(path):
            found = videos_of_glob(path, self._exclude)
            if not found:
                yield _with(mention, Problem("video_missing", f"{path}: no videos found"))
            yield from self._several(mention, found)
        elif suffix in TABLE_SUFFIXES and os.path.isfile(path):
            yield from self._table(mention, path)
        elif not is_excluded(path, self._exclude):
            yield replace(mention, video=_tidy(path))

    def _several(self, mention: Mention, videos: list[str]) -> Iterator[Mention]:
        if mention.name and len(videos) > 1:
            message = f"name: one name, but {mention.video} leads to {len(videos)} videos"
            yield _with(mention, Problem("row_unusable", message))
            return
        for video in videos:
            yield replace(mention, video=video if is_url(video) else _tidy(video))

    def _table(self, mention: Mention, path: str) -> Iterator[Mention]:
        shown = _tidy(path)
        if os.path.realpath(path) in self._open_tables:
            message = f"{shown}: this list names itself, by way of others"
            yield _with(mention, Problem("row_unusable", message))
            return
        if len(self._open_tables) == _DEEPEST:
            message = f"{shown}: lists that name lists, more than {_DEEPEST} deep"
            yield _with(mention, Problem("row_unusable", message))
            return
        self._open_tables.append(os.path.realpath(path))
        try:
            rows = list(read_table(Path(path)))
            if not rows:
                raise TableError("names no videos")  # noqa: TRY301  told like all that is wrong
        except TableError as error:
            line = f", line {error.line}" if error.line else ""
            problem = Problem("row_unusable", f"{shown}{line}: {error}")
            yield _with(replace(mention, video=shown, where=None), problem)
        except OSError as error:
            problem = Problem("row_unusable", f"{shown}: can't be read: {error.strerror}")
            yield _with(replace(mention, video=shown, where=None), problem)
        else:
            for row in rows:
                inner = mention_of(row, f"{shown}, line {row.line}")
                if not mention.says_nothing:
                    inner = _inherited(inner, mention)
                yield from self.expand(inner, folder=os.path.dirname(path))
        self._open_tables.pop()


def _inherited(inner: Mention, outer: Mention) -> Mention:
    """A row of a table that another table's row names: what it leaves open is said there."""
    return replace(
        inner,
        name=inner.name or outer.name,
        templates=inner.templates or outer.templates,
        languages=inner.languages or outer.languages,
        priority=inner.priority or outer.priority,
        start_s=outer.start_s if inner.start_s is None else inner.start_s,
        end_s=outer.end_s if inner.end_s is None else inner.end_s,
        tags=tuple(dict.fromkeys((*outer.tags, *inner.tags))),
        extra={**outer.extra, **inner.extra},
        problems=(*outer.problems, *inner.problems),
    )


def _is_address(entry: str, folder: str) -> bool:
    return is_url(entry) or (is_youtube(entry) and not os.path.lexists(os.path.join(folder, entry)))


def _path(entry: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, os.path.expanduser(entry)))


def _tidy(path: str) -> str:
    """One spelling for one file: relative when it is below the working directory."""
    absolute, here = os.path.abspath(path), os.getcwd()
    if absolute.startswith(here + os.sep):
        return absolute[len(here) + 1 :]
    return os.path.normpath(path)


def _with(mention: Mention, problem: Problem) -> Mention:
    return replace(mention, problems=(*mention.problems, problem))
