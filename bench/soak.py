"""A shift at the desk in minutes: twenty thousand events on a real screen; typing while fifty come a second; five hundred at once."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

from bench.browser import Desk, desk
from bench.figures import Figure, Missing, figure, percentile, say
from bench.stack import Stack, running

DIALOGUES = 200
EVENTS = 20_000
ROUNDS = 20
RATE = 50
BURST = 500
# Who writes in the dialogue that is open most of the time.
VISITOR = "visitor-0"
# A quick typist: twelve letters a second.
PAUSE_MS = 80
_WATCH = """() => {
  window.measured = { delays: [], tasks: [] };
  document.addEventListener("beforeinput", (event) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.measured.delays.push(performance.now() - event.timeStamp);
    requestAnimationFrame(() => channel.port2.postMessage(0));
  }, true);
  const note = (list) => window.measured.tasks.push(...list.getEntries().map((task) => task.duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
}"""
_TAKEN = "() => { const found = window.measured; window.measured = { delays: [], tasks: [] }; return found; }"


def run(*, quick: bool = False) -> Iterator[Figure]:
    """`quick`: a tenth of the events, ten seconds of typing."""
    events, seconds = (EVENTS // 10, 10) if quick else (EVENTS, 30)
    with running("soak") as stack:
        say(f"{DIALOGUES} dialogues ...")
        facts = stack.task("guest_of_years.fill", messages=0, others=DIALOGUES)
        stack.web()
        with desk(stack.plan.port, facts["cookie"]) as screen:
            screen.go(f"session/{facts['short']}/?tab=all")
            yield from _shift(stack, screen, facts, events)
            yield from _typing(stack, screen, facts, seconds)
            yield from _burst(stack, screen, facts)


def _shift(stack: Stack, screen: Desk, facts: dict[str, Any], events: int) -> Iterator[Figure]:
    """Warm first: what is kept on purpose (the known rows, the scripts) is there before the count."""
    part, number = events // ROUNDS, 0
    others = cycle(facts["items"][1:30])
    before = screen.counters()
    for turn in range(ROUNDS):
        _publish(stack, facts, number=part, first=number, visitor=VISITOR)
        number += part
        _arrived(screen, number)
        _open(screen, next(others) if turn % 2 == 0 else facts["short"])
        if turn == 1:
            before = screen.counters()
        say(f"{number} events ...")
    after = screen.counters()
    name = f"after {number} events and {ROUNDS} opened dialogues"
    yield figure(f"heap growth {name}, garbage collected (limit: the whole heap before)", after.heap - before.heap, "MB", before.heap)
    yield figure(f"DOM nodes {name} (limit: before)", after.nodes, "nodes", before.nodes)
    yield figure(f"event listeners {name} (limit: before)", after.listeners, "listeners", before.listeners)


def _publish(stack: Stack, facts: dict[str, Any], **how: Any) -> None:
    stack.task("soak.publish", staff=facts["staff"], spread=DIALOGUES, **how)


def _arrived(screen: Desk, number: int) -> None:
    """The screen has applied all events before `number`: the first row says so (bench.tasks.soak)."""
    shows = "(words) => [...document.querySelectorAll('.row-preview')].some((one) => one.textContent === words)"
    screen.page.wait_for_function(shows, arg=f"до {number}")


def _open(screen: Desk, session: int) -> None:
    key = f"session:{session}"
    screen.evaluate('(key) => document.querySelector(`[data-key="${key}"] .row-link`).click()', key)
    screen.page.wait_for_function("(key) => document.querySelector('#open-item')?.dataset.key === key", arg=key)


def _typing(stack: Stack, screen: Desk, facts: dict[str, Any], seconds: int) -> Iterator[Figure]:
    screen.evaluate(_WATCH)
    quiet = _typed(screen, seconds)
    orders = {"number": RATE * seconds, "first": 2_000_000, "rate": RATE, "visitor": VISITOR, "spread": DIALOGUES}
    publishing = stack.begin("soak.publish", staff=facts["staff"], **orders)
    busy = _typed(screen, seconds)
    stack.result(publishing)
    for share in (50, 95):
        limit = percentile(quiet["delays"], share / 100)
        name = f"key to paint at {RATE} events a second, p{share} of {len(busy['delays'])} keys (limit: no events)"
        yield figure(name, percentile(busy["delays"], share / 100), "ms", limit)
    yield figure(f"longest task at {RATE} events a second", max(busy["tasks"], default=0.0), "ms")


def _typed(screen: Desk, seconds: int) -> dict[str, list[float]]:
    """Raises Missing when a letter was lost: then no figure means anything."""
    field, words = screen.page.locator("#text"), "Спасибо, проверим и вернёмся с ответом. "
    text = (words * (seconds * 1000 // PAUSE_MS // len(words) + 1))[: seconds * 1000 // PAUSE_MS]
    field.fill("")
    screen.evaluate(_TAKEN)
    field.press_sequentially(text, delay=PAUSE_MS, timeout=10_000 * seconds)
    if field.input_value() != text:
        raise Missing("Letters were lost while typing.")
    found: dict[str, list[float]] = screen.evaluate(_TAKEN)
    return found


def _burst(stack: Stack, screen: Desk, facts: dict[str, Any]) -> Iterator[Figure]:
    """A screen that was away gets what it missed at one go."""
    screen.page.context.set_offline(True)
    screen.evaluate("() => window.dispatchEvent(new Event('offline'))")
    first = 3_000_000
    _publish(stack, facts, number=BURST, first=first)
    screen.evaluate(_TAKEN)
    screen.page.context.set_offline(False)
    _arrived(screen, first + BURST)
    found = screen.evaluate(_TAKEN)
    yield figure(f"longest task while {BURST} missed events are applied", max(found["tasks"], default=0.0), "ms")
