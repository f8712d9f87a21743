"""Markdown from untrusted text: what a model, a video or a table says is shown, never obeyed.

``escape`` makes one line that CommonMark, GFM and Obsidian show as it is. Layouts get it without
asking: whatever an expression of theirs prints is escaped, unless it is ``Markup`` already.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from sys import maxsize
from traceback import extract_tb
from typing import Any
from urllib.parse import quote, urlsplit

import yaml
from jinja2 import (
    Environment,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
)
from markupsafe import Markup

from reelmake.errors import ReelmakeError
from reelmake.sandbox import Folders, Sandbox
from reelmake.untrusted import shortened

# Control characters (blanks aside), surrogates, bidi embeddings and overrides, byte order marks.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]"
)
_MARKS = re.compile(
    r"""
      [\\`\[\]|$]                               # escapes, code, links and embeds, tables, math
    | (?<!\s)\* | \*(?!\s)                      # emphasis; the one in `2 * 3` is none
    | (?<!\w)_+ | _+(?!\w)                      # nor is the one in snake_case
    | ~(?!\d) | (?<=\S)~                        # strike-through, fences; `~5` opens nothing
    | =(?==) | (?<==)= | %(?=%) | (?<=%)%       # Obsidian: highlights, comments
    | (?<!\w)\#                                 # headings, tags; not `C#`
    | (?<!\S)\^                                 # Obsidian: block ids
    | (?<!http)(?<!https):(?=//)                # autolinks of other schemes
    | ^(?: [-](?=[-:\s]|$) | \+(?=\s|$) | > | =(?==*$) | :(?=-) )    # what begins a block
    | <(?=[a-z/!?%]|$) | &(?=\#?\w+;)           # HTML, entities
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ENTITIES = {"<": "&lt;", "&": "&amp;"}
_NUMBERED = re.compile(r"^([0-9]{1,9})([.)])(?=\s|$)")
# GFM reads backslashes inside a bare URL as part of it, so one that needs them is no link.
_MARRED_URL = re.compile(r"\b(https?(?=://)|www(?=\.))(\S*?(?:\\|&lt;|&amp;))", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


def visible(text: str) -> str:
    """Without control characters, and without bidi overrides, which show text out of its order."""
    return _INVISIBLE.sub("", text)


def plain(text: str) -> str:
    """One line of what is visible, white space folded."""
    return " ".join(visible(text).split())


def escape(text: object) -> Markup:
    """One line of Markdown that shows ``text`` literally, wherever in a block it stands."""
    if isinstance(text, Markup):
        return text
    escaped = _MARKS.sub(_escape_mark, plain(str(text)))
    escaped = _NUMBERED.sub(r"\1\\\2", escaped)
    return Markup(_MARRED_URL.sub(r"\1\\\2", escaped))  # noqa: S704 - escaped just above


def _escape_mark(match: re.Match[str]) -> str:
    return "".join(_ENTITIES.get(mark, f"\\{mark}") for mark in match[0])


def escape_block(text: object) -> Markup:
    """Paragraphs of Markdown from text whose paragraphs are parted by blank lines."""
    unified = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028]", "\n", str(text)).replace("\u2029", "\n\n")
    paragraphs = (escape(part) for part in _BLANK_LINES.split(unified))
    return Markup("\n\n").join(paragraph for paragraph in paragraphs if paragraph)


def href(target: str) -> str | None:
    """The target as a link destination; None unless it is http(s) or a relative path."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme.lower() in ("http", "https") and parts.netloc:
        url = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", target.strip())
        return quote(url, safe=":/?#@!$&'*+,=%~", errors="replace")
    if parts.scheme or not target or target.startswith(("/", "\\")):
        return None
    return quote(target, errors="replace")


def link(text: object, target: str | None) -> Markup:
    """A link, or the text alone when the target is not one that ``href`` lets pass."""
    destination = href(target) if target is not None else None
    return link_to(text, destination)


def link_to(text: object, destination: str | None) -> Markup:
    """A link to what ``href`` made, which a fragment may have been added to."""
    label = escape(text)
    return label if destination is None else Markup("[{}]({})").format(label, Markup(destination))  # noqa: S704


def strong(text: object) -> Markup:
    """Bold, or nothing. Beside it a layout writes a blank, or CJK text may keep its asterisks."""
    escaped = escape(text)
    return Markup("**{}**").format(escaped) if escaped else escaped


def emphasis(text: object) -> Markup:
    """Italic, or nothing; the same holds."""
    escaped = escape(text)
    return Markup("*{}*").format(escaped) if escaped else escaped


def image(alt: str, target: str) -> Markup:
    """A picture beside the report; a remote one, which would tell who reads, is its text alone."""
    destination = href(target)
    if destination is None or "://" in target:
        return escape(alt)
    # Obsidian takes what follows a bar for the width.
    return Markup("!") + link_to(alt.replace("|", "/"), destination)


def obsidian_tag(text: str) -> str:
    """A tag as Obsidian allows it: ``"#Physics 101!"`` → ``"Physics-101"``; may be empty."""
    return re.sub(r"[^\w/-]", "", "-".join(plain(text).split())).strip("-/")


class _FrontMatterDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


# Stands unquoted: words that no version of YAML takes for anything but text.
_BARE = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[^\W\d_][\w.-]*", re.IGNORECASE)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    text = re.sub(r"[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    style = None if _BARE.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_FrontMatterDumper.add_representer(str, _represent_text)


def front_matter(values: Mapping[str, object]) -> str:
    """A YAML block that parsers of YAML 1.1 (PyYAML) and 1.2 (Obsidian) read alike, in order."""
    block = yaml.dump(
        dict(values), Dumper=_FrontMatterDumper, sort_keys=False, allow_unicode=True, width=maxsize
    )
    return f"---\n{block}---\n"


class Text(str):
    """Text in a layout: stays text, also when ``~``, ``+`` or ``join`` put it beside Markdown."""

    __slots__ = ()

    def __html__(self) -> Markup:
        return escape(str(self))


def as_text(value: Any) -> Any:
    """``value`` with every string in it, however deep, as ``Text``."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    return [as_text(item) for item in value] if isinstance(value, (list, tuple)) else value


def fill(pattern: str, **values: object) -> Markup:
    """A label with its ``{places}`` filled: ``labels.unsure|fill(count=3)``."""
    return escape(pattern).format(**{name: as_text(value) for name, value in values.items()})


def layout_environment(folders: Iterable[Path]) -> Sandbox:
    """The Jinja environment of layouts: what an expression prints is escaped for Markdown."""
    environment = Sandbox(
        loader=Folders(list(folders)),
        undefined=StrictUndefined,
        autoescape=True,  # only so that macros and captured blocks count as Markup
        finalize=lambda value: Markup() if value is None else escape(value),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for unsafe in ("safe", "e", "escape", "forceescape", "urlize", "xmlattr", "tojson"):
        del environment.filters[unsafe]
    environment.filters |= {"link": link, "image": image, "strong": strong, "emphasis": emphasis}
    environment.filters |= {"paragraphs": escape_block, "fill": fill}
    return environment


def unknown_variables(environment: Environment, name: str, known: Container[str]) -> list[str]:
    """Names that a Jinja file uses and nobody sets, with file and line.

    Looking at the source finds them in every branch, also one that no sample goes through.
    """
    source, file, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
    tree = environment.parse(source, name, file)
    # What is imported or set outside of a block counts as unknown inside of it.
    own = {node.target for node in tree.find_all(nodes.Import)}
    own |= {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    unknown = meta.find_undeclared_variables(tree) - own
    return [
        f"{file}:{node.lineno}: unknown variable {node.name!r}"
        for node in tree.find_all(nodes.Name)
        if node.name in unknown and node.name not in known
    ]


@contextmanager
def template_errors(folder: Path) -> Iterator[None]:
    """Turn what goes wrong in a Jinja file into a ReelmakeError that names the file and line."""
    try:
        yield
    except ReelmakeError:
        raise
    except (RecursionError, UnicodeError) as error:
        reason = "it is nested too deeply, or calls itself without end"
        if isinstance(error, UnicodeError):
            reason = f"is no UTF-8 ({error})"
        raise ReelmakeError("template_invalid", f"{folder}: {reason}") from None
    except TemplateSyntaxError as error:
        place = f"{error.filename or error.name}:{error.lineno}"
        raise ReelmakeError("template_invalid", f"{place}: {error.message}") from None
    except TemplateNotFound as error:
        raise ReelmakeError("template_invalid", f"{folder}: {error.name} is missing") from None
    except Exception as error:
        # Jinja puts the lines of the template into the traceback.
        frames = [frame for frame in extract_tb(error.__traceback__) if ".j2" in frame.filename]
        if not frames:
            raise
        place = f"{frames[-1].filename}:{frames[-1].lineno}"
        reason = str(error) or type(error).__name__
        raise ReelmakeError("template_invalid", f"{place}: {shortened(reason)}") from error
