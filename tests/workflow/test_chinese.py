"""A user with a Chinese locale and the default template: people read Chinese, programs English."""

import json
import re
from pathlib import Path

from gemini_double import GeminiDouble, Settings
from reelmake.translation import say_in
from workflow.conftest import add_video, asking

HINT = "Check that it plays; if not, copy or download it again, or take it out of `videos:`."


def test_people_read_chinese_and_programs_english(tmp_path: Path) -> None:
    with GeminiDouble(Settings()) as double:
        project = asking(double, tmp_path / "project")
        del project.config["template"]
        project.config["on_bad_input"] = "skip"
        project.environment |= {"LC_ALL": "", "LC_MESSAGES": "zh_CN.UTF-8"}
        add_video(project, "光合作用", (9, 99, 9))
        (project.folder / "videos/坏文件.mp4").write_bytes(b"no video at all" * 100)
        run = project.run()
    assert run.code == 1
    say, template = say_in("zh-CN"), "chinese_transcript"

    assert "2 份报告中有 1 份可用：生成 1 份；失败 1 份。" in run.output
    assert f"1 × video_unreadable（输入有误）：{say(HINT)}" in run.output
    assert "again" not in run.output
    assert "## 生成信息\n" in project.report("光合作用", template).read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in (project.results / "index.html").read_text(encoding="utf-8")

    (failure,) = project.rows("failures.tsv")
    assert (failure["kind"], failure["hint"]) == ("invalid_input", say(HINT))
    (record,) = (project.results / ".reelmake").rglob("坏文件.json")
    assert json.loads(record.read_text(encoding="utf-8"))["hint"] == HINT
    (log,) = (project.folder / "logs").glob("run-*.log")
    text = log.read_text(encoding="utf-8").replace("坏文件", "").replace("光合作用", "")
    assert "1 of 2 reports are there: 1 built; 1 failed." in text
    assert re.findall(r"[\u4e00-\u9fff，。：；（）]", text) == []
