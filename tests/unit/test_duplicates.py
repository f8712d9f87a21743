from pathlib import Path

from reelmake.checksums import Checksums
from reelmake.duplicates import same_content, told
from reelmake.probes import Probe
from reelmake.targets import Target


def test_the_same_content_is_noticed_without_reading_it_again(tmp_path: Path) -> None:
    checksums = Checksums(tmp_path / "checksums")
    contents = {"a.mp4": b"same", "b.mp4": b"same", "c.mp4": b"else", "unknown.mp4": b"same"}
    targets = []
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        probe = Probe(1.0, "mp4", len(content), 1, 1, 1.0, "h264", None, 0, None)
        targets.append(Target(video=str(path), name=name, template="t", probe=probe))
        targets.append(Target(video=str(path), name=name, template="u", probe=probe))
        if name != "unknown.mp4":
            checksums.sha256(path)
    groups = same_content(targets, checksums)
    assert groups == [[str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4")]]
    assert told(groups).count("\n") == 1
    assert told([]) == ""
    assert told(groups * 30).endswith("… and 10 more such groups\n")
