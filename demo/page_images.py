"""Make docs/images/report.png and index.png again, of the demo's pages, by Debian's chromium.

make demo
.venv/bin/python demo/page_images.py
"""

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "demo/results"
PAGES = {
    "report": (RESULTS / "reports/summary_report/solar-eclipses.html", (850, 1050)),
    "index": (RESULTS / "index.html", (1100, 880)),
}
"""The page of each picture, and its width and height in pixels."""


def main() -> None:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=as_root)
        for name, (page_of, (width, height)) in PAGES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(page_of.as_uri(), wait_until="load")
            page.wait_for_function(
                "[...document.querySelectorAll('video')].every(v => v.readyState > 2)"
            )
            page.wait_for_timeout(1000)  # until the player's own spinner is gone
            page.screenshot(path=ROOT / f"docs/images/{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
