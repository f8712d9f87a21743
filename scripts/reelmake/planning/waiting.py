"""Batches that have not ended, as they are known here: nobody is asked."""

from reelmake.gemini.batches.records import list_batches
from reelmake.results import Results
from reelmake.translation import Say


def waiting_batches(results: Results, say: Say) -> list[str]:
    """A line for each, the oldest first."""
    waiting = [record for record in list_batches(results) if record.ended is None]
    return [
        say(
            "Batch {name}: {count:,} requests, {state}, waiting since {created} UTC, "
            "expected by {expected} UTC.",
            name=record.name,
            count=record.requests,
            state=record.state.lower(),
            created=record.created[:16],
            expected=record.expected[:16],
        )
        for record in sorted(waiting, key=lambda record: record.created)
    ]
