"""Links to a moment of a video, in the way that its player understands."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from reelmake.markdown import href


def moment_destination(source_link: str | None, seconds: float) -> str | None:
    """Where a link to that second leads, ready for Markdown; None when there is nowhere to go."""
    if source_link is None:
        return None
    destination = href(source_link)
    if destination is None or "://" not in destination:
        return destination and f"{destination}#t={int(seconds)}"
    parts = urlsplit(destination)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("music.")
    if host not in ("youtube.com", "youtu.be", "youtube-nocookie.com"):
        return urlunsplit(parts._replace(fragment=f"t={int(seconds)}"))
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in ("t", "start")]
    # Players under these paths don't take a time; the page of the same video does.
    page = re.fullmatch(r"/(?:shorts|embed|v)/([\w-]+)/?", parts.path)
    if page:
        parts = parts._replace(netloc="www.youtube.com", path="/watch")
        query.insert(0, ("v", page[1]))
    query.append(("t", f"{int(seconds)}s"))
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))
