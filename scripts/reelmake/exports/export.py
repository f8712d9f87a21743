"""One report in one of the other formats, which the name of its file ends in."""

import os
from pathlib import Path

from reelmake.analysis import read_analysis
from reelmake.exports.anki import to_anki
from reelmake.exports.documents import write_docx, write_pdf
from reelmake.exports.subtitles import to_srt, to_vtt
from reelmake.files import write_atomically
from reelmake.pages import report_page


def export_report(report: Path, document: Path, *, index: Path) -> None:
    """What is made from the Markdown, so that edits of it are in there: html, docx or pdf.

    Raises ReelmakeError: program_missing or export_failed.
    """
    if document.suffix == ".docx":
        write_docx(report, document)
    elif document.suffix == ".pdf":
        write_pdf(report, document)
    else:
        way_back = Path(os.path.relpath(index, document.parent)).as_posix()
        page = report_page(report.read_text(encoding="utf-8"), index=way_back)
        write_atomically(document, page)


def export_analysis(analysis: Path, document: Path) -> None:
    """What is made from the analysis: srt, vtt, json or anki.txt."""
    found = read_analysis(analysis)
    if document.suffix == ".srt":
        text = to_srt(found.transcript)
    elif document.suffix == ".vtt":
        text = to_vtt(found.transcript, found.language)
    elif document.suffix == ".txt":
        text = to_anki(found, found.video.source.rpartition("/")[2])
    else:
        text = analysis.read_text(encoding="utf-8")
    write_atomically(document, text)
