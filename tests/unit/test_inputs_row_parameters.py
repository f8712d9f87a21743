"""Columns of a table that set a parameter of the row's template."""

from pathlib import Path
from typing import Any

import pytest

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.inputs.table import targets, video_table
from reelmake.targets import Target
from sample_videos import RED, make_video


def rows(folder: Path, table: str, **config: Any) -> list[Target]:
    make_video(folder / "a.mp4", [(RED, 2.0)], size=(64, 64), fps=2)
    (folder / "table.csv").write_text(table, encoding="utf-8")
    wanted = {"videos": str(folder / "table.csv"), "results": str(folder / "results")}
    checked = Config.model_validate({**wanted, "template": "summary_report", **config})
    return list(targets(video_table(checked)).values())


@pytest.mark.parametrize("header", ["video,words", "video,Words", "video, words "])
def test_a_column_sets_the_parameter_of_its_name(tmp_path: Path, header: str) -> None:
    (target,) = rows(tmp_path, f"{header}\na.mp4,120\n")
    assert target.parameters == {"words": 120}
    assert target.extra == {}


def test_an_empty_cell_is_as_in_the_configuration(tmp_path: Path) -> None:
    given = {"summary_report": {"words": 300}}
    (target,) = rows(tmp_path, "video,words,focus areas\na.mp4,,dates\n", parameters=given)
    assert target.parameters == {"words": 300, "focus_areas": "dates"}


def test_what_is_no_parameter_of_the_rows_template_goes_into_the_front_matter(
    tmp_path: Path,
) -> None:
    table = "video,template,words,course\na.mp4,summary_report; study_notes,90,BIO\n"
    summary, notes = rows(tmp_path, table)
    assert (summary.parameters, summary.extra) == ({"words": 90}, {"course": "BIO"})
    assert (notes.parameters, notes.extra) == ({}, {"words": "90", "course": "BIO"})


def test_a_value_that_does_not_fit_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        ReelmakeError, match=r"table\.csv, line 2: .*words: expected a whole number"
    ):
        rows(tmp_path, "video,words\na.mp4,many\n")
