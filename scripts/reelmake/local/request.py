"""What the offline engine is asked; the digest of it is the answer's place in the store."""

from reelmake.analysis import VideoFacts
from reelmake.local.records import RECOGNITION_VERSION
from reelmake.targets import Target


def recognition_request(facts: VideoFacts, target: Target, speech_model: str) -> dict[str, object]:
    """All that decides what is recognised."""
    return {
        "engine": "local",
        "recognition": RECOGNITION_VERSION,
        "video": facts.sha256,
        "start_s": target.start_s,
        "end_s": target.end_s,
        "speech_model": speech_model,
    }
