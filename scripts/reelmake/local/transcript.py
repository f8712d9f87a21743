"""From sentences to the paragraphs of a transcript."""

from collections.abc import Sequence

from reelmake.analysis import Passage
from reelmake.local.text import joined

_MOST_S, _PAUSE_S = 25.0, 2.5


def join_sentences(sentences: Sequence[Passage], breaks: Sequence[float]) -> list[Passage]:
    """Paragraphs of up to 25 s; ``breaks`` are moments, as chapters, where one begins.

    Nothing is lost, and a doubtful sentence is never joined with others than doubtful ones.
    """
    paragraphs: list[list[Passage]] = []
    for sentence in sentences:
        if paragraphs and _belongs(paragraphs[-1], sentence, breaks):
            paragraphs[-1].append(sentence)
        else:
            paragraphs.append([sentence])
    return [_paragraph(sentences) for sentences in paragraphs]


def middle(sentence: Passage) -> float:
    """Where a sentence belongs when a scene begins amid it."""
    return (sentence.start_s + sentence.end_s) / 2


def _belongs(paragraph: Sequence[Passage], following: Passage, breaks: Sequence[float]) -> bool:
    last = paragraph[-1]
    return (
        following.end_s - paragraph[0].start_s <= _MOST_S
        and following.start_s - last.end_s <= _PAUSE_S
        and following.doubtful == last.doubtful
        and not any(middle(last) < moment <= middle(following) for moment in breaks)
    )


def _paragraph(sentences: Sequence[Passage]) -> Passage:
    sure = [(s.confidence or 0.0) * len(s.text) for s in sentences]
    return Passage(
        start_s=sentences[0].start_s,
        end_s=sentences[-1].end_s,
        text=joined([sentence.text for sentence in sentences]),
        confidence=round(sum(sure) / sum(len(s.text) for s in sentences), 3),
        doubtful=sentences[0].doubtful,
    )
