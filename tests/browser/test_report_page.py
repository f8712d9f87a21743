"""A report as a page: what the Markdown says, and nothing that runs."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.results import HOSTILE, add_report, said
from reelmake.analysis import KeyPoint
from reelmake.pages import report_page
from sample_videos import make_video

VIDEO = "../../lesson.webm"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results")
    make_video(root / "lesson.webm", size=(160, 90))
    points = [KeyPoint(time_s=1, text="It moves.")]
    report = add_report(root, "lesson", title="A lesson", key_points=points, source_link=VIDEO)
    return report.with_suffix(".html")


def test_a_timestamp_moves_the_video_on_the_page(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    page.get_by_role("link", name="00:01").click()
    page.wait_for_timeout(300)
    assert page.url == report.as_uri()
    assert page.locator("video").evaluate("video => video.currentTime") >= 1


def test_a_video_that_is_gone_leaves_no_hole(browser: Browser, tmp_path: Path) -> None:
    report = add_report(tmp_path, "gone", source_link=VIDEO)
    page = browser.new_page()
    page.goto(report.with_suffix(".html").as_uri())
    expect(page.locator("video")).to_be_hidden()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_readers_with_other_senses(
    browser: Browser, report: Path, scheme: str
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": 360, "height": 800},
        bypass_csp=True,  # for axe itself
    )
    page = context.new_page()
    page.goto(report.as_uri())
    found = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_what_was_said_is_text(page: Page, tmp_path: Path) -> None:
    report = add_report(
        tmp_path,
        "evil",
        "chinese_transcript",
        title=HOSTILE,
        overview=HOSTILE,
        transcript=said(HOSTILE),
    )
    page.goto(report.with_suffix(".html").as_uri())
    assert page.locator("main img, main script").count() == 0
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(2)</script>")


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "<iframe src='https://t.example'></iframe>",
        "<svg onload=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "[click](vbscript:x)",
        "![pixel](https://t.example/p.gif)",
        "![pixel](//t.example/p.gif)",
        "![pixel](data:image/svg+xml;base64,PHN2Zz4=)",
        "<style>body { display: none }</style>",
        "<meta http-equiv=refresh content='0;url=https://t.example'>",
    ],
)
def test_nothing_of_an_edited_report_runs_or_loads(
    page: Page, tmp_path: Path, markdown: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_page(f"---\ntitle: x\n---\n# Title\n\n{markdown}\n", index=None))
    page.goto(file.as_uri())
    main = page.locator("main")
    assert main.locator("script, iframe, svg, style, meta, img[src]").count() == 0
    assert main.locator("a[href]").count() == 0
    expect(page.get_by_role("heading", level=1)).to_be_visible()
