"""Make docs/examples/ again: one report of each template, by the offline engine from the demo.

    PYTHONPATH=scripts .venv/bin/python demo/make_examples.py

The analysis is kept beside each report: a test lays it out and compares.
"""

import shutil
import tempfile
from pathlib import Path

from reelmake.analysis import Analysis, read_analysis, write_analysis
from reelmake.frames import cited_times, pictures_in, write_frames
from reelmake.local.job import analyse_video
from reelmake.report import render_report
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import PROJECT, available_templates, load_template

FOLDER = PROJECT / "docs/examples"
TEMPLATES = [PROJECT / "templates"]
VIDEOS = {"chinese_transcript": "光合作用.mp4"}
"""What a template is shown with, if not with the English lesson."""


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in available_templates(TEMPLATES):
            analysis = _analyse(name, Results(Path(folder)))
            write_analysis(analysis, FOLDER / f"{name}.json")
            video = PROJECT / analysis.video.source
            write_frames(video, cited_times(analysis), _pictures(analysis))
            (FOLDER / f"{name}.md").write_text(example(name), encoding="utf-8")


def _analyse(template: str, results: Results) -> Analysis:
    video = f"demo/videos/{VIDEOS.get(template, 'solar-eclipses.mp4')}"
    target = Target(video=video, name=Path(video).stem, template=template)
    loaded = load_template(template, TEMPLATES)
    return analyse_video(target, loaded, results=results, speech_model="base", threads=2)


def _pictures(analysis: Analysis) -> Path:
    """Shared by all examples that are made from the same video."""
    return FOLDER / f"{analysis.name}.assets"


def example(template: str) -> str:
    """The report that the kept analysis gives."""
    analysis = read_analysis(FOLDER / f"{template}.json")
    return render_report(
        analysis,
        load_template(template, TEMPLATES),
        source_link=f"../../{analysis.video.source}",
        frames=pictures_in(_pictures(analysis), relative_to=FOLDER),
        tags=["demo"],
        extra={},
    )


if __name__ == "__main__":
    main()
