"""The last runs, on the index page."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.results import HOSTILE, add_report, write_page
from reelmake.meter import Meter
from reelmake.results import Results
from reelmake.runs.record import Reports, RunRecord, write_run
from reelmake.runs_table import refresh_runs_table


def add_run(root: Path, day: int, *, usd: float, rate: float, **values: Any) -> None:
    record = RunRecord.model_validate(
        {
            "started": f"2026-11-{day:02}T21:05:00.000+08:00",
            "ending": "complete",
            "reports": Reports(asked=12, done=10, failed=2),
            "reports_per_minute": rate,
            "gemini": Meter(usd=usd),
            **values,
        }
    )
    write_run(Results(root), record)


@pytest.fixture
def address(tmp_path: Path) -> str:
    add_report(tmp_path, "leaves", overview=HOSTILE + "<!-- last runs -->")
    add_run(tmp_path, 1, usd=2.0, rate=30)
    add_run(tmp_path, 2, usd=0.5, rate=60, ending="interrupted")
    return write_page(tmp_path, [("summary_report", "leaves")])


def rows(page: Page) -> list[str]:
    page.get_by_role("heading", name="Last runs").click()
    found = (
        page.locator("details", has=page.get_by_role("heading", name="Last runs"))
        .get_by_role("row")
        .all()
    )
    return [" ".join(row.inner_text().split()) for row in found[1:]]


def test_the_newest_run_is_first(page: Page, address: str) -> None:
    page.goto(address)
    assert rows(page) == [
        "2026-11-02 21:05 interrupted 10 2 0.50 60.0",
        "2026-11-01 21:05 10 2 2.00 30.0",
    ]
    usd, rate = page.get_by_role("row").filter(has_text="11-02").locator("rect").all()
    assert (usd.get_attribute("width"), rate.get_attribute("width")) == ("25.0", "100.0")


def test_a_run_that_ends_is_put_into_the_page_that_is_there(
    page: Page, address: str, tmp_path: Path
) -> None:
    add_run(tmp_path, 3, usd=1.0, rate=10)
    refresh_runs_table(Results(tmp_path))
    page.goto(address)
    assert [row.partition(" ")[0] for row in rows(page)] == [
        "2026-11-03",
        "2026-11-02",
        "2026-11-01",
    ]
    expect(page.get_by_role("link", name="About leaves", exact=True)).to_be_visible()


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
    page.get_by_role("heading", name="Last runs").click()
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["impact"]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
