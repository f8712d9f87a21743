"""A report as a web page, made from its Markdown, so that edits of it are shown too.

Reports may be edited by hand and hold what a model said: the HTML is cut down to an allow-list.
"""

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nh3
import yaml
from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.anchors import anchors_plugin

from reelmake.files import write_atomically
from reelmake.markdown import href
from reelmake.translation import say_in
from reelmake.web_page import read_web_file, render_page

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
_TAGS = {"a", "blockquote", "br", "code", "del", "div", "em", "hr", "img", "li", "ol", "p", "pre"}
_TAGS |= {"s", "strong", "ul", *_HEADINGS, *_TABLES}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    **{heading: {"id"} for heading in _HEADINGS},
}
_ALERTS = {f"markdown-alert-{kind}" for kind in ("note", "tip", "important", "warning", "caution")}
_CLASSES = {"div": {"markdown-alert", *_ALERTS}, "p": {"markdown-alert-title"}}


def report_page(report: str, *, index: str | None, link_pages: bool = False) -> str:
    """The page of a report. ``index`` is the way to the index, relative to the page.

    With ``link_pages``, links to reports lead to their pages.
    """
    properties, text = split_front_matter(report)
    source = str(properties.get("source") or "")
    language = str(properties.get("language") or "en")
    say = say_in(language)
    return render_page(
        "report",
        say=say,
        title=str(properties.get("title") or say("Report")),
        language=language,
        index=index,
        video=None if "://" in source else href(source),
        body=Markup(to_html(text, link_pages=link_pages)),  # noqa: S704  sanitised
    )


def split_front_matter(report: str) -> tuple[dict[str, Any], str]:
    """What the front matter of a report says, and its text; nothing where it can't be read."""
    head, fence, text = report.removeprefix("---\n").partition("\n---\n")
    if not report.startswith("---\n") or not fence:
        return {}, report
    try:
        properties = yaml.load(head, Loader=_LOADER)  # noqa: S506  the safe one, in C
    except yaml.YAMLError:
        return {}, text
    return properties if isinstance(properties, dict) else {}, text


def to_html(markdown: str, *, link_pages: bool = False) -> str:
    """HTML of Markdown in which nothing runs and nothing loads from elsewhere."""
    return nh3.clean(
        _parser().render(markdown),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_link_pages if link_pages else _only_pictures_beside_it,
        url_schemes={"http", "https"},
        allowed_classes=_CLASSES,
        set_tag_attribute_values={"img": {"loading": "lazy"}},
        link_rel="noopener noreferrer",
    )


def page_digest() -> str:
    """Changes when the pages of reports have to be made again."""
    files = ("shared.css", "report.css", "report.js", "report.html.j2")
    return hashlib.sha256("\0".join(map(read_web_file, files)).encode()).hexdigest()


def _only_pictures_beside_it(tag: str, attribute: str, value: str) -> str | None:
    if (tag, attribute) != ("img", "src"):
        return value
    parts = urlsplit(value)
    return None if parts.scheme or parts.netloc else value


def _link_pages(tag: str, attribute: str, value: str) -> str | None:
    if (tag, attribute) == ("a", "href") and "://" not in value:
        return re.sub(r"\.md\Z", ".html", value)
    return _only_pictures_beside_it(tag, attribute, value)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "alerts": True})
    return parser.enable(["table", "strikethrough"]).use(anchors_plugin, max_level=3)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def write_report_page(report: Path, page: Path, *, index: Path) -> None:
    """The page of a report as it stands, with a way back to the index."""
    way_back = Path(os.path.relpath(index, page.parent)).as_posix()
    write_atomically(page, report_page(report.read_text(encoding="utf-8"), index=way_back))


def refresh_report_page(report: Path, page: Path, *, index: Path) -> None:
    """Write the page again if its report was edited since; without a report there is none."""
    try:
        written = report.stat().st_mtime_ns
    except FileNotFoundError:
        return
    if not page.exists() or page.stat().st_mtime_ns < written:
        write_report_page(report, page, index=index)
