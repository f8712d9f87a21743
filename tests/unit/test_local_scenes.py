import numpy as np

from reelmake.local.scenes import choose_scenes, find_scenes
from reelmake.media import Frame, Pixels

RANDOM = np.random.default_rng(0)


def slide(seed: int) -> Pixels:
    """White with dark lines of text, each slide in its own way."""
    page = np.full((90, 160), 240, np.uint8)
    lines = np.random.default_rng(seed).random((90, 160)) < 0.4
    page[20:70:6, 10:120] = np.where(lines[20:70:6, 10:120], 30, 240)
    return page


def frames(pictures: list[Pixels]) -> list[Frame]:
    return [Frame(float(second), picture) for second, picture in enumerate(pictures)]


def test_each_slide_is_a_scene_seen_at_its_last_calm_moment() -> None:
    first, second, third = (slide(seed) for seed in range(3))
    found = find_scenes(frames([first] * 10 + [second] * 5 + [third] * 8), 23.0)
    assert [(scene.start_s, scene.end_s) for scene in found] == [(0, 10), (10, 15), (15, 23)]
    assert [scene.still_s for scene in found] == [9, 14, 22]


def test_typing_is_no_change_of_scene() -> None:
    pictures = []
    page = np.full((90, 160), 20, np.uint8)
    for column in range(60):
        page = page.copy()
        page[10:14, 2 * column : 2 * column + 2] = 220
        pictures.append(page)
    assert len(find_scenes(frames(pictures), 60.0)) == 1


def test_only_cuts_divide_a_film_that_moves_all_the_time() -> None:
    def shot(level: int) -> list[Pixels]:
        return [RANDOM.normal(level, 12, (90, 160)).clip(0, 255).astype(np.uint8) for _ in range(9)]

    found = find_scenes(frames(shot(60) + shot(180)), 18.0)
    assert [(scene.start_s, scene.end_s) for scene in found] == [(0, 9), (9, 18)]


def test_scenes_are_limited_and_the_longest_are_chosen() -> None:
    pictures = [slide(second // 3) for second in range(1000)]
    found = find_scenes(frames(pictures), 1000.0)
    assert len(found) == 200
    assert (found[0].start_s, found[-1].end_s) == (0, 1000)
    chosen = choose_scenes(found, 12)
    assert len(chosen) == 12
    assert chosen == sorted(chosen, key=lambda scene: scene.start_s)
    assert find_scenes([], 0.0) == []
