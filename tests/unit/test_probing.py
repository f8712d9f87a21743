import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_processes_that_look_into_videos_are_not_heard(tmp_path: Path) -> None:
    """One that starts while the last video is told showed a stack, on a busy machine."""
    (tmp_path / "sitecustomize.py").write_text("import os; os.write(2, b'a process begins\\n')")
    looked = subprocess.run(
        [sys.executable, "-c", "from reelmake import probing; probing.main()", "60"],
        input=json.dumps([str(tmp_path / "no.mp4")]),
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{SCRIPTS}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "problem" in json.loads(looked.stdout)
    assert looked.stderr == "a process begins\n"  # that which starts them


def test_a_long_name_of_the_folder_for_temporary_files_is_no_hindrance(tmp_path: Path) -> None:
    """A socket's address has room for 107 bytes."""
    temporary = tmp_path / ("long" * 20)
    temporary.mkdir()
    looked = subprocess.run(
        [sys.executable, "-c", "from reelmake import probing; probing.main()", "60"],
        input=json.dumps([str(tmp_path / "no.mp4")]),
        env=os.environ | {"PYTHONPATH": str(SCRIPTS), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert looked.stderr == ""
    assert json.loads(looked.stdout)["problem"] == "video_missing"
    assert list(temporary.iterdir()) == []
