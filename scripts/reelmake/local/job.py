"""One report by the offline engine: a video is recognised once, whatever is made of it later."""

import logging
from pathlib import Path

from reelmake.analysis import Analysis, VideoFacts
from reelmake.facts import video_facts
from reelmake.local.engine import Recognition, analyse, recognise
from reelmake.local.request import recognition_request
from reelmake.results import Results
from reelmake.store import Store, StoredAnswer, digest
from reelmake.targets import Target
from reelmake.templates import Template

log = logging.getLogger(__name__)


def analyse_video(
    target: Target, template: Template, *, results: Results, speech_model: str, threads: int
) -> Analysis:
    """Recognise a video, or find in the store what was recognised before, and choose from it.

    Raises ReelmakeError.
    """
    facts = video_facts(target, results.checksums)
    request = recognition_request(facts, target, speech_model)
    stored = _recognised(facts, request, store=results.store, threads=threads)
    return analyse(
        Recognition.model_validate(stored.answer),
        name=target.name,
        template=template.name,
        language=target.language or template.language,
        wanted=template.uses,
        fields=template.own_fields,
        video=facts,
        speech_model=speech_model,
        created=stored.received,
    ).model_copy(update={"request_digests": [digest(request)]})


def _recognised(
    facts: VideoFacts, request: dict[str, object], *, store: Store, threads: int
) -> StoredAnswer:
    key = digest(request)
    with store.asking(key):
        stored = store.get(key)
        if stored is not None:
            log.info("recognition %s is in the store", key[:12])
            return stored
        recognition = recognise(
            Path(facts.source),
            speech_model=str(request["speech_model"]),
            start_s=facts.start_s,
            end_s=facts.end_s,
            threads=threads,
        )
        store.put(key, recognition.model_dump(mode="json"), request=request)
        stored = store.get(key)
    if stored is None:
        raise OSError(f"what was recognised, {key[:12]}, can't be read back")
    return stored
