"""Bringing videos from the web, from a real server on loopback."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reelmake import connections
from reelmake.errors import ReelmakeError
from reelmake.fetched import spread_failures, target_of_fetching
from reelmake.fetching import Limits, fetch
from reelmake.fetching_youtube import arguments, fetch_youtube
from reelmake.jobs import job, read_failure
from reelmake.results import Results
from reelmake.targets import Target
from web_server import Page, WebServer, web_server

VIDEO = bytes(range(256)) * 4000


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with web_server(tmp_path) as server:
        monkeypatch.setenv(connections.TEST_CERTIFICATE, str(server.certificate))
        yield server


def fetched(web: WebServer, path: str, folder: Path, **limits: Any) -> Path:
    video = folder / "fetched/video.mp4"
    fetch(web.url + path, video, limits=Limits(**limits), wait=lambda seconds: None)
    return video


def refusal(web: WebServer, path: str, folder: Path, **limits: Any) -> ReelmakeError:
    with pytest.raises(ReelmakeError) as caught:
        fetched(web, path, folder, **limits)
    assert not (folder / "fetched/video.mp4").exists()
    return caught.value


def test_a_video_is_there_when_it_is_complete(web: WebServer, tmp_path: Path) -> None:
    web.pages["/a/%E8%AF%BE.mp4?k=1&l=%20"] = Page(VIDEO)
    video = fetched(web, "/a/课.mp4?k=1&l=%20", tmp_path)
    assert video.read_bytes() == VIDEO
    assert list(video.parent.iterdir()) == [video]


@pytest.mark.parametrize("says_length", [True, False])
def test_redirects_are_followed(web: WebServer, tmp_path: Path, says_length: bool) -> None:
    web.pages["/a"] = Page(status=302, location="b/c", kind="text/html")
    web.pages["/b/c"] = Page(status=307, location=f"{web.url}/d", kind=None)
    web.pages["/d"] = Page(VIDEO, says_length=says_length)
    assert fetched(web, "/a", tmp_path).read_bytes() == VIDEO


def test_a_lost_connection_goes_on_where_it_stopped(web: WebServer, tmp_path: Path) -> None:
    web.pages["/a"] = Page(VIDEO, breaks_after=300_000, breaks=2)
    assert fetched(web, "/a", tmp_path).read_bytes() == VIDEO
    assert [asked for _, asked in web.requests] == [None, "bytes=300000-", "bytes=600000-"]


def test_the_next_run_goes_on_too(web: WebServer, tmp_path: Path) -> None:
    web.pages["/a"] = Page(VIDEO, breaks_after=300_000, breaks=1)
    assert refusal(web, "/a", tmp_path, attempts=1).code == "fetch_failed"
    assert fetched(web, "/a", tmp_path, attempts=1).read_bytes() == VIDEO
    assert web.requests[-1] == ("/a", "bytes=300000-")


@pytest.mark.parametrize(
    "other",
    [Page(VIDEO[::-1]), Page(VIDEO[::-1], ignores_ranges=True), Page(VIDEO[::-1], etag=None)],
)
def test_another_video_at_the_address_is_fetched_from_its_beginning(
    web: WebServer, tmp_path: Path, other: Page
) -> None:
    web.pages["/a"] = Page(VIDEO, breaks_after=300_000, breaks=1)
    refusal(web, "/a", tmp_path, attempts=1)
    web.pages["/a"] = other
    assert fetched(web, "/a", tmp_path, attempts=1).read_bytes() == VIDEO[::-1]


def test_attempts_end(web: WebServer, tmp_path: Path) -> None:
    web.pages["/a"] = Page(status=503)
    error = refusal(web, "/a", tmp_path, attempts=3)
    assert (error.code, error.attempts, len(web.requests)) == ("fetch_failed", 3, 3)
    assert "answers 503" in error.message


@pytest.mark.parametrize(
    ("page", "code", "told"),
    [
        (Page(status=404), "fetch_refused", "answers 404 Not Found"),
        (Page(b"<html>", kind="text/html; charset=utf-8"), "fetch_refused", "says 'text/html'"),
        (Page(VIDEO * 2), "fetch_too_large", "larger than 0.002 GB"),
        (Page(VIDEO * 2, says_length=False), "fetch_too_large", "larger than 0.002 GB"),
        (Page(status=302, location="/a"), "fetch_refused", "sends on more than 5 times"),
        (Page(status=302, location="http://example.org/"), "fetch_refused", "plain https"),
        (Page(status=302, location="file:///etc/passwd"), "fetch_refused", "plain https"),
        (Page(status=302, location="https://10.0.0.1/"), "fetch_refused", "no public address"),
        (Page(status=302, location="https://[::ffff:169.254.169.254]/"), "fetch_refused", "public"),
        (Page(status=302, location="https://u:p@example.org/"), "fetch_refused", "plain https"),
    ],
)
def test_what_is_no_public_video_of_a_bearable_size_is_refused(
    web: WebServer, tmp_path: Path, page: Page, code: str, told: str
) -> None:
    web.pages["/a"] = page
    error = refusal(web, "/a", tmp_path, size_bytes=2_000_000, attempts=2)
    assert error.code == code
    assert told in error.message
    assert not list(tmp_path.glob("fetched/*.part"))


def test_time_is_bounded(web: WebServer, tmp_path: Path) -> None:
    web.pages["/a"] = Page(VIDEO)
    assert refusal(web, "/a", tmp_path, seconds=-1.0).code == "fetch_too_large"


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(tmp_path) as web, socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(connections.TEST_CERTIFICATE, str(web.certificate))
        web.url = f"https://localhost:{silent.getsockname()[1]}"
        assert refusal(web, "/a", tmp_path, silence_s=0.2, attempts=1).code == "fetch_failed"


def test_a_server_without_a_trusted_certificate_is_refused(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server(tmp_path):  # a second certificate takes the place of the first
        assert "not to be trusted" in refusal(web, "/a", tmp_path).message


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),  # noqa: S104
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"),
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
        *("ff02::1", "fec0::1", "64:ff9b:1::1", "3fff::1", "192.0.0.192", "192.88.99.1"),
    ],
)
def test_addresses_that_are_not_public_are_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    # Also when only one of several answers is not public.
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public + answer)
    monkeypatch.delenv(connections.TEST_CERTIFICATE, raising=False)
    parts = connections.checked("https://example.org/a.mp4")
    with pytest.raises(ReelmakeError, match="no public address"):
        connections.connect(parts, timeout_s=1)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """A second look might get another answer: DNS rebinding."""
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]])
    connected: list[Any] = []

    def connect(to: Any, *_: Any) -> None:
        connected.append(to)
        raise OSError("far enough")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
    monkeypatch.setattr(socket, "create_connection", connect)
    parts = connections.checked("https://example.org/a.mp4")
    with pytest.raises(OSError, match="far enough"):
        connections.connect(parts, timeout_s=1).request("GET", "/")
    assert connected == [(address, 443)]


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "https://", "https://a b/", "https://x/\r\nHost: y", "https://[x"],
)
def test_only_plain_https_addresses_are_fetched(url: str) -> None:
    with pytest.raises(ReelmakeError, match="expected a plain https address"):
        connections.checked(url)


def test_yt_dlp_is_asked_for_one_file_and_nothing_else(tmp_path: Path) -> None:
    yt_dlp = pytest.importorskip("yt_dlp")
    video = tmp_path / "100%/video.mp4"
    options = yt_dlp.parse_options(arguments("--exec=id", video, Limits()))
    settings = options.ydl_opts
    assert options.urls == ["--exec=id"]
    assert settings["outtmpl"]["default"] % {} == str(video)
    assert (settings["noplaylist"], settings["max_filesize"]) == (True, 20_000_000_000)
    assert (settings["cookiefile"], settings["cookiesfrombrowser"]) == (None, None)
    assert not any("Exec" in step["key"] for step in settings["postprocessors"])


def test_what_yt_dlp_can_not_fetch_is_told(tmp_path: Path) -> None:
    pytest.importorskip("yt_dlp")
    with pytest.raises(ReelmakeError) as caught:
        fetch_youtube("nowhere://video", tmp_path / "a/video.mp4")
    assert caught.value.code == "fetch_failed"
    assert "ERROR" in caught.value.message
    assert list((tmp_path / "a").iterdir()) == []


def test_without_yt_dlp_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "yt_dlp", raising=False)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ReelmakeError, match="needs yt-dlp"):
        fetch_youtube("https://www.youtube.com/watch?v=dQw4w9WgXcQ", tmp_path / "video.mp4")


def test_a_failed_download_fails_every_report_that_wants_it(tmp_path: Path) -> None:
    results = Results(tmp_path)
    url = "https://example.org/a.mp4"
    path = results.fetched(url)
    wanting = [
        Target(video=str(path), source=url, name=name, template=template)
        for name, template in [("a", "x"), ("a", "y"), ("a.en", "x")]
    ]
    other = Target(video="b.mp4", name="b", template="x")
    with job(target_of_fetching(url, path), results, tmp_path / "log") as outcome:
        raise ReelmakeError("fetch_refused", "It is no video.")
    assert outcome.failed
    spread_failures(results, [*wanting, other])
    for target in wanting:
        failure = read_failure(results.failure(*target.key))
        assert failure
        assert (failure.video, failure.template) == (target.name, target.template)
        assert (failure.code, failure.log) == ("fetch_refused", str(tmp_path / "log"))
    assert read_failure(results.failure(*other.key)) is None
    assert json.loads(results.failure("x", "a").read_text())["message"] == "It is no video."
