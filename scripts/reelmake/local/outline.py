"""Chapters: by the headings that are shown, else by where the speech turns to something else."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from reelmake.analysis import Chapter, Passage
from reelmake.local.rank import Ranking
from reelmake.local.records import Recognition, Screen
from reelmake.local.text import content_words, joined, shorten

_LARGER = 1.15  # a heading is so much larger than the other lines
_CARD_LINES = 2
_SLIDES_SHARE = 0.4  # of the time; less is a film that shows some text
_MIN_CHAPTER_S = 30.0
_MAX_SPOKEN_CHAPTERS = 10
_WINDOW = 4  # sentences compared on each side of a turn
_MIN_SENTENCES = 3
_MAX_TITLE, _MAX_SHOWN = 60, 240


class _Start(NamedTuple):
    time_s: float
    title: str


def heading(screen: Screen) -> str | None:
    """The large line near the top of a slide, or all of a title card."""
    if len(screen.lines) <= _CARD_LINES:
        above, *below = (line.text for line in screen.lines)
        colon = ":" if above[-1].isdigit() else ""  # "Step 1" and, below, what it is
        text = f"{above}{colon} {' '.join(below)}".strip()
        return text if screen.lines[0].top < 0.6 and _is_title(text) else None
    tallest = max(line.height for line in screen.lines)
    first = next(line for line in screen.lines if line.height >= 0.85 * tallest)
    usual = median(line.height for line in screen.lines if line is not first)
    if first.height >= _LARGER * usual and first.top < 0.4 and _is_title(first.text):
        return first.text
    return None


def shows_slides(recognition: Recognition) -> bool:
    """Whether the screen text carries the video, as in a lesson or a screencast."""
    shown_s = sum(
        screen.scene.end_s - screen.scene.start_s
        for screen in recognition.screens
        if len(screen.lines) > _CARD_LINES
    )
    return shown_s >= _SLIDES_SHARE * (recognition.end_s - recognition.start_s)


def shown_text(screen: Screen) -> str:
    """What a screen shows, in one line; its heading comes first."""
    title = heading(screen)
    lines = sorted((line.text for line in screen.lines), key=lambda text: text != title)
    return shorten(" / ".join(lines), _MAX_SHOWN)


def find_chapters(recognition: Recognition, ranking: Ranking) -> list[Chapter]:
    """In order and without gaps; none when nothing is shown or said that could divide the video."""
    starts = _shown_starts(recognition) or _spoken_starts(recognition, ranking)
    if not starts:
        return []
    starts[0] = starts[0]._replace(time_s=recognition.start_s)
    edges = [*(start.time_s for start in starts), recognition.end_s]
    return [
        Chapter(
            start_s=start_s,
            end_s=end_s,
            title=start.title,
            summary=_summary(recognition, ranking, start_s, end_s),
        )
        for start, (start_s, end_s) in zip(starts, pairwise(edges), strict=True)
    ]


def _is_title(text: str) -> bool:
    return len(text) <= 80 and sum(character.isalpha() for character in text) >= 3


def _shown_starts(recognition: Recognition) -> list[_Start]:
    """One for each heading that follows another; none when there are too few to divide by."""
    starts: list[_Start] = []
    for screen in recognition.screens:
        title = heading(screen)
        if title is not None and (not starts or starts[-1].title.casefold() != title.casefold()):
            starts.append(_Start(screen.scene.start_s, title))
    return starts if len(starts) > 1 and shows_slides(recognition) else []


def _spoken_starts(recognition: Recognition, ranking: Ranking) -> list[_Start]:
    """Where the words before and after have least in common, not too close to each other."""
    sentences = ranking.sentences
    length_s = recognition.end_s - recognition.start_s
    shortest_s = max(_MIN_CHAPTER_S, length_s / _MAX_SPOKEN_CHAPTERS)
    turns = range(_MIN_SENTENCES, len(sentences) - _MIN_SENTENCES + 1)
    edges = [recognition.start_s, recognition.end_s]
    for index in sorted(turns, key=lambda index: _cohesion(sentences, index)):
        time_s = sentences[index].start_s
        if all(abs(time_s - edge) >= shortest_s for edge in edges):
            edges.append(time_s)
    starts = []
    for start_s, end_s in pairwise(sorted(edges)):
        said = ranking.best(1, start_s=start_s, end_s=end_s)
        if said:
            starts.append(_Start(start_s, shorten(said[0].text.rstrip(".。"), _MAX_TITLE)))
    return starts


def _cohesion(sentences: Sequence[Passage], index: int) -> float:
    """How much what is said before and after this sentence begins has in common, 0 to 1."""
    before, after = (
        Counter(word for sentence in some for word in content_words(sentence.text))
        for some in (
            sentences[max(index - _WINDOW, 0) : index],
            sentences[index : index + _WINDOW],
        )
    )
    shared = sum(before[word] * after[word] for word in before)
    length = math.hypot(*before.values()) * math.hypot(*after.values())
    return shared / length if length else 0.0


def _summary(recognition: Recognition, ranking: Ranking, start_s: float, end_s: float) -> str:
    """What is said there, or shown there when nothing is said."""
    said = ranking.best(2, start_s=start_s, end_s=end_s)
    if said:
        return joined([sentence.text for sentence in said])
    inside = [s for s in recognition.screens if start_s <= s.scene.start_s < end_s]
    fullest = max(inside, key=lambda screen: len(screen.lines), default=None)
    return shown_text(fullest) if fullest else ""
