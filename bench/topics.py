"""How often the topic of a message is among the suggestions, how long a suggestion takes, what the training costs."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, figure, percentile, say
from bench.guests.generator import messages
from demo.material import material
from suggestions.rules import Document, Hits, document, is_held_out
from suggestions.scoring import Weights, from_tree, load

ROOT = Path(__file__).resolve().parent.parent
TREE, ANSWERS = ROOT / "tickets" / "data" / "topics.json", ROOT / "tickets" / "data" / "templates.json"
TOPICS = 129
# Seeds: the messages that train, and those that only measure.
TRAIN, MEASURE = 11, 12
Labelled = list[tuple[str, int]]
# Milliseconds and megabytes of a fresh process's first suggestion: a model's folder and a text are its arguments.
_FIRST = """
import sys, time
def memory():
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Rss")) / 1024
before, begun = memory(), time.perf_counter()
from pathlib import Path
from suggestions.scoring import load
load(Path(sys.argv[1])).confidences(sys.argv[2])
print((time.perf_counter() - begun) * 1000, memory() - before)
"""


@dataclass(frozen=True)
class Sets:
    """Labelled texts to measure on."""

    known: Labelled
    unseen: Labelled
    demo: Labelled


class _Ids(dict[str, int]):
    """Numbers for codes, as the database would give them."""

    def __missing__(self, code: str) -> int:
        self[code] = len(self) + 1
        return self[code]


def run(*, quick: bool = False) -> Iterator[Figure]:
    """No database and no product: texts in, figures out. `quick` trains on fewer messages."""
    ids = _Ids()
    documents = tree(ids)
    sets = Sets(_made(ids, 12, unseen=False), _made(ids, 12, unseen=True), _demo(ids))
    yield from _rates("the topic tree's own words", from_tree(documents), sets)
    for each in (5, 20) if quick else (5, 20, 100):
        with tempfile.TemporaryDirectory() as name:
            yield from _trained(ids, documents, sets, each, Path(name))


def tree(ids: dict[str, int]) -> Mapping[int, Document]:
    """The shipped topics' own words."""
    answers: dict[str, str] = {}
    for one in json.loads(ANSWERS.read_text("utf-8")):
        answers[one["topic"] or ""] = f"{answers.get(one['topic'] or '', '')} {one['text']}".strip()
    return {
        ids[leaf["code"]]: document(
            name=leaf["name"], branch=branch["name"], instruction=leaf.get("instruction", ""), answers=answers.get(leaf["code"], "")
        )
        for branch in json.loads(TREE.read_text("utf-8"))
        for leaf in branch["children"]
    }


def _made(ids: dict[str, int], each: int, *, unseen: bool, seed: int = MEASURE) -> Labelled:
    return [(one.text, ids[one.topic]) for one in messages(each * TOPICS, seed=seed, unseen=unseen)]


def _demo(ids: dict[str, int]) -> Labelled:
    """First messages of the demo's stories: written by hand for another end, of fifty topics."""
    found = []
    for story in material("stories"):
        words: dict[str, str] = {name: choices[0] for name, choices in story.get("slots", {}).items()}
        found += [(text.format(**{"s": "Лесной", **words}), ids[story["topic"]]) for text in story["open"]]
    return found


def _rates(name: str, weights: Weights, sets: Sets) -> Iterator[Figure]:
    from suggestions.fit import hits  # scikit-learn takes a second: not for whoever only names the measurements

    for words, texts in (
        ("new messages", sets.known),
        ("new messages in phrases never met", sets.unseen),
        ("the demo's messages, by another hand", sets.demo),
    ):
        found = hits(weights, texts)
        yield _rate(f"{name}: hit rate at 1, {words} ({found.of})", found.at_one)
        yield _rate(f"{name}: hit rate at 3, {words} ({found.of})", found.at_three)


def _rate(name: str, value: float | None) -> Figure:
    return figure(name, (value or 0) * 100, "%")


def _trained(ids: dict[str, int], documents: Mapping[int, Document], sets: Sets, each: int, folder: Path) -> Iterator[Figure]:
    name = f"trained on {each} cases of each of {TOPICS} topics"
    say(f"{name} ...")
    taught = _made(ids, each, unseen=False, seed=TRAIN)
    # As the product does: a tenth only measures, and tunes how sure the model says it is.
    parts: dict[bool, Labelled] = {True: [], False: []}
    for number, one in enumerate(taught):
        parts[is_held_out(number)].append(one)
    task = {"documents": documents, "train": parts[False], "held_out": parts[True], "before": None}
    seconds, report = _fit(task, folder)
    weights = load(folder)
    yield from _rates(name, weights, sets)
    yield _rate(f"{name}: hit rate at 3, held-out cases ({report['new']['of']})", Hits(**report["new"]).at_three)
    yield figure(f"{name}: mean confidence of the first guess, new messages", _mean_confidence(weights, sets.known) * 100, "%")
    yield figure(f"{name}: time of a training, its process included", seconds, "s")
    yield figure(f"{name}: most memory of the training process", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, "MB")
    times = list(_times(weights, [text for text, _topic in sets.known]))
    yield figure(f"{name}: time of a suggestion, p50", percentile(times, 0.5), "ms")
    yield figure(f"{name}: time of a suggestion, p95", percentile(times, 0.95), "ms")
    yield from _first(name, folder, sets.known[0][0])


def _fit(task: Mapping[str, Any], folder: Path) -> tuple[float, Any]:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "suggestions.fit", str(folder)], input=json.dumps(task), capture_output=True, text=True, cwd=ROOT, check=True
    )
    return time.perf_counter() - begun, json.loads(done.stdout)


def _mean_confidence(weights: Weights, texts: Sequence[tuple[str, int]]) -> float:
    return sum(max(weights.confidences(text).values(), default=0) for text, _topic in texts) / len(texts)


def _times(weights: Weights, texts: Sequence[str]) -> Iterator[float]:
    for text in texts:
        begun = time.perf_counter()
        weights.confidences(text)
        yield (time.perf_counter() - begun) * 1000


def _first(name: str, folder: Path, text: str) -> Iterator[Figure]:
    """The first suggestion of a process: numpy and the model are loaded for it."""
    command = [sys.executable, "-c", _FIRST, str(folder), text]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    milliseconds, megabytes = map(float, told.split())
    yield figure(f"{name}: a process's first suggestion", milliseconds, "ms")
    yield figure(f"{name}: a process's memory for it", megabytes, "MB")
