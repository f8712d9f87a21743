"""Documents made from a report's Markdown by programs that do this well, where installed."""

import subprocess
import tempfile
from pathlib import Path

from reelmake.errors import ReelmakeError
from reelmake.exports.formats import find_program
from reelmake.files import write_atomically
from reelmake.pages import report_page, split_front_matter, to_html

_TIMEOUT_S = 300


def write_docx(report: Path, document: Path) -> None:
    """A Word document by pandoc. Raises ReelmakeError: program_missing or export_failed."""
    properties, text = split_front_matter(report.read_text(encoding="utf-8"))
    language = str(properties.get("language") or "en")
    options = ["--from=html", "--to=docx", f"--metadata=lang:{language}"]
    _make(find_program("docx"), [*options, "--output"], to_html(text), report.parent, document)


def write_pdf(report: Path, document: Path) -> None:
    """The page of the report, printed by WeasyPrint. Raises the same."""
    page = report_page(report.read_text(encoding="utf-8"), index=None)
    folder = report.parent.resolve().as_uri() + "/"
    options = ["--quiet", "--encoding=utf-8", f"--base-url={folder}", "-"]
    _make(find_program("pdf"), options, page, report.parent, document)


def _make(program: str, options: list[str], source: str, folder: Path, document: Path) -> None:
    """Run it with ``source`` as its input, where the pictures are; its output lands whole."""
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / f"document{document.suffix}"
        command = [program, *options, str(made)]
        try:
            done = subprocess.run(  # noqa: S603  a fixed command; the report is its input only
                command,
                input=source.encode(),
                capture_output=True,
                cwd=folder,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"{program} was not done with {document.name} after {_TIMEOUT_S} s."
            raise ReelmakeError("export_failed", message) from None
        if done.returncode or not made.is_file():
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise ReelmakeError("export_failed", f"{program} can't make {document.name}: {said}")
        write_atomically(document, made.read_bytes())
