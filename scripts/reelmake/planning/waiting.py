"""Batches that have not ended, as they are known here: nobody is asked."""

from reelmake.gemini.batches.records import list_batches
from reelmake.results import Results


def waiting_batches(results: Results) -> list[str]:
    """A line for each, the oldest first."""
    waiting = [record for record in list_batches(results) if record.ended is None]
    return [
        f"Batch {record.name}: {record.requests:,} requests, {record.state.lower()}, "
        f"waiting since {record.created[:16]} UTC, expected by {record.expected[:16]} UTC."
        for record in sorted(waiting, key=lambda record: record.created)
    ]
