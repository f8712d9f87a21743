"""A terminal as an SVG: `tmux capture-pane -e -p | python demo/terminal_image.py 100 out.svg`."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def main(width: int, image: Path) -> None:
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(Text.from_ansi(sys.stdin.read().rstrip()))
    svg = console.export_svg(title="snakemake -j8 --configfile my.yaml", unique_id="terminal")
    # Fonts of a website: the reader's own will do.
    image.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
