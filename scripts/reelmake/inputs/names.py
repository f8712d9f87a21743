"""Names of reports: readable, safe on every file system, distinct, and independent of order."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pathvalidate import FileNameSanitizer

from reelmake.inputs.youtube import video_id
from reelmake.targets import is_url

# Room for language, range, suffix, ".assets" and a temporary's prefix in a file name's 255 bytes.
_NAME_BYTES = 160
_LONGEST = 1000
# What a shell, a wildcard or a Markdown link could take for its own.
_AWKWARD = re.compile(r"[{}\[\]()<>#^|`$\"'\\%*?&;!~/:]")
_REPEATS = re.compile(r"(.+?)\1{9,}$", re.DOTALL)
_EVERYWHERE = FileNameSanitizer(platform="universal")
_LONGEST_RESERVED = 8
_HASH_LENGTHS = (6, 12, 64)


def distinct_names(videos: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """A readable file name for each video, none of which is in ``taken``.

    Names that would be equal, also where upper and lower case or Unicode forms are one, all get
    a short suffix made from the video's own path, so the order of the list is without effect.
    """
    return told_apart([safe_name(_stem(video)) for video in videos], videos, taken)


def told_apart(
    names: Sequence[str], identities: Sequence[str], taken: Sequence[str] = ()
) -> list[str]:
    """Names that are equal get a suffix from what they stand for, as long as is needed."""
    uses = Counter(map(_folded, [*names, *taken]))
    if len(uses) == len(names) + len(taken):
        return list(names)
    chosen = list(names)
    for length in _HASH_LENGTHS:
        for index, name in enumerate(names):
            if uses[_folded(chosen[index])] > 1:
                chosen[index] = f"{name}-{short_hash(identities[index], length)}"
        uses = Counter(map(_folded, [*chosen, *taken]))
    return chosen


def safe_name(text: str, otherwise: str = "video") -> str:
    """The text as one file name that every file system, shell and link takes as it is.

    ``otherwise`` is the name where nothing is left of it.
    """
    # A cell may hold a book, and looking for repeats in one would take minutes.
    name = unicodedata.normalize("NFC", text[:_LONGEST])
    if not name.isprintable():
        name = "".join("-" if _is_control(c) else c for c in name)
    name = " ".join(_AWKWARD.sub("-", name).split())
    # What is left for the library are names that systems reserve (CON, NUL …), all of them short.
    if len(name.partition(".")[0]) <= _LONGEST_RESERVED:
        name = _EVERYWHERE.sanitize(name, "-")
    name = name.strip(" .-")
    name = _without_repeats(name)
    if len(name.encode()) > _NAME_BYTES:
        name = _without_repeats(name.encode()[:_NAME_BYTES].decode(errors="ignore"))
    return name.rstrip(" .-") or otherwise


def short_hash(text: str, length: int = 6) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:length]


def _without_repeats(name: str) -> str:
    """Snakemake takes a wildcard that ends in twenty repeats for an endless recursion."""
    return _REPEATS.sub(r"\1\1\1", name)


def _stem(video: str) -> str:
    key = video_id(video)
    if key:
        return f"youtube-{key}"
    if not is_url(video):
        return PurePosixPath(video).stem
    try:
        parts = urlsplit(video)
    except ValueError:
        return video
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return PurePosixPath(last).stem or parts.hostname or video


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _is_control(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")
