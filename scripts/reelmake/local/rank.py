"""TextRank: the sentences that most others have words in common with."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reelmake.analysis import Passage
from reelmake.local.text import content_words, size
from reelmake.local.transcript import middle

_DAMPING = 0.85
_ROUNDS = 40
_SAME = 0.6
# What these begin with points back to another sentence, so they read badly on their own.
_LEANING = (
    "and ", "but ", "so ", "or ", "it ", "it's ", "its ", "they ", "these ", "this ", "that ",
    "that's ", "those ", "he ", "she ", "then ", "here ", "based on ", "also ", "because ", "you ",
    "它", "他", "她", "这", "那", "所以", "但是", "而且", "然后", "并且", "因为",
)  # fmt: skip
_GREETINGS = ("welcome", "hello", "hi ", "thank", "大家好", "同学们好", "你好", "谢谢")

Matrix = NDArray[np.float32]


class Ranking:
    """Sentences with their weights; the weightiest say most of what the others say."""

    def __init__(self, sentences: Sequence[Passage]) -> None:
        self.sentences = list(sentences)
        self._similar = _similarities([content_words(sentence.text) for sentence in sentences])
        central = _centrality(self._similar)
        self.weights = [
            float(weight) * _readability(sentence)
            for weight, sentence in zip(central, self.sentences, strict=True)
        ]

    def best(self, count: int, *, start_s: float = 0.0, end_s: float = np.inf) -> list[Passage]:
        """Up to ``count`` weighty sentences of this stretch, none like another, in order."""
        inside = [
            index
            for index, sentence in enumerate(self.sentences)
            if start_s <= middle(sentence) < end_s and self.weights[index] > 0
        ]
        chosen: list[int] = []
        for index in sorted(inside, key=lambda index: -self.weights[index]):
            if all(self._similar[index, other] < _SAME for other in chosen):
                chosen.append(index)
        return [self.sentences[index] for index in sorted(chosen[:count])]


def _similarities(texts: Sequence[Sequence[str]]) -> Matrix:
    """Cosines of tf-idf; 0 on the diagonal."""
    seen = Counter(word for words in texts for word in set(words))
    columns = {word: column for column, word in enumerate(sorted(seen))}
    vectors = np.zeros((len(texts), len(columns)), np.float32)
    for row, words in enumerate(texts):
        for word, count in Counter(words).items():
            vectors[row, columns[word]] = count * np.log(1 + len(texts) / seen[word])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.maximum(lengths, 1e-9)
    similar: Matrix = vectors @ vectors.T
    np.fill_diagonal(similar, 0)
    return similar


def _centrality(similar: Matrix) -> Matrix:
    """The stationary distribution of a walk from sentence to similar sentence."""
    count = len(similar)
    weights: Matrix = np.full(count, 1 / max(count, 1), np.float32)
    totals = similar.sum(axis=1, keepdims=True)
    steps = similar / np.maximum(totals, 1e-9)
    for _ in range(_ROUNDS if count else 0):
        weights = (1 - _DAMPING) / count + _DAMPING * (weights @ steps)
    return weights


def _readability(sentence: Passage) -> float:
    """How well it stands alone, from 0 to 1."""
    text = sentence.text.casefold()
    if sentence.doubtful or size(text) < 3:
        return 0.0
    if size(text) < 5 or text[-1] in "?？" or text.startswith(_GREETINGS):
        return 0.1
    leaning = text.startswith(_LEANING) or (not sentence.text[0].isupper() and text[0].isascii())
    whole = text[-1] in ".!…。！"
    return (0.6 if leaning else 1.0) * (1.0 if whole else 0.6) * (0.7 if size(text) > 45 else 1.0)
