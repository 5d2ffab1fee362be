"""A linear model as arrays: how sure it is of each topic. Needs numpy alone, so a web process never loads what trains."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suggestions.features import COLUMNS, columns
from suggestions.rules import Document

Numbers = NDArray[np.float32]
# Closeness to a topic's own words as a confidence. Too modest for messages that name their matter, too bold for those that never do
# (docs/figures.md, topics): no number suits both, a training finds its own.
TREE_SHARPNESS = 14.0
_ROWS, _FACTS, _TOPICS = "rows.npy", "facts.npz", "topics.json"


@dataclass(frozen=True)
class Weights:
    """`rarity` of each column; a row of `rows` per column, in it a weight per topic; `bias` per topic; one `sharpness` for all."""

    topics: Sequence[int]
    rarity: Numbers
    rows: Numbers
    bias: Numbers
    sharpness: float

    def closeness(self, text: str) -> Numbers | None:
        """A number per topic, the higher the closer; None when the text has no words, or there are no topics."""
        met = columns(text)
        if not met or not len(self.topics):
            return None
        values = self.rarity[met]
        found: Numbers = (values / np.linalg.norm(values)) @ self.rows[met] + self.bias
        return found

    def confidences(self, text: str) -> Mapping[int, float]:
        """How sure the model is of each topic; together 1, empty for a text without words."""
        found = self.closeness(text)
        if found is None:
            return {}
        shares = softmax(found * self.sharpness)
        return dict(zip(self.topics, shares.tolist(), strict=True))


def softmax(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Along the last axis; the sum is 1."""
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    shares: NDArray[np.floating] = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def rarity_of(texts: Sequence[Sequence[int]]) -> Numbers:
    """The smoothed inverse document frequency of each column over texts that are given as columns."""
    met = np.zeros(COLUMNS, dtype=np.float32)
    for one in texts:
        met[list(one)] += 1
    return (np.log((1 + len(texts)) / (1 + met)) + 1).astype(np.float32)


def from_tree(documents: Mapping[int, Document]) -> Weights:
    """A model of the topics' own words, for a product that has no cases yet: parts of a topic's document with what they count."""
    parts = {topic: [(columns(text), share) for text, share in document] for topic, document in documents.items()}
    rarity = rarity_of([sorted({one for met, _share in document for one in met}) for document in parts.values()])
    rows = np.zeros((COLUMNS, len(parts)), dtype=np.float32)
    for place, document in enumerate(parts.values()):
        for met, share in document:
            if met:
                values = rarity[met]
                rows[met, place] += share * values / np.linalg.norm(values)
        length = np.linalg.norm(rows[:, place])
        if length:
            rows[:, place] /= length
    return Weights(list(parts), rarity, rows, np.zeros(len(parts), dtype=np.float32), TREE_SHARPNESS)


def save(weights: Weights, folder: Path) -> None:
    """Write the model into an existing folder."""
    np.save(folder / _ROWS, np.ascontiguousarray(weights.rows, dtype=np.float32))
    np.savez(folder / _FACTS, rarity=weights.rarity, bias=weights.bias, sharpness=np.float32(weights.sharpness))
    (folder / _TOPICS).write_text(json.dumps(list(weights.topics)))


def load(folder: Path) -> Weights:
    """Read a model; its large part stays a file that the processes share. Raises OSError, ValueError when it is missing or broken."""
    rows = np.load(folder / _ROWS, mmap_mode="r", allow_pickle=False)
    with np.load(folder / _FACTS, allow_pickle=False) as facts:
        rarity, bias, sharpness = facts["rarity"], facts["bias"], float(facts["sharpness"])
    topics = json.loads((folder / _TOPICS).read_text())
    if rows.shape != (COLUMNS, len(topics)) or rarity.shape != (COLUMNS,) or bias.shape != (len(topics),):
        raise ValueError(f"the model in {folder.name} does not fit this version of the product")
    return Weights(topics, rarity, rows, bias, sharpness)
