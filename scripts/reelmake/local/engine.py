"""The offline engine in two steps: recognise, which is costly and kept, and analyse, which isn't.

Nothing heavy is imported until a video is recognised.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reelmake.analysis import Analysis, Engine, Notice, Passage, VideoFacts
from reelmake.local.outline import find_chapters
from reelmake.local.rank import Ranking
from reelmake.local.records import RECOGNITION_VERSION, Recognition
from reelmake.local.summarize import (
    choose_title,
    find_key_moments,
    find_key_points,
    find_terms,
    write_overview,
)
from reelmake.local.text import guess_language
from reelmake.local.transcript import join_sentences
from reelmake.notices import notice

__all__ = ["PARTS", "RECOGNITION_VERSION", "Recognition", "analyse", "recognise"]

PARTS = frozenset(
    {"title", "overview", "chapters", "transcript", "key_points", "key_moments", "terms"}
)
"""What this engine can give."""

_UNSURE_LANGUAGE = 0.6
_MIN_SCREENS, _MAX_SCREENS = 12, 120  # that are read: one each 10 s between these


def recognise(
    path: Path,
    *,
    speech_model: str = "base",
    start_s: float | None = None,
    end_s: float | None = None,
    threads: int = 2,
) -> Recognition:
    """Listen to a video and read its screen. The same video gives the same recognition.

    Raises ReelmakeError: what ``media.probe`` raises, and weights_missing.
    """
    from reelmake import media  # noqa: PLC0415  # heavy, as are the next three
    from reelmake.local import ocr, scenes, speech  # noqa: PLC0415
    from reelmake.local.weights import load_speech_model  # noqa: PLC0415

    began = time.monotonic()
    facts = media.probe(path)
    first_s = start_s or 0.0
    last_s = min(end_s or facts.duration_s, facts.duration_s)
    model = load_speech_model(speech_model, threads)
    found = scenes.find_scenes(media.sample_frames(path, 1.0, first_s, last_s), last_s)
    limit = min(_MAX_SCREENS, max(_MIN_SCREENS, round((last_s - first_s) / 10)))
    chosen = scenes.choose_scenes(found, limit)
    with ThreadPoolExecutor(1) as beside:  # listening alone doesn't keep two cores busy
        reading = beside.submit(ocr.read_screens, path, chosen, threads=1)
        heard = speech.transcribe(model.whisper, media.audio_blocks(path, first_s, last_s))
        screens = reading.result()
    return Recognition(
        speech_version=model.version,
        ocr_version=ocr.ocr_version(),
        container_title=facts.title,
        has_sound=facts.audio_codec is not None,
        language=heard.language,
        language_probability=heard.probability,
        start_s=first_s,
        end_s=last_s,
        sentences=heard.sentences,
        scenes=found,
        screens=screens,
        seconds=round(time.monotonic() - began, 2),
    )


def analyse(
    recognition: Recognition,
    *,
    name: str,
    template: str,
    language: str | None,
    wanted: Sequence[str],
    fields: Sequence[str],
    video: VideoFacts,
    speech_model: str,
    created: str,
) -> Analysis:
    """Choose from what was recognised; quick, and the same each time.

    ``wanted`` are the parts that the template asks for, ``fields`` what only this template has;
    what extraction can't give honestly is named in ``not_given``.
    """
    ranking = Ranking(recognition.sentences)
    spoken = recognition.language or guess_language(_screen_text(recognition))
    chapters = find_chapters(recognition, ranking)
    transcript = join_sentences(recognition.sentences, [chapter.start_s for chapter in chapters])
    parts = {
        "chapters": chapters,
        "transcript": transcript,
        "key_points": find_key_points(chapters, ranking),
        "key_moments": find_key_moments(recognition, chapters, ranking, spoken),
        "terms": find_terms(recognition),
    }
    return Analysis(
        name=name,
        template=template,
        language=spoken,
        engine=Engine(
            name="local",
            model=speech_model,
            version=f"{recognition.speech_version}; {recognition.ocr_version}",
        ),
        video=video,
        title=choose_title(recognition, name),
        overview=write_overview(recognition, ranking),
        **{part: found for part, found in parts.items() if part in wanted},
        not_given=[part for part in [*wanted, *fields] if part not in PARTS],
        seconds=recognition.seconds,
        warnings=list(_notices(recognition, transcript, spoken, language)),
        created=created,
    )


def _screen_text(recognition: Recognition) -> str:
    return " ".join(line.text for screen in recognition.screens for line in screen.lines)


def _notices(
    recognition: Recognition, transcript: Sequence[Passage], spoken: str, asked: str | None
) -> Iterator[Notice]:
    """What the reader should know of how this report came about."""
    if not recognition.has_sound:
        yield notice("no_sound")
    elif not recognition.sentences:
        yield notice("no_speech")
    if not recognition.screens:
        yield notice("no_screen_text")
    if asked and asked.partition("-")[0] != spoken.partition("-")[0] and spoken != "und":
        yield notice("not_translated", spoken=spoken, asked=asked)
    probability = recognition.language_probability
    if probability is not None and probability < _UNSURE_LANGUAGE:
        yield notice("language_unsure", spoken=spoken, probability=probability)
    doubtful = sum(passage.doubtful for passage in transcript)
    if doubtful:
        yield notice("doubtful_passages", count=doubtful, all=len(transcript))
