"""Flashcards as a text file that Anki imports (File → Import), with nothing to set by hand."""

import csv
import io
from collections.abc import Iterator

from reelmake.analysis import Analysis
from reelmake.markdown import obsidian_tag, plain


def to_anki(analysis: Analysis, source: str) -> str:
    """One note a card; the terms of a report without cards of its own. ``source`` goes on backs.

    Text stays text: Anki is told that there is no HTML in it.
    """
    text = io.StringIO()
    text.write("#separator:Tab\n#html:false\n#notetype:Basic\n")
    text.write(f"#deck:{plain(analysis.title).replace('::', ':') or 'Reports'}\n#tags column:3\n")
    # Quoted throughout: a line that begins with # would be a setting.
    writer = csv.writer(text, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
    tag = f"reelmake::{obsidian_tag(analysis.name)}"
    for front, back in _cards(analysis):
        writer.writerow([front, f"{back} ({source})" if source else back, tag])
    return text.getvalue()


def _cards(analysis: Analysis) -> Iterator[tuple[str, str]]:
    cards = analysis.fields.get("flashcards")
    if cards:
        for card in cards:
            yield plain(str(card["front"])), plain(str(card["back"]))
        return
    for term in analysis.terms:
        back = " – ".join(filter(None, [term.translation, term.explanation]))
        if back:
            yield plain(term.term), plain(back)
