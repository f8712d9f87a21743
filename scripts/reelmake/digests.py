"""Digests: the reports of a course, or of whatever a tag or column groups, on one more page.

Overviews, key points and terms are put together. What an engine writes about the whole, a
``Summary``, stands above them.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from reelmake.analysis import Analysis
from reelmake.edits import signed, write_report
from reelmake.errors import ReelmakeError
from reelmake.files import write_atomically
from reelmake.inputs.names import safe_name, told_apart
from reelmake.markdown import as_text, front_matter, plain
from reelmake.pages import report_page
from reelmake.report import layout_of_digests, shared_labels, tidy
from reelmake.targets import Target, is_url
from reelmake.templates import PROJECT

DIGESTS = "_digest"
"""Stands where a report's template does; no template can be called so."""
_FOLDER = PROJECT / "templates" / DIGESTS
_MAX_POINTS = 8  # of one report


class Group(BaseModel):
    """Reports that belong together; ``name`` is a file name, ``title`` what the user wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Member:
    """A report of a group; the links are relative to the digest."""

    analysis: Analysis
    link: str
    source_link: str | None


@dataclass(frozen=True)
class Thread:
    """A subject that runs through several reports; ``members`` are their places in the group."""

    title: str
    summary: str
    members: Sequence[int]


@dataclass(frozen=True)
class Summary:
    """What an engine wrote about all reports of a group; ``cost_usd`` None: nobody knows."""

    overview: str
    threads: Sequence[Thread]
    model: str
    cost_usd: float | None


def groups_of(targets: Iterable[Target], by: str | None) -> dict[str, Group]:
    """The groups by their file names. ``by`` is ``tags``, ``template`` or a column of the table.

    A row that can't be used is in none: it would keep the others' digest from ever being made.

    Raises ReelmakeError ``config_invalid`` when no row has what they are grouped by.
    """
    members: dict[str, list[Target]] = {}
    for target in targets:
        for value in dict.fromkeys(_values(target, by)):
            members.setdefault(value, []).append(target)
    if by and not members:
        what = "no row of the table has a tag" if by == "tags" else f"no row has anything in {by!r}"
        message = f"digest: expected `tags` or a column that some row fills, but {what}"
        raise ReelmakeError("config_invalid", message)
    names = _file_names(members)
    usable = {
        title: tuple(target for target in some if not target.problem)
        for title, some in members.items()
    }
    return {
        names[title]: Group(name=names[title], title=title, targets=some)
        for title, some in usable.items()
        if some
    }


def _values(target: Target, by: str | None) -> Sequence[str]:
    if by is None:
        return ()
    if by == "tags":
        return [tag for tag in map(plain, target.tags) if tag]
    value = target.template if by == "template" else plain(target.extra.get(by, ""))
    return [value] if value else ()


def _file_names(titles: Iterable[str]) -> dict[str, str]:
    """Safe and distinct as the names of reports are; independent of their order."""
    titles = list(titles)
    names = told_apart([safe_name(title, "group") for title in titles], titles)
    return dict(zip(titles, names, strict=True))


def relative_link(target: str, folder: Path) -> str:
    """A URL as it is, a file relative to the folder that the link stands in."""
    return target if is_url(target) else Path(os.path.relpath(target, folder)).as_posix()


@cache
def digest_of_digests() -> str:
    """Changes when anything does that all digests are made by."""
    files = sorted(_FOLDER.iterdir())
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def language_of(analyses: Sequence[Analysis]) -> str:
    """The language that most of them are written in."""
    languages = [analysis.language for analysis in analyses]
    return max(languages, key=languages.count, default="en")


def render_digest(
    group: Group, members: Sequence[Member], *, summary: Summary | None = None
) -> str:
    """The digest as Markdown with front matter; the same members, the same bytes."""
    analyses = [member.analysis for member in members]
    language = language_of(analyses)
    labels = shared_labels(language)
    titles = _titles(members, labels["in_brackets"])
    # A video that several templates report on is watched once.
    videos = {(one.video.source, one.video.start_s, one.video.end_s): one for one in analyses}
    duration_s = sum(one.video.duration_s or 0 for one in videos.values())
    context: dict[str, Any] = {
        "title": group.title,
        "duration_s": duration_s,
        "overview": summary.overview if summary else "",
        "threads": [
            _thread(thread, members, titles) for thread in (summary.threads if summary else ())
        ],
        "entries": [_entry(*one) for one in zip(members, titles, strict=True)],
        "terms": list(_terms(members, titles)),
        "labels": labels,
    }
    body = tidy(layout_of_digests().render(as_text(context)))
    head = front_matter(
        {
            "title": group.title,
            "reports": len(members),
            "duration_s": duration_s,
            "language": language,
            "cost_usd": round(
                sum(analysis.cost_usd or 0 for analysis in analyses)
                + ((summary.cost_usd or 0) if summary else 0),
                6,
            ),
            **({"model": summary.model} if summary else {}),
            "created": max((analysis.created for analysis in analyses), default=""),
        }
    )
    return f"{head}\n{body}\n"


def write_digest(
    group: Group,
    analyses: Sequence[Analysis],
    reports: Sequence[Path],
    digest: Path,
    *,
    summary: Summary | None = None,
) -> Path:
    """Write the digest; where this version of it is (see ``edits``)."""
    members = [
        Member(
            analysis=analysis,
            link=relative_link(str(report), digest.parent),
            source_link=relative_link(target.video, digest.parent),
        )
        for target, analysis, report in zip(group.targets, analyses, reports, strict=True)
    ]
    return write_report(digest, signed(render_digest(group, members, summary=summary)))


def write_digest_page(digest: Path, page: Path) -> None:
    """The page of a digest, with what was edited in it; it leads to the pages of the reports."""
    text = digest.read_text(encoding="utf-8")
    write_atomically(page, report_page(text, index="../index.html", link_pages=True))


def _thread(thread: Thread, members: Sequence[Member], titles: Sequence[str]) -> dict[str, Any]:
    reports = [{"title": titles[i], "link": members[i].link} for i in thread.members]
    return {"title": thread.title, "summary": thread.summary, "reports": reports}


def _titles(members: Sequence[Member], in_brackets: str) -> list[str]:
    """The titles of the reports; several that are the same say which report they are of."""
    titles = [member.analysis.title or member.analysis.name for member in members]
    counts = Counter(titles)
    places = [f"{member.analysis.template}/{member.analysis.name}" for member in members]
    return [
        in_brackets.format(text=title, more=place) if counts[title] > 1 else title
        for title, place in zip(titles, places, strict=True)
    ]


def _entry(member: Member, title: str) -> dict[str, Any]:
    analysis = member.analysis
    points = [{"time_s": point.time_s, "text": point.text} for point in analysis.key_points]
    chapters = [{"time_s": part.start_s, "text": part.title} for part in analysis.chapters]
    return {
        "title": title,
        "link": member.link,
        "source_link": member.source_link,
        "duration_s": analysis.video.duration_s,
        "overview": analysis.overview,
        "points": (points or chapters)[:_MAX_POINTS],
    }


def _terms(members: Sequence[Member], titles: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each term once, as the first report that has it explains it, in alphabetical order."""
    found: dict[str, dict[str, Any]] = {}
    for member, title in zip(members, titles, strict=True):
        where = {"title": title, "link": member.link}
        for term in member.analysis.terms:
            found.setdefault(term.term.casefold(), term.model_dump() | where)
    return iter([found[key] for key in sorted(found)])
