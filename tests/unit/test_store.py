import errno
import fcntl
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reelmake.store import Rejection, Store, digest

KEY = digest({"video": "abc", "model": "m"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "responses")


def entry(store: Store) -> Path:
    return store.root / KEY[:2] / f"{KEY}.json"


def test_the_order_of_keys_is_without_effect_on_a_digest() -> None:
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_an_answer_is_found_again_by_another_run(store: Store) -> None:
    assert store.get(KEY) is None
    store.put(KEY, {"text": "光合作用"}, request={"model": "m"})
    found = Store(store.root).get(KEY)
    assert found is not None
    assert found.answer == {"text": "光合作用"}
    assert found.received.endswith("+00:00")


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b'{"answer": {"text": "x"}}',
        b"\xff\xfe",
        b'{"answer": {}, "sha256": "0", "received": ""}',
    ],
)
def test_a_damaged_answer_is_set_aside_and_said(
    store: Store, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(KEY, {"text": "x"}, request={})
    entry(store).write_bytes(damage)
    assert store.get(KEY) is None
    assert "is damaged" in caplog.text
    assert (store.root / "damaged" / f"{KEY}.json").read_bytes() == damage
    store.put(KEY, {"text": "again"}, request={})
    assert store.get(KEY) is not None


def test_half_a_character_is_kept_as_it_came(store: Store) -> None:
    store.put(KEY, {"text": "half \ud83d"}, request={})
    found = store.get(KEY)
    assert found is not None
    assert found.answer == {"text": "half \ud83d"}
    store.reject(KEY, Rejection("answer_wrong_shape", "half"))
    assert store.rejection(KEY) is not None


def test_a_file_that_vanishes_while_asking_is_told_as_it_is(store: Store) -> None:
    with pytest.raises(FileNotFoundError, match=r"video\.mp4"), store.asking(KEY):
        raise FileNotFoundError("video.mp4")


def test_a_single_changed_letter_is_noticed(store: Store) -> None:
    store.put(KEY, {"text": "genuine"}, request={})
    entry(store).write_text(entry(store).read_text().replace("genuine", "Genuine"))
    assert store.get(KEY) is None


def test_a_rejected_answer_stays_as_evidence_and_is_never_taken(store: Store) -> None:
    store.put(KEY, {"text": "half an ans"}, request={})
    store.reject(KEY, Rejection("truncated", "finish reason MAX_TOKENS"))
    assert store.get(KEY) is None
    assert store.rejection(KEY) == Rejection("truncated", "finish reason MAX_TOKENS")
    evidence = json.loads((entry(store).with_suffix(".rejected.json")).read_text())
    assert evidence["answer"] == {"text": "half an ans"}
    store.put(KEY, {"text": "a whole answer"}, request={})
    assert store.get(KEY) is not None


def test_an_answer_that_can_not_be_marked_stays_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, {"text": "x"}, request={})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.reject(KEY, Rejection("truncated", "…"))
    assert store.get(KEY) is not None
    assert store.rejection(KEY) is None


def test_a_damaged_mark_is_set_aside(store: Store) -> None:
    store.put(KEY, {"text": "x"}, request={})
    store.reject(KEY, Rejection("truncated", "…"))
    mark = entry(store).with_suffix(".rejected.json")
    mark.write_text("{")
    assert store.rejection(KEY) is None
    assert not mark.exists()
    assert (store.root / "damaged" / mark.name).read_text() == "{"


@pytest.mark.parametrize("keep", ["put", "put into room", "reject"])
def test_what_was_paid_for_is_on_the_disk_before_anything_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    if keep == "reject":
        store.put(KEY, {"text": "x"}, request={})
    synced: list[str] = []

    def sync(descriptor: int, sync: Callable[[int], None] = os.fsync) -> None:
        sync(descriptor)
        file = Path(f"/proc/self/fd/{descriptor}")
        synced.append(str(file.readlink()) if file.is_dir() else file.read_text())

    monkeypatch.setattr(os, "fsync", sync)
    if keep == "reject":
        store.reject(KEY, Rejection("truncated", "…"))
    elif keep == "put":
        store.put(KEY, {"text": "x"}, request={})
    else:
        with store.room(KEY) as room:
            store.put(KEY, {"text": "x"}, request={}, room=room)
    kept = entry(store).with_suffix(".rejected.json") if keep == "reject" else entry(store)
    assert synced == [kept.read_text(), str(kept.parent)]


def test_of_two_that_ask_the_same_the_second_finds_the_answer_of_the_first(store: Store) -> None:
    bought: list[int] = []
    barrier = threading.Barrier(8)

    def ask(number: int) -> None:
        barrier.wait()
        with store.asking(KEY):
            if store.get(KEY) is None:
                bought.append(number)
                store.put(KEY, {"by": number}, request={})

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bought) == 1
    assert not any((store.root / "locks").iterdir())


@pytest.mark.parametrize("others_are_faster", [False, True])
def test_a_lock_that_its_holder_removed_meanwhile_is_no_lock(
    store: Store, monkeypatch: pytest.MonkeyPatch, others_are_faster: bool
) -> None:
    path, lock = store.root / "locks" / KEY, fcntl.flock
    tries: list[int] = []

    def late(descriptor: int, operation: int) -> None:
        tries.append(descriptor)
        if len(tries) == 1:  # it was opened before its holder removed it, and is locked after
            path.unlink()
            if others_are_faster:
                path.touch()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with store.asking(KEY):
        assert len(tries) == 2
        assert path.exists()


def test_room_for_an_answer_does_not_free_the_lock_of_who_asks(store: Store) -> None:
    with store.asking(KEY):
        with store.room(KEY):
            pass
        assert (store.root / "locks" / KEY).exists()
