"""Tables on a terminal, in a pipe and in a file: plain, aligned, as wide as there is room."""

import io
import sys

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from reelmake.translation import Say

_WIDTH_IN_A_FILE = 110


def table(*columns: str) -> Table:
    """Columns by their headings; one that ends in ``>`` is of numbers."""
    made = Table(box=box.SIMPLE, pad_edge=False, header_style="bold")
    for column in columns:
        number = column.endswith(" >")
        made.add_column(
            column.removesuffix(" >"),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number,
        )
    return made


def show(content: RenderableType) -> None:
    """Print it, with escapes for what the terminal's encoding lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=_WIDTH_IN_A_FILE)
    console.print(content)


def as_text(content: RenderableType) -> str:
    """What would be printed into a file."""
    plain = Console(file=io.StringIO(), highlight=False, width=_WIDTH_IN_A_FILE, no_color=True)
    plain.print(content)
    assert isinstance(plain.file, io.StringIO)  # noqa: S101  made above
    return plain.file.getvalue()


def clock(seconds: float, say: Say) -> str:
    """About how long."""
    if seconds < 90:
        return say("{seconds:.0f} s", seconds=seconds)
    if seconds < 90 * 60:
        return say("{minutes:.0f} min", minutes=seconds / 60)
    return say("{hours:.1f} h", hours=seconds / 3600)
