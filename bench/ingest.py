"""Webhooks accepted over HTTP, and messages fully processed, a second."""

from collections.abc import Iterator, Sequence
from typing import Any

from bench.figures import Figure, Missing, figure, middle, say
from bench.load import Job, drive, request
from bench.rows import MadeRows
from bench.stack import Stack, running
from bench.words import telegram_update

CLIENTS = 8
WARM = 50
KNOWN_GUESTS = 200
UPDATES = iter(range(1, 10**9, 1_000_000))


def run(*, quick: bool = False) -> Iterator[Figure]:
    """Figures for one and for two processes; `quick` takes seconds and is rough."""
    webhooks, messages, rounds = (300, 120, 1) if quick else (1500, 600, 3)
    with running("ingest") as stack:
        account = stack.task("events.account")
        for processes in (1, 2):
            yield _accepted(stack, account, webhooks, rounds, processes)
        for processes in (1, 2):
            yield from _processed(stack, account, messages, rounds, processes)


def _accepted(stack: Stack, account: dict[str, str], number: int, rounds: int, processes: int) -> Figure:
    """The medians of rounds in turn with the empty view's: a disturbance hits both."""
    say(f"webhooks, {processes} web process(es) ...")
    webs = stack.webs(processes)
    before, sent = stack.task("events.stored", account_id=account["id"]), 0
    rates: dict[str, list[float]] = {"empty": [], "webhook": []}
    for round_number in range(-1, rounds):  # the first round warms up
        total = number if round_number >= 0 else 100 * processes
        bodies = _bodies(total)
        for name, path in (("empty", "/bench/empty/"), ("webhook", f"/hooks/telegram/{account['id']}/")):
            requests = [_post(path, body, account["secret"]) for body in bodies]
            outcome = drive(Job(list(webs), CLIENTS, requests, total))
            if round_number >= 0:
                rates[name].append(outcome.rate)
        sent += total
    if (found := stack.task("events.stored", account_id=account["id"]) - before) != sent:
        raise Missing(f"{sent} webhooks were accepted, but {found} events are stored.")
    for web in webs.values():
        stack.end(web)
    name = f"webhooks accepted and stored, {CLIENTS} connections, {_processes(processes, 'web')} (limit: empty view)"
    return figure(name, middle(rates["webhook"]), "1/s", middle(rates["empty"]))


def _bodies(number: int) -> Sequence[bytes]:
    first = next(UPDATES)
    return [telegram_update(update, chat=update) for update in range(first, first + number)]


def _post(path: str, body: bytes, secret: str) -> bytes:
    return request("POST", path, body, X_Telegram_Bot_Api_Secret_Token=secret)


def _processed(stack: Stack, account: dict[str, str], number: int, rounds: int, processes: int) -> Iterator[Figure]:
    """The medians of rounds in turn with the raw commits: a disturbance hits both."""
    say(f"messages, {processes} process(es) ...")
    counted = _kept(stack, account, number, processes)
    with MadeRows(stack.database_url) as made:
        _rate(stack, counted, processes)
    rates, limits = [], []
    for _round in range(rounds):
        rates.append(_rate(stack, _kept(stack, account, number, processes), processes))
        limits.append(len(counted) / made.seconds_raw(processes))
    rows = sum(made.numbers().values()) / len(counted)
    name = f"messages fully processed, {_processes(processes, 'worker')} (limit: {rows:.1f} rows of each as single-row commits)"
    yield figure(name, middle(rates), "1/s", middle(limits))


def _kept(stack: Stack, account: dict[str, str], number: int, processes: int) -> list[int]:
    """Ids of stored events, those for warming up included."""
    total = number + WARM * processes
    first = next(UPDATES) + KNOWN_GUESTS
    ids: list[int] = stack.task("events.keep", account_id=account["id"], first=first, number=total, guests=KNOWN_GUESTS)
    return ids


def _rate(stack: Stack, ids: list[int], processes: int) -> float:
    parts: list[Any] = stack.together("events.warm_up", [{"ids": ids[part::processes], "warm": WARM} for part in range(processes)])
    seconds = float(max(part["ended"] for part in parts) - min(part["begun"] for part in parts))
    return sum(int(part["number"]) for part in parts) / seconds


def _processes(number: int, kind: str) -> str:
    return f"{number} {kind} process" + ("es" if number > 1 else "")
