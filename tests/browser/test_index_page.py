"""index.html as a reader uses it, in real Chromium, opened from disk."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.results import HOSTILE, add_failure, add_report, said, write_page
from reelmake.analysis import Notice, VideoFacts
from reelmake.digests import DIGESTS
from reelmake.markdown import plain
from reelmake.notices import notice

REPORTS = ("descent", "eclipses", "photosynthesis")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("results")
    add_report(
        root,
        "descent",
        "chinese_transcript",
        language="zh-CN",
        title="梯度下降",
        transcript=said("我们沿着负梯度的方向一步一步往下走。"),
        cost_usd=0.5,
        created="2026-11-25T12:00:00+00:00",
    )
    notice = Notice(code="moved", message="A timestamp lay past the end.")
    add_report(
        root,
        "eclipses",
        title="Solar eclipses",
        video=VideoFacts(source="https://videos.example/e", duration_s=250.2),
        transcript=said("The Moon hides the Sun; a corona appears."),
        warnings=[notice],
        tags=["astronomy", "week-1"],
        cost_usd=0.1,
    )
    edited = add_report(root, "photosynthesis", title="Leaves & light", tags=["week-1"])
    edited.write_text(edited.read_text() + "\nA line of my own.\n")
    add_report(root, "photosynthesis", title="Leaves & light", overview="New.", tags=["week-1"])
    add_failure(root, "broken", "broken.mp4 is no video")
    targets = [("chinese_transcript", "descent")]
    targets += [("summary_report", name) for name in (*REPORTS[1:], "broken", "later")]
    add_failure(root, "astronomy", "The answer was cut off.", DIGESTS)
    return write_page(root, targets, ["astronomy"])


@pytest.fixture
def index(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator("html[data-ready]").wait_for(state="attached")
    return page


def shown(page: Page) -> list[str]:
    # Not the inner texts, which what is not drawn yet has none of.
    texts = page.locator("#reports > li:visible h3").all_text_contents()
    return [text.strip() for text in texts]


ALL = ["梯度下降", "Solar eclipses", "Leaves & light", "broken", "later"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ALL),
        ("eclipse", ["Solar eclipses"]),
        ("CORONA appears", ["Solar eclipses"]),
        ("corona leaves", []),
        ("负梯度", ["梯度下降"]),
        ("度的方", ["梯度下降"]),
        ("梯度 一步", ["梯度下降"]),
        ("descent", ["梯度下降"]),
        ("week-1", ["Solar eclipses", "Leaves & light"]),
        (".*", []),
        ("<script>", []),
    ],
)
def test_search_finds_titles_names_tags_and_full_text(
    index: Page, query: str, found: list[str]
) -> None:
    index.get_by_role("searchbox").fill(query)
    assert shown(index) == found
    expect(index.get_by_role("status")).to_have_text(f"{len(found)} of 5 reports")


def test_a_hit_in_the_text_is_shown_with_its_surroundings(index: Page) -> None:
    index.get_by_role("searchbox").fill("负梯度")
    snippet = index.locator(".snippet")
    expect(snippet).to_contain_text("我们沿着负梯度的方向")
    expect(snippet.locator("mark")).to_have_text("负梯度")
    index.get_by_role("searchbox").fill("")
    expect(snippet).to_have_count(0)


@pytest.mark.parametrize(
    ("label", "value", "found"),
    [
        ("Template", "chinese_transcript", ["梯度下降"]),
        ("Language", "en", ["Solar eclipses", "Leaves & light"]),
        ("Status", "failed", ["broken"]),
        ("Status", "missing", ["later"]),
        ("Status", "edited", ["Leaves & light"]),
        ("Status", "warnings", ["Solar eclipses"]),
        ("Tag", "astronomy", ["Solar eclipses"]),
    ],
)
def test_filters(index: Page, label: str, value: str, found: list[str]) -> None:
    index.get_by_label(label, exact=True).select_option(value)
    assert shown(index) == found
    index.get_by_role("searchbox").fill("moon")
    assert shown(index) == [title for title in found if title == "Solar eclipses"]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("title", "broken"),
        ("newest", "梯度下降"),
        ("longest", "Solar eclipses"),
        ("dearest", "梯度下降"),
        ("status", "later"),
    ],
)
def test_sorting_puts_first(index: Page, order: str, first: str) -> None:
    index.get_by_label("Sort by").select_option(order)
    assert shown(index)[0] == first
    index.get_by_label("Sort by").select_option("list order")
    assert shown(index) == ALL


def test_failures_and_warnings_are_told(index: Page) -> None:
    failures = index.locator("#failures")
    expect(failures).to_contain_text("broken.mp4 is no video")
    expect(failures).to_contain_text("Check that it plays, or take it out of videos:.")
    expect(failures.locator("code")).to_have_text(["videos:", "videos:"])
    expect(failures).to_contain_text("astronomy (_digest, video_unreadable)")
    index.get_by_text("1 warning").click()
    expect(index.get_by_text("A timestamp lay past the end.")).to_be_visible()
    expect(index.get_by_text("You edited this report")).to_be_visible()
    expect(index.get_by_role("link", name="New version: Leaves & light")).to_be_visible()


def test_costs_and_lengths_are_drawn(index: Page) -> None:
    row = index.get_by_role("row").filter(has_text="chinese_transcript")
    expect(row).to_contain_text("0.50")
    longest, dearest = row.locator("rect").all()
    assert (longest.get_attribute("width"), dearest.get_attribute("width")) == ("25.0", "100.0")


def test_a_title_leads_to_the_page_of_the_report_and_back_again(index: Page) -> None:
    index.get_by_role("searchbox").fill("corona")
    index.get_by_role("link", name="Solar eclipses", exact=True).click()
    expect(index.get_by_role("heading", level=1)).to_have_text("Solar eclipses")
    index.go_back()
    index.locator("html[data-ready]").wait_for(state="attached")
    assert shown(index) == ["Solar eclipses"]
    index.get_by_role("link", name="Solar eclipses", exact=True).click()
    index.get_by_role("link", name="All reports").click()
    assert index.url.endswith("/index.html")


def test_the_keyboard_reaches_everything(index: Page) -> None:
    reached = []
    for _ in range(30):
        index.keyboard.press("Tab")
        reached.append(
            index.evaluate(
                "(document.activeElement.id || document.activeElement.textContent).trim()"
            )
        )
    for name in ("search", "template", "language", "status", "tag", "sort", *ALL[:3], "Markdown"):
        assert name in reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_bars_readers_with_other_senses(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for axe itself
    )
    page = context.new_page()
    page.goto(address)
    assert page.locator(".shares").evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    page.get_by_role("searchbox").fill("o")
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["impact"]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_what_was_said_is_text(page: Page, tmp_path: Path) -> None:
    add_report(
        tmp_path,
        "evil",
        title=HOSTILE,
        overview=HOSTILE,
        transcript=said(HOSTILE),
        language="en",
        tags=["a"],
        warnings=[Notice(code="x", message=HOSTILE)],
    )
    add_failure(tmp_path, "bad", HOSTILE)
    targets = [("summary_report", "evil"), ("summary_report", "bad")]
    page.goto(write_page(tmp_path, targets))
    page.locator("html[data-ready]").wait_for(state="attached")
    page.get_by_role("searchbox").fill("onerror")
    assert page.locator("mark").count() == 1
    assert page.locator("img, script:not(.pack):not(:last-of-type)").count() == 0
    expect(page.locator("#failures")).to_contain_text("<script>alert(2)</script>")
    assert page.locator("#reports h3").first.inner_text() == plain(HOSTILE)
    assert "\u202e" not in page.locator("body").inner_text()


def test_pictures_far_below_are_not_loaded(page: Page, tmp_path: Path) -> None:
    names = [f"report {number:03}" for number in range(150)]
    picture = bytes.fromhex("ffd8ffe0")  # never looked at
    for name in names:
        report = add_report(tmp_path, name)
        folder = report.with_name(f"{name}.assets")
        folder.mkdir()
        (folder / "00-01.jpg").write_bytes(picture)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(write_page(tmp_path, [("summary_report", name) for name in names]))
    page.wait_for_load_state("networkidle")
    assert any("report%20000" in url for url in asked)
    assert not any("report%20149" in url for url in asked)


def test_digests_that_are_there_are_linked(page: Page, tmp_path: Path) -> None:
    (tmp_path / "digests").mkdir()
    (tmp_path / "digests/week 1.html").write_text("<!doctype html><title>Week 1</title>")
    page.goto(write_page(tmp_path, [], ["week 1", "week 2"]))
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["week 1"])
    page.get_by_role("link", name="week 1").click()
    assert page.title() == "Week 1"


def test_an_empty_index(page: Page, tmp_path: Path) -> None:
    page.goto(write_page(tmp_path, []))
    expect(page.get_by_role("status")).to_have_text("0 of 0 reports")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_a_chinese_index_speaks_chinese(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    template = "chinese_transcript"
    for name, title in (("b", "光合作用"), ("a", "梯度下降"), ("c", "一次函数")):
        warnings = [notice("times_clamped", count=3)] if name == "a" else []
        add_report(tmp_path, name, template, language="zh-CN", title=title, warnings=warnings)
    add_failure(tmp_path, "d", "d.mp4 is no video", template)
    targets = [(template, name) for name in "cabd"]
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for axe itself
    )
    page = context.new_page()
    page.goto(write_page(tmp_path, targets, language="zh-CN"))
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.title() == "报告"
    expect(page.locator("header")).to_contain_text("已完成 3/4 份")
    expect(page.locator("#reports")).to_contain_text("3 处时间略微超出视频范围")
    page.get_by_label("排序").select_option("标题")
    assert shown(page) == ["光合作用", "梯度下降", "一次函数", "d"]  # as pinyin has it
    page.get_by_label("状态").select_option("失败")
    expect(page.get_by_role("status")).to_have_text("显示 1/4 份报告")
    assert "status=failed" in page.url
    page.reload()  # a bookmark holds in any language
    expect(page.get_by_role("status")).to_have_text("显示 1/4 份报告")
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["impact"]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("状态").select_option("不限")
    page.get_by_role("link", name="光合作用", exact=True).click()
    page.get_by_role("link", name="全部报告").click()
    assert "/index.html" in page.url
    context.close()
