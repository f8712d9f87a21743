"""What the offline engine would do for a report."""

from reelmake.analysis import Analysis, VideoFacts
from reelmake.config import LocalSettings
from reelmake.local.request import recognition_request
from reelmake.planning.reasons import Needs, Reason
from reelmake.store import digest
from reelmake.targets import Target


class LocalEngine:
    """Buys nothing."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self.learned_seconds: float | None = None

    async def needs(self, target: Target, facts: VideoFacts, analysis: Analysis | None) -> Needs:
        key = digest(recognition_request(facts, target, self._settings.speech_model))
        if analysis is None:
            return Needs(Reason.NEW)
        if key in analysis.request_digests:
            return Needs(Reason.NONE)
        if facts.sha256 != analysis.video.sha256:
            return Needs(Reason.VIDEO)
        return Needs(Reason.MODEL if analysis.engine.name != "local" else Reason.SETTINGS)
