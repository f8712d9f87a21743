"""Subtitles from the transcript: SRT and WebVTT, in lines short enough to be read on a screen."""

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import east_asian_width

from reelmake.analysis import Passage
from reelmake.markdown import plain

_WIDTH = 84  # columns: two lines on a screen; a Chinese character takes two
_ATOM = re.compile(
    r"[\u2e80-\u9fff\uf900-\ufaff][，。！？；：、）》」』”’…]*|\S+?(?=[\u2e80-\u9fff])|\S+|\s+"
)
_SENTENCE_END = re.compile(r"[.?!…。？！][\"'”’）)」』]*\s*$")
_CLAUSE_END = re.compile(r"[,;:，、；：][\"'”’）)」』]*\s*$")
# Players take these for formatting, also in SRT, which has no way to write them as text.
_SRT_MARKS = str.maketrans({"<": "＜", ">": "＞", "{": "｛", "}": "｝"})


class Cue(NamedTuple):
    """What is on the screen for a while; one line of text."""

    start_s: float
    end_s: float
    text: str
    speaker: str | None


def cues(transcript: Sequence[Passage]) -> Iterator[Cue]:
    """Passages cut between sentences, clauses or words; a piece gets its share of the time."""
    for passage in transcript:
        pieces = list(_pieces(plain(passage.text)))
        whole = sum(map(_width, pieces)) or 1
        speaker = plain(passage.speaker) if passage.speaker else None
        said = 0
        for piece in pieces:
            start, said = said, said + _width(piece)
            length_s = passage.end_s - passage.start_s
            yield Cue(
                passage.start_s + length_s * start / whole,
                passage.start_s + length_s * said / whole,
                piece,
                speaker,
            )


def to_srt(transcript: Sequence[Passage]) -> str:
    """SubRip; empty when nothing is said."""
    blocks = []
    for number, cue in enumerate(cues(transcript), start=1):
        spoken = f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
        times = f"{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}"
        blocks.append(f"{number}\n{times}\n{spoken.translate(_SRT_MARKS)}\n")
    return "\n".join(blocks)


def to_vtt(transcript: Sequence[Passage], language: str) -> str:
    """WebVTT."""
    blocks = [f"WEBVTT\nLanguage: {language}\n"]
    for cue in cues(transcript):
        text = html.escape(cue.text, quote=False)
        # A voice may hold a name only, so it is shown as text: `Name: …`.
        voice = f"{html.escape(cue.speaker, quote=False)}: " if cue.speaker else ""
        times = f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}"
        blocks.append(f"{times}\n{voice}{text}\n")
    return "\n".join(blocks)


def _pieces(text: str) -> Iterator[str]:
    piece = ""
    for atom in _ATOM.findall(text):
        if piece and _width(piece + atom.rstrip()) > _WIDTH:
            yield piece.strip()
            piece = ""
        piece += atom
        if (_SENTENCE_END.search(piece) and _width(piece) > _WIDTH // 3) or (
            _CLAUSE_END.search(piece) and _width(piece) > _WIDTH * 2 // 3
        ):
            yield piece.strip()
            piece = ""
    if piece.strip():
        yield piece.strip()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
