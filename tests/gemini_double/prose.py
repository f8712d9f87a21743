"""Sentences that read like notes on a video, in English and Simplified Chinese.

Enough templates and words that honest answers hold no repeated runs of words, so a client's
repetition check is tried on texts that ought to pass it.
"""

from __future__ import annotations

from random import Random

_THINGS = (
    "the copper valve|铜阀",
    "a folded map|折叠地图",
    "the river gauge|水位计",
    "an old lathe|旧车床",
    "the second proof|第二个证明",
    "a loaf of rye bread|黑麦面包",
    "the glacier's edge|冰川边缘",
    "a wiring diagram|接线图",
    "the tax table|税率表",
    "a violin bow|琴弓",
    "the seed bank|种子库",
    "a torque wrench|扭力扳手",
    "the harbour lights|港口灯光",
    "a tiled stove|瓷砖壁炉",
    "the enzyme model|酶模型",
    "a paper crane|纸鹤",
    "the night bus|夜班车",
    "a sorting routine|排序程序",
    "the orchard gate|果园大门",
    "a weather balloon|探空气球",
)
_DEEDS = (
    "measures|测量",
    "repairs|修理",
    "compares|比较",
    "sketches|勾画",
    "explains|讲解",
    "takes apart|拆开",
    "cleans|清洁",
    "points out|指出",
    "rebuilds|重建",
    "tests|测试",
    "describes|描述",
    "labels|标注",
)
_SHAPES = (
    "The speaker {deed} {thing} beside {other} ({mark})."
    "|讲者{deed}{thing}，旁边放着{other}（{mark}）。",
    "Here {thing} comes before {other}, and someone {deed} both ({mark})."
    "|这里先出现{thing}，再出现{other}，有人{deed}它们（{mark}）。",
    "After a pause she {deed} {other} to show why {thing} matters ({mark})."
    "|停顿之后她{deed}{other}，说明{thing}为什么重要（{mark}）。",
    "Nobody {deed} {thing} without first looking at {other} ({mark})."
    "|没有人会不看{other}就{deed}{thing}（{mark}）。",
    "A close-up of {thing}: a hand {deed} {other} ({mark})."
    "|{thing}的特写：一只手正在{deed}{other}（{mark}）。",
    "What follows {deed} {thing} in the light of {other} ({mark})."
    "|接下来结合{other}来{deed}{thing}（{mark}）。",
    "With {other} in view, the guest {deed} {thing} ({mark})."
    "|在{other}面前，嘉宾{deed}{thing}（{mark}）。",
)


def sentence(random: Random, mark: str, *, chinese: bool) -> str:
    thing, other = random.sample(_THINGS, 2)
    words = {"thing": thing, "other": other, "deed": random.choice(_DEEDS)}
    spoken = {key: _in(text, chinese) for key, text in words.items()}
    return _in(random.choice(_SHAPES), chinese).format(mark=mark, **spoken)


def title(random: Random, mark: str, *, chinese: bool) -> str:
    thing, other = (_in(text, chinese) for text in random.sample(_THINGS, 2))
    return f"{thing}与{other}（{mark}）" if chinese else f"Notes on {thing} and {other} ({mark})"


def _in(pair: str, chinese: bool) -> str:
    english, _, chinese_text = pair.partition("|")
    return chinese_text if chinese else english
