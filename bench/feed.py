"""A guest with two thousand messages in six channels: opened, walked to the first message and back, in a real browser."""

from collections.abc import Iterator
from typing import Any

from bench.browser import Desk, desk
from bench.figures import Figure, figure, percentile, say
from bench.stack import running

MESSAGES = 2000
# From the click to the second frame after the dialogue stands there: what the person sees.
_OPEN = """async (key) => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const stands = () => document.querySelector("#open-item")?.dataset.key === key && document.querySelectorAll("#feed .entry").length;
  const begun = performance.now();
  document.querySelector(`[data-key="${key}"] .row-link`).click();
  while (!stands()) await new Promise((done) => setTimeout(done, 1));
  await painted();
  return performance.now() - begun;
}"""
_WALK = """async () => {
  const feed = document.querySelector("#feed");
  const entries = () => feed.querySelectorAll(".entry").length;
  let [most, pages] = [entries(), 0];
  while (feed.dataset.before) {
    const before = feed.dataset.before;
    feed.scrollTop = 0;
    feed.dispatchEvent(new Event("scroll"));
    while (feed.dataset.before === before) await new Promise((done) => setTimeout(done, 1));
    most = Math.max(most, entries());
    pages += 1;
  }
  return { most, pages };
}"""
_JUMP = """async ([key, wanted]) => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const feed = document.querySelector("#feed");
  const is = () => [...feed.querySelectorAll(".entry .text")].some((text) => text.textContent.includes(wanted));
  feed.focus();
  const begun = performance.now();
  feed.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  while (!is()) await new Promise((done) => setTimeout(done, 1));
  await painted();
  return performance.now() - begun;
}"""


def run(*, quick: bool = False) -> Iterator[Figure]:
    """Opening is compared with a dialogue of one message on the same desk."""
    rounds = 5 if quick else 30
    with running("feed") as stack:
        say(f"a guest with {MESSAGES} messages ...")
        facts = stack.task("guest_of_years.fill", messages=MESSAGES, others=20)
        stack.web()
        with desk(stack.plan.port, facts["cookie"]) as screen:
            screen.go("?tab=all")
            yield from _opened(screen, facts, rounds)
            yield from _walked(screen, facts, rounds)


def _opened(screen: Desk, facts: dict[str, Any], rounds: int) -> Iterator[Figure]:
    times: dict[str, list[float]] = {"short": [], "long": []}
    _settle(screen, facts)
    for _round in range(rounds):
        for name, found in times.items():
            found.append(screen.evaluate(_OPEN, f"session:{facts[name]}"))
    for share in (50, 95):
        limit = percentile(times["short"], share / 100)
        name = f"opening a feed of {MESSAGES} messages, click to paint, p{share} of {rounds} (limit: one message)"
        yield figure(name, percentile(times["long"], share / 100), "ms", limit)


def _settle(screen: Desk, facts: dict[str, Any]) -> None:
    """The first opening of each also loads scripts and fills caches."""
    for name in ("short", "long"):
        screen.page.wait_for_selector(f'[data-key="session:{facts[name]}"]', state="attached")
        screen.evaluate(_OPEN, f"session:{facts[name]}")


def _walked(screen: Desk, facts: dict[str, Any], rounds: int) -> Iterator[Figure]:
    first, last = "(1)", f"Вопрос {len(facts['items']) - 1}"
    jumps: dict[str, list[float]] = {"Home": [], "End": []}
    for _round in range(max(1, rounds // 3)):
        jumps["Home"].append(screen.evaluate(_JUMP, ["Home", first]))
        jumps["End"].append(screen.evaluate(_JUMP, ["End", last]))
    yield figure(f"to the first of {MESSAGES} messages, key to paint, p95", percentile(jumps["Home"], 0.95), "ms")
    yield figure("back to the newest, key to paint, p95", percentile(jumps["End"], 0.95), "ms")
    walked = screen.evaluate(_WALK)
    yield figure(f"most entries on the page after {walked['pages']} pages upwards", walked["most"], "entries")
