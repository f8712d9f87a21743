"""What a report says of how it came about: what was repaired, and what its reader should know."""

from reelmake.analysis import Notice
from reelmake.translation import ENGLISH, Say

TEXTS = {
    "fences_removed": "The answer came in a code fence, or among other words.",
    "times_clamped": "{count} times were just outside the video and were moved to its edge.",
    "times_reordered": "Times that were not in order were put in order.",
    "asked_in_halves": (
        "One answer was not enough from {start} to {end} ({why}): it was asked for in two halves."
    ),
    "other_model": "Answered by {others} instead of {model}.",
    "no_sound": "The video has no sound: made from its pictures.",
    "no_speech": "No speech was found: made from the pictures.",
    "no_screen_text": "No text was found on the screen.",
    "not_translated": (
        "The report is in {spoken}, not {asked}: the offline engine doesn't translate."
    ),
    "language_unsure": "The spoken language may not be {spoken} (probability {probability:.0%}).",
    "doubtful_passages": "{count} of {all} passages are marked as doubtful.",
}


def notice(code: str, /, **values: str | float) -> Notice:
    """A notice whose message is in English."""
    return Notice(code=code, message=ENGLISH(TEXTS[code], **values), values=values)


def told(notice: Notice, say: Say) -> str:
    """The notice as it is said to a reader; another version's as that wrote it down."""
    try:
        is_ours = TEXTS[notice.code].format(**notice.values) == notice.message
    except (KeyError, ValueError):
        is_ours = False
    return say(TEXTS[notice.code], **notice.values) if is_ours else notice.message
