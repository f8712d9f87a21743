"""One report in one of the other formats, which the name of its file ends in."""

from pathlib import Path

from reelmake.analysis import read_analysis
from reelmake.exports.anki import to_anki
from reelmake.exports.documents import write_docx, write_pdf
from reelmake.exports.subtitles import to_srt, to_vtt
from reelmake.files import write_atomically


def export(report: Path, analysis: Path, document: Path) -> None:
    """Documents come from the Markdown, so that edits of it are in them; data from the analysis.

    Raises ReelmakeError: program_missing or export_failed.
    """
    if document.suffix == ".docx":
        write_docx(report, document)
    elif document.suffix == ".pdf":
        write_pdf(report, document)
    else:
        write_atomically(document, _data(analysis, document.suffix))


def _data(analysis: Path, suffix: str) -> str:
    found = read_analysis(analysis)
    if suffix == ".srt":
        return to_srt(found.transcript)
    if suffix == ".vtt":
        return to_vtt(found.transcript, found.language)
    if suffix == ".txt":
        return to_anki(found, found.video.source.rpartition("/")[2])
    return analysis.read_text(encoding="utf-8")
