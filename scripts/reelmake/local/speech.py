"""Speech to sentences, with their times and how sure the model is of them."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reelmake.analysis import Passage
from reelmake.decoding import SAMPLE_RATE, Samples
from reelmake.local.text import CLAUSE_ENDS, SENTENCE_ENDS, ends_sentence

if TYPE_CHECKING:
    from faster_whisper import WhisperModel  # type: ignore[import-untyped]
    from faster_whisper.transcribe import (  # type: ignore[import-untyped]
        Segment,
        TranscriptionInfo,
    )

# Without it the model writes Traditional characters, often unpunctuated; longer ones do harm.
_CHINESE_PROMPT = "以下是普通话的句子。"
_TAGS = {"zh": "zh-CN", "jw": "jv"}  # the prompt asks for Simplified Chinese
_BEAM = 2  # a sixth faster than the usual 5, and hardly worse
_DOUBTFUL_BELOW = -0.5  # mean log probability
_REPETITIVE_ABOVE = 2.4  # compression ratio
_LONG_S, _TOO_LONG_S = 16.0, 25.0
_BREATH_S, _PAUSE_S = 0.7, 2.5
_FULL_WIDTH = {",": "，", ".": "。", "?": "？", "!": "！", ":": "：", ";": "；"}
_AFTER_HAN = re.compile(r"(?<=[\u4e00-\u9fff])[,.?!:;] ?")


class Speech(NamedTuple):
    """What was said; the language is None when nothing was."""

    language: str | None
    probability: float | None
    sentences: list[Passage]


class Word(NamedTuple):
    """A word with the blanks around it, and what the model thinks of its surroundings."""

    start_s: float
    end_s: float
    text: str
    log_probability: float
    doubtful: bool


def transcribe(whisper: "WhisperModel", blocks: Iterable[tuple[float, Samples]]) -> Speech:
    """Recognise blocks of 16 kHz sound, each with its start; the language is detected once."""
    import ctranslate2  # type: ignore[import-untyped]  # noqa: PLC0415  # heavy

    language: str | None = None
    probability: float | None = None
    words: list[Word] = []
    for start_s, samples in blocks:
        ctranslate2.set_random_seed(0)  # the second try of an unsure passage draws at random
        segments, info = _recognise(whisper, samples, language)
        if not info.duration_after_vad:
            continue
        if language is None:
            language, probability = info.language, round(info.language_probability, 3)
        limit_s = start_s + len(samples) / SAMPLE_RATE
        words.extend(_words(segments, start_s, limit_s))
    if not words:
        return Speech(None, None, [])
    tag = _TAGS.get(language or "", language)
    return Speech(tag, probability, join_words(words))


def join_words(words: Sequence[Word]) -> list[Passage]:
    """Group words into sentences; each word is in exactly one. Very long ones are divided."""
    sentences: list[Passage] = []
    current: list[Word] = []
    for word, following in zip(words, [*words[1:], None], strict=True):
        current.append(_settled(word, following))
        if following is None or _ends(current, following):
            sentences.append(_sentence(current))
            current = []
    return sentences


def _recognise(
    whisper: "WhisperModel", samples: Samples, language: str | None
) -> tuple[Iterable["Segment"], "TranscriptionInfo"]:
    def ask(language: str | None) -> tuple[Iterable["Segment"], "TranscriptionInfo"]:
        found: tuple[Iterable[Segment], TranscriptionInfo] = whisper.transcribe(
            samples,
            language=language,
            vad_filter=True,
            word_timestamps=True,
            beam_size=_BEAM,
            temperature=[0.0, 0.6],
            initial_prompt=_CHINESE_PROMPT if language == "zh" else None,
        )
        return found

    segments, info = ask(language)
    if language is None and info.language == "zh" and info.duration_after_vad:
        probability = info.language_probability
        segments, info = ask("zh")  # nothing is lost: segments are recognised when they are read
        info.language_probability = probability
    return segments, info


def _words(segments: Iterable["Segment"], start_s: float, limit_s: float) -> Iterator[Word]:
    before = ""
    for segment in segments:
        repetitive = segment.compression_ratio > _REPETITIVE_ABOVE
        doubtful = segment.avg_logprob < _DOUBTFUL_BELOW or repetitive
        if doubtful and segment.text == before:
            continue  # the model goes round in circles
        before = segment.text
        for word in segment.words or []:
            end_s = min(start_s + word.end, limit_s)
            # A word after a pause tends to be given the pause as well.
            begin_s = min(max(start_s + word.start, end_s - 2), end_s)
            yield Word(float(begin_s), float(end_s), word.word, segment.avg_logprob, doubtful)


def _settled(word: Word, following: Word | None) -> Word:
    """A word that seems to be said long before the rest of its clause belongs to that rest."""
    mark = word.text.rstrip()[-1:]
    if following is None or mark in SENTENCE_ENDS + CLAUSE_ENDS:
        return word
    if following.start_s - word.end_s <= _PAUSE_S:
        return word
    length_s = min(word.end_s - word.start_s, 0.5)
    return word._replace(start_s=following.start_s - length_s, end_s=following.start_s)


def _ends(sentence: Sequence[Word], following: Word) -> bool:
    last = sentence[-1]
    pause_s = following.start_s - last.end_s
    length_s = last.end_s - sentence[0].start_s
    at_clause = last.text.rstrip()[-1:] in CLAUSE_ENDS
    return (
        following.doubtful != last.doubtful
        or ends_sentence("".join(word.text for word in sentence[-3:]))
        or (at_clause and (pause_s > _BREATH_S or length_s >= _LONG_S))
        or pause_s > _PAUSE_S
        or length_s >= _TOO_LONG_S
    )


def _sentence(words: Sequence[Word]) -> Passage:
    text = _AFTER_HAN.sub(
        lambda match: _FULL_WIDTH[match[0][0]], "".join(word.text for word in words).strip()
    )
    if text.endswith("，"):  # the model joins Chinese sentences with commas, but here is a pause
        text = text[:-1] + "。"
    mean = sum(word.log_probability for word in words) / len(words)
    return Passage(
        start_s=round(words[0].start_s, 2),
        end_s=round(words[-1].end_s, 2),
        text=text,
        confidence=round(min(math.exp(mean), 1.0), 3),
        doubtful=words[0].doubtful,
    )
