"""Trains a model: `python -m suggestions.fit FOLDER`, the task as JSON on standard input, the report as JSON on standard output.

A process of its own: scikit-learn needs over 100 MB and seconds to load, which neither a web process nor a worker should carry.
"""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from suggestions.features import COLUMNS, columns
from suggestions.rules import Document, Hits, guesses
from suggestions.scoring import Numbers, Weights, from_tree, load, rarity_of, save, softmax

# One logistic regression per topic; found on texts that none of them was trained on (docs/figures.md, topics).
PENALTY, ROUNDS = 1e-5, 6
# A topic's own words count as this many of its cases.
TREE_COUNTS_AS = 5.0
SHARPNESSES = (0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
# Fewer texts cannot tell how sure the model may be.
ENOUGH_TO_TUNE = 20
Labelled = tuple[str, int]


@dataclass(frozen=True)
class Task:
    """`documents` are the topics' own words (scoring.from_tree), `train` and `held_out` texts with their topics. `before` is the folder
    of the model in use, None = the topics' own words are.
    """

    documents: Mapping[int, Document]
    train: Sequence[Labelled]
    held_out: Sequence[Labelled]
    before: Path | None = None


@dataclass(frozen=True)
class Report:
    """What came of a training. `topics` = how many had cases of their own."""

    new: Hits
    before: Hits
    topics: int
    seconds: float


def train(task: Task) -> tuple[Weights, Report]:
    """A model of the topics' words and the cases, measured on the held-out texts beside the one before. ValueError: too few topics."""
    begun = time.perf_counter()
    weights = _tuned(_fitted(task), task.held_out)
    report = Report(
        new=hits(weights, task.held_out),
        before=hits(load(task.before) if task.before else from_tree(task.documents), task.held_out),
        topics=len({topic for _text, topic in task.train}),
        seconds=time.perf_counter() - begun,
    )
    return weights, report


def _fitted(task: Task) -> Weights:
    texts = [(" ".join(text for text, _share in document), topic, TREE_COUNTS_AS) for topic, document in task.documents.items()]
    texts += [(text, topic, 1.0) for text, topic in task.train if topic in task.documents]
    met = [columns(text) for text, _topic, _counts in texts]
    rarity = rarity_of(met)
    labels = np.array([topic for _text, topic, _counts in texts])
    if len(set(labels.tolist())) < 3:
        raise ValueError("a model needs three topics or more")
    model = SGDClassifier(loss="log_loss", alpha=PENALTY, max_iter=ROUNDS, tol=None, average=True, random_state=0)
    model.fit(_matrix(met, rarity), labels, sample_weight=np.array([counts for _text, _topic, counts in texts]))
    rows = np.ascontiguousarray(model.coef_.T, dtype=np.float32)
    return Weights(model.classes_.tolist(), rarity, rows, model.intercept_.astype(np.float32), 1.0)


def _matrix(texts: Sequence[Sequence[int]], rarity: Numbers) -> Any:
    ends = np.cumsum([0, *(len(met) for met in texts)])
    places = np.concatenate([np.array(met, dtype=np.int32) for met in texts])
    values = np.concatenate([rarity[list(met)] / (np.linalg.norm(rarity[list(met)]) or 1) for met in texts])
    return csr_matrix((values, places, ends), (len(texts), COLUMNS))


def _tuned(weights: Weights, held_out: Sequence[Labelled]) -> Weights:
    """With the sharpness under which the held-out choices are least surprising, so that "70 %" is right seven times of ten."""
    places = {topic: place for place, topic in enumerate(weights.topics)}
    known = [(weights.closeness(text), places[topic]) for text, topic in held_out if topic in places]
    found = [(closeness, place) for closeness, place in known if closeness is not None]
    if len(found) < ENOUGH_TO_TUNE:
        return weights
    table, right = np.stack([closeness for closeness, _place in found]), np.array([place for _closeness, place in found])

    def surprise(sharpness: float) -> float:
        return float(-np.log(softmax(table * sharpness)[np.arange(len(right)), right] + 1e-9).mean())

    return Weights(weights.topics, weights.rarity, weights.rows, weights.bias, min(SHARPNESSES, key=surprise))


def hits(weights: Weights, texts: Iterable[Labelled]) -> Hits:
    """How often the model finds the topic."""
    of = first = third = 0
    for text, topic in texts:
        found = [guess.topic_id for guess in guesses(weights.confidences(text), allowed=weights.topics, most=3, least=0)]
        of, first, third = of + 1, first + (found[:1] == [topic]), third + (topic in found)
    return Hits(of, first, third)


def main(folder: Path) -> None:
    asked = json.load(sys.stdin)
    before = Path(asked["before"]) if asked["before"] else None
    documents = {int(topic): document for topic, document in asked["documents"].items()}
    weights, report = train(Task(documents, asked["train"], asked["held_out"], before))
    save(weights, folder)
    json.dump(asdict(report), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
