"""Long videos in pieces: where to cut, and how to put what was found together again."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

# Lists of the answer whose items belong to a moment, so that each segment has its own.
LOCATED_PARTS = ("chapters", "transcript", "key_points", "key_moments", "terms")

# So many letters in a row are the same words, and no chance.
_SAME_LETTERS = 16
_SAME_LETTERS_CJK = 6
_CLAUSE_END = re.compile(r"[.!?;,](?=\s|$)|[。！？；，]")
# What may stand between the last letter that both heard and the next word.
_BETWEEN = " \n.,;:!?。，、；：！？"

Span = tuple[float, float]
Item = dict[str, Any]


def cut(start_s: float, end_s: float, *, segment_s: float, overlap_s: float) -> list[Span]:
    """Equal segments of at most ``segment_s``, each but the first beginning ``overlap_s`` early."""
    count = max(1, math.ceil((end_s - start_s) / segment_s))
    length_s = (end_s - start_s) / count
    starts = [start_s + number * length_s for number in range(count)]
    return [
        (round(max(start_s, begin - overlap_s), 3), round(stop, 3))
        for begin, stop in zip(starts, [*starts[1:], end_s], strict=True)
    ]


def merge(contents: Sequence[Mapping[str, Any]], spans: Sequence[Span]) -> dict[str, Any]:
    """Join the located parts of neighbouring segments; what both heard is kept once."""
    merged: dict[str, Any] = {part: list(contents[0].get(part, ())) for part in LOCATED_PARTS}
    for content, (begin_s, _), (_, heard_until_s) in zip(
        contents[1:], spans[1:], spans[:-1], strict=True
    ):
        seam_s = (begin_s + heard_until_s) / 2
        merged["transcript"] = _join_transcripts(
            merged["transcript"], list(content.get("transcript", ())), begin_s
        )
        merged["chapters"] = _join_chapters(
            merged["chapters"], list(content.get("chapters", ())), seam_s
        )
        for part in ("key_points", "key_moments"):
            earlier = [item for item in merged[part] if item["time"] < seam_s]
            later = [item for item in content.get(part, ()) if item["time"] >= seam_s]
            merged[part] = earlier + later
        merged["terms"] += content.get("terms", ())
    merged["terms"] = list(
        {str(item["term"]).casefold(): item for item in merged["terms"]}.values()
    )
    return merged


def _join_transcripts(earlier: list[Item], later: list[Item], begin_s: float) -> list[Item]:
    """Cut both at the end of a clause that both heard, which may be in the middle of a passage.

    Where they share none, only what the earlier one heard whole is left out: rather twice than
    lost.
    """
    heard_until_s = max((item["end"] for item in earlier), default=begin_s)
    tail = [item for item in earlier if item["end"] > begin_s]
    head = [item for item in later if item["start"] < heard_until_s]
    before = [item for item in earlier if item["end"] <= begin_s]
    after = [item for item in later if item["start"] >= heard_until_s]
    one, other = _text(tail), _text(head)
    same = difflib.SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    ends = [match.end() for match in _CLAUSE_END.finditer(one, same.a, same.a + same.size)]
    if not ends or same.size < (_SAME_LETTERS if one.isascii() else _SAME_LETTERS_CJK):
        return earlier + [item for item in head if item["end"] > heard_until_s] + after
    joined = (
        before
        + _cut_text(tail, ends[-1], keep_beginning=True)
        + _cut_text(head, same.b + ends[-1] - same.a, keep_beginning=False)
        + after
    )
    return sorted(joined, key=lambda item: item["start"])


def _text(items: Sequence[Item]) -> str:
    return "".join(item["text"].lower() for item in items)


def _cut_text(items: Sequence[Item], at: int, *, keep_beginning: bool) -> list[Item]:
    """Keep what is before, or after, the letter ``at`` of all the texts in a row."""
    kept = []
    for item in items:
        length = len(item["text"].lower())
        inside = min(max(at, 0), length)
        at -= length
        middle_s = item["start"] + (item["end"] - item["start"]) * inside / max(length, 1)
        if keep_beginning:
            part = {**item, "text": item["text"][:inside].strip(), "end": middle_s}
        else:
            part = {**item, "text": item["text"][inside:].lstrip(_BETWEEN), "start": middle_s}
        if part["text"].strip(_BETWEEN):
            kept.append(part)
    return kept


def _join_chapters(earlier: list[Item], later: list[Item], seam_s: float) -> list[Item]:
    """A chapter that only restates the overlap is dropped; the rest begin at the seam."""
    kept = [item for item in later if item["end"] > seam_s]
    joined = [
        {**item, "end": min(item["end"], seam_s)} for item in earlier if item["start"] < seam_s
    ]
    return joined + [{**item, "start": max(item["start"], seam_s)} for item in kept]
