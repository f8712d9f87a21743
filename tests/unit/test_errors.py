import pickle
import re
from pathlib import Path

import yaml

from reelmake.errors import Kind, ReelmakeError

SCRIPTS = Path(__file__).parents[2] / "scripts"
EXPLANATIONS = yaml.safe_load((SCRIPTS / "reelmake/failures.yaml").read_text(encoding="utf-8"))


def test_every_code_has_a_kind_and_a_hint() -> None:
    for code in EXPLANATIONS:
        error = ReelmakeError(code, "what happened")
        assert isinstance(error.kind, Kind)
        assert error.hint.endswith(".")
        assert str(error) == f"what happened\n  → {error.hint}"


def test_every_code_is_used_and_every_used_code_is_explained() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.py"))
    used = set(re.findall(r'(?:ReelmakeError|Rejection)\(\s*"([a-z_]+)"', sources))
    assert used <= EXPLANATIONS.keys()
    assert {code for code in EXPLANATIONS if f'"{code}"' not in sources} == set()


def test_an_error_crosses_process_borders() -> None:
    error = pickle.loads(pickle.dumps(ReelmakeError("video_missing", "gone")))  # noqa: S301  our own
    assert (error.code, error.message) == ("video_missing", "gone")
