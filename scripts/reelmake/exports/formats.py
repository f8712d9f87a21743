"""The formats of a report: what their files end in, and which template can have which."""

import shutil
from collections.abc import Iterable, Sequence
from typing import get_args

from reelmake.config import Format
from reelmake.errors import ReelmakeError
from reelmake.templates import Template

FORMATS: tuple[Format, ...] = get_args(Format)
PROGRAMS: dict[Format, str] = {"docx": "pandoc", "pdf": "weasyprint"}
"""What makes a format that this package can't make by itself."""


def ending(name: Format) -> str:
    """What the file of that format ends in."""
    return ".anki.txt" if name == "anki" else f".{name}"


def formats_of(template: Template, wanted: Sequence[Format]) -> list[Format]:
    """Those of ``wanted``, and those that the template insists on, for which it has the content."""
    asked = {*wanted, *template.formats}
    return [name for name in FORMATS if name in asked and _has_content(template, name)]


def check_formats(templates: Iterable[Template], wanted: Sequence[Format]) -> None:
    """Tell before a run what it could not make.

    Raises ReelmakeError: config_invalid for a format that no template has content for,
    program_missing for one whose program is not installed.
    """
    templates = list(templates)
    for name in wanted:
        if templates and not any(_has_content(template, name) for template in templates):
            part = "cards or terms" if name == "anki" else "a transcript"
            names = ", ".join(template.name for template in templates)
            message = f"formats: {name} needs a template with {part}; {names} has none"
            raise ReelmakeError("config_invalid", message)
    for name in {name for template in templates for name in formats_of(template, wanted)}:
        find_program(name)


def find_program(name: Format) -> str:
    """The program that makes a format; empty when none is needed. Raises program_missing."""
    program = PROGRAMS.get(name, "")
    if program and not shutil.which(program):
        message = f"formats: {name} is made by the program {program!r}, which is not installed"
        raise ReelmakeError("program_missing", message)
    return program


def _has_content(template: Template, name: Format) -> bool:
    if name in ("srt", "vtt"):
        return "transcript" in template.uses
    if name == "anki":
        return "terms" in template.uses or "flashcards" in template.own_fields
    return True
