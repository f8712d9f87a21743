"""How long index.html of many reports takes to build, to open and to search, in real Chromium.

    .venv/bin/python benchmarks/index_page.py [--reports 5000] [--characters 12000]

Texts are made up of words as frequent as in real language, half English and half Chinese.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "scripts"))

from reelmake.analysis import Analysis, Engine, Passage, VideoFacts, write_analysis
from reelmake.index import write_index
from reelmake.results import Results

CHROMIUM = "/usr/bin/chromium"
QUERIES = ["e", "the", "needle", "nowhere at all", "是", "光合作用", "没有这个词组", "kabo ma"]
TYPED = """async query => {
  const field = document.getElementById("search");
  field.value = query;
  const began = performance.now();
  field.dispatchEvent(new Event("input"));
  document.body.offsetHeight;  // laid out, too
  return performance.now() - began;
}"""


def main(reports: int, characters: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder))
        targets = list(_reports(results, reports, characters))
        began = time.perf_counter()
        write_index(results.root, targets)
        print(f"build: {time.perf_counter() - began:.2f} s")  # noqa: T201
        page_file = results.root / "index.html"
        print(f"size: {page_file.stat().st_size / 1e6:.1f} MB")  # noqa: T201
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"], chromium_sandbox=False
            )
            for run in range(3):
                _measure(browser.new_page(), page_file, first=run == 0)


def _measure(page: Page, file: Path, *, first: bool) -> None:
    began = time.perf_counter()
    page.goto(file.as_uri(), wait_until="load")
    page.locator("#reports > li").first.wait_for()
    opened = time.perf_counter() - began
    page.locator("html[data-ready]").wait_for(state="attached", timeout=120_000)
    ready = time.perf_counter() - began
    print(f"open: {opened:.2f} s, full text ready: {ready:.2f} s")  # noqa: T201
    for query in QUERIES if first else []:
        times = [page.evaluate(TYPED, text) for _ in range(5) for text in ("", query)][1::2]
        count = page.locator("#count").inner_text()
        print(  # noqa: T201
            f"search {query!r}: median {statistics.median(times):.0f} ms, "
            f"worst {max(times):.0f} ms ({count})"
        )
    page.close()


def _reports(results: Results, count: int, characters: int) -> Iterator[tuple[str, str]]:
    dice = random.Random(1)  # noqa: S311  no secret
    syllables = ["ka", "bo", "mi", "ter", "lan", "so", "pre", "un", "ing", "ed", "ra", "the"]
    english = ["".join(dice.choices(syllables, k=dice.randint(1, 4))) for _ in range(8000)]
    chinese = ["".join(chr(dice.randint(0x4E00, 0x5A00)) for _ in range(2)) for _ in range(8000)]
    for number in range(count):
        language = ("en", "zh-CN")[number % 2]
        words, blank = (english, " ") if language == "en" else (chinese, "")
        weights = [1 / (rank + 2) for rank in range(len(words))]
        length = characters // (statistics.mean(map(len, words)) + len(blank))
        text = blank.join(dice.choices(words, weights, k=round(length)))
        rare = " needle 光合作用 " if number % 500 == 0 else ""
        name, template = (
            f"lecture {number:05}",
            ("summary_report", "chinese_transcript")[number % 2],
        )
        analysis = Analysis(
            name=name,
            template=template,
            language=language,
            engine=Engine(name="gemini", model="gemini-3.5-flash-lite", version="001"),
            video=VideoFacts(source=f"{name}.mp4", duration_s=dice.uniform(60, 7200)),
            title=f"Lecture {number} {text[:30]}",
            overview=text[:400],
            transcript=[Passage(start_s=0, end_s=60, text=text[400:] + rare)],
            cost_usd=dice.uniform(0.001, 0.2),
            created="2026-11-24T12:00:00+00:00",
        )
        write_analysis(analysis, results.analysis(template, name))
        report = results.report(template, name)
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(f"---\ntitle: x\ntags:\n- week-{number % 12}\n---\n{text}\n", "utf-8")
        yield template, name


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=5000)
    parser.add_argument("--characters", type=int, default=12_000)
    arguments = parser.parse_args()
    main(arguments.reports, arguments.characters)
