"""Title, overview, key points, key moments and terms: chosen from what is said and shown."""

import re
from collections.abc import Sequence
from typing import TypeVar

from reelmake.analysis import Chapter, KeyMoment, KeyPoint, Passage, Term
from reelmake.local.outline import heading, shown_text, shows_slides
from reelmake.local.rank import Ranking
from reelmake.local.records import Recognition, Scene, Screen
from reelmake.local.text import STOPWORDS, joined, size

_MAX_POINTS = _MAX_MOMENTS = 10
_MAX_TERMS = 8
_EXPLAINS = 4  # words that a sentence needs to explain anything
_MAX_HEADINGS = 12
_NO_TEXT = {"zh": "画面上没有文字", "en": "No text on the screen"}
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]{2,}")
_HAN_TERM = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,6}(?![\u4e00-\u9fff])")

Item = TypeVar("Item")


def choose_title(recognition: Recognition, name: str) -> str:
    """The title in the file, else the first heading on the slides, else the name of the file."""
    if recognition.container_title:
        return recognition.container_title
    headings = _headings(recognition) if shows_slides(recognition) else []
    return headings[0] if headings else re.sub(r"[-_]+", " ", name)


def write_overview(recognition: Recognition, ranking: Ranking) -> str:
    """Three to five sentences that are said; without speech, the headings that are shown."""
    minutes = (recognition.end_s - recognition.start_s) / 60
    said = ranking.best(min(5, max(3, round(minutes))))
    if said:
        return joined([sentence.text for sentence in said])
    headings = _headings(recognition)
    if headings:
        return " · ".join(headings[:_MAX_HEADINGS])
    return shown_text(recognition.screens[0]) if recognition.screens else ""


def find_key_points(chapters: Sequence[Chapter], ranking: Ranking) -> list[KeyPoint]:
    """The weightiest sentence of each chapter; two when there are few chapters."""
    said = _best_of_each(chapters, ranking, 1 if len(chapters) >= 4 else 2)
    points = [KeyPoint(time_s=sentence.start_s, text=sentence.text) for sentence in said]
    return _spread(points, _MAX_POINTS)


def find_key_moments(
    recognition: Recognition, chapters: Sequence[Chapter], ranking: Ranking, language: str
) -> list[KeyMoment]:
    """Slides with what is said about them; of a film, its weightiest sentences and its texts."""
    slides = [s for s in recognition.screens if len(s.lines) >= 3 or heading(s) is not None]
    if shows_slides(recognition):
        full = [s for s in slides if len(s.lines) >= 3] or slides
        return [_slide_moment(s, chapters, ranking) for s in _spread(full, _MAX_MOMENTS)]
    texts = _spread([s for s in slides if _is_spoken_over(s, recognition)], _MAX_MOMENTS // 2)
    said = _spread(_best_of_each(chapters, ranking, 2), _MAX_MOMENTS - len(texts))
    moments = [_slide_moment(screen, chapters, ranking) for screen in texts]
    for sentence in said:
        if all(moment.why != sentence.text for moment in moments):
            shown = _shown_at(recognition, sentence.start_s, language)
            moments.append(KeyMoment(time_s=sentence.start_s, why=sentence.text, shown=shown))
    return sorted(moments, key=lambda moment: moment.time_s)


def find_terms(recognition: Recognition) -> list[Term]:
    """Names and heading words on the screen that are also said repeatedly, most said first."""
    said = [s.text for s in recognition.sentences if size(s.text) >= _EXPLAINS]
    counts = {
        word: sum(len(re.findall(_pattern(word), text, re.IGNORECASE)) for text in said)
        for word in _candidates(recognition)
    }
    often = [word for word in counts if counts[word] >= (3 if word.isascii() else 2)]
    often.sort(key=lambda word: -counts[word])
    return [Term(term=word, explanation=_explanation(word, said)) for word in often[:_MAX_TERMS]]


def _headings(recognition: Recognition) -> list[str]:
    found = (heading(screen) for screen in recognition.screens)
    return list(dict.fromkeys(text for text in found if text))


def _best_of_each(chapters: Sequence[Chapter], ranking: Ranking, count: int) -> list[Passage]:
    return [
        sentence
        for chapter in chapters
        for sentence in ranking.best(count, start_s=chapter.start_s, end_s=chapter.end_s)
        if sentence.text[-1] not in "?？"
    ]


def _candidates(recognition: Recognition) -> list[str]:
    """Capitalised words amid a line, words of headings, and short Chinese phrases."""
    words: dict[str, str] = {}
    for screen in recognition.screens:
        title = heading(screen)
        for line in (line.text for line in screen.lines):
            for match in _LATIN.finditer(line):
                word = match[0]
                named = match.start() > 0 and word.istitle() and not line.istitle()
                if (named or line == title) and word.casefold() not in STOPWORDS:
                    words.setdefault(_stem(word), word.capitalize() if word.isupper() else word)
            for word in _HAN_TERM.findall(line):
                words.setdefault(word, word)
    return list(words.values())


def _stem(word: str) -> str:
    return word.casefold().removesuffix("s")


def _pattern(word: str) -> str:
    return rf"\b{re.escape(_stem(word))}(?:e?s|'s)?\b" if word.isascii() else re.escape(word)


def _explanation(word: str, said: Sequence[str]) -> str:
    """The sentence that begins with the term, else the first that has it."""
    having = [text for text in said if re.search(_pattern(word), text, re.IGNORECASE)]
    opening = re.compile(rf"(?:(?:the|an?) )?{_pattern(word)}", re.IGNORECASE)
    return next((text for text in having if opening.match(text)), having[0])


def _slide_moment(screen: Screen, chapters: Sequence[Chapter], ranking: Ranking) -> KeyMoment:
    scene = screen.scene
    said = ranking.best(1, start_s=scene.start_s, end_s=scene.end_s)
    chapter = next((c.title for c in chapters if c.start_s <= scene.start_s < c.end_s), None)
    why = said[0].text if said else heading(screen) or chapter or screen.lines[0].text
    return KeyMoment(time_s=_picture_time(scene), why=why, shown=shown_text(screen))


def _is_spoken_over(screen: Screen, recognition: Recognition) -> bool:
    """Credits aren't."""
    scene, said = screen.scene, recognition.sentences
    return not said or any(s.start_s < scene.end_s and s.end_s > scene.start_s for s in said)


def _picture_time(scene: Scene) -> float:
    """When the slide is nearly complete, and the next one is not yet near."""
    return round(max((scene.start_s + scene.still_s) / 2, scene.still_s - 2), 2)


def _shown_at(recognition: Recognition, time_s: float, language: str) -> str:
    for screen in recognition.screens:
        if screen.scene.start_s <= time_s < screen.scene.end_s:
            return shown_text(screen)
    return _NO_TEXT["zh" if language.startswith("zh") else "en"]


def _spread(items: Sequence[Item], limit: int) -> list[Item]:
    """At most ``limit`` of them, evenly spread, the first and the last among them."""
    if len(items) <= limit:
        return list(items)
    last = len(items) - 1
    return [items[round(number * last / (limit - 1))] for number in range(limit)]
