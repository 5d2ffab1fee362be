"""Mails fetched by IMAP from a real server and turned into messages."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, Missing, figure, middle, say
from bench.mails import mails
from bench.rows import MadeRows
from bench.stack import Stack, running
from tests.providers.dovecot import _FOUND, Dovecot


def run(*, quick: bool = False) -> Iterator[Figure]:
    """One process reads the mailbox, then processes what it read: the worst order, for in production both go on at once.

    Medians of rounds in turn with the raw commits: a disturbance hits both.
    """
    number, rounds = (60, 1) if quick else (500, 3)
    with _dovecot() as server, running("mail") as stack:
        _measured(stack, server, "warm@shop.example", 20, seed=1)
        with MadeRows(stack.database_url) as made:
            _measured(stack, server, "rows@shop.example", number, seed=2)
        found, limits = [], []
        for position in range(rounds):
            seconds, account_id = _measured(stack, server, f"help{position}@shop.example", number, seed=2)
            found.append(seconds)
            limits.append(number / made.seconds_raw())
        rows = sum(made.numbers().values()) / number
        name = f"mails fetched by IMAP and turned into messages, 1 process (limit: {rows:.1f} rows of each as single-row commits)"
        yield figure(name, middle(number / (one["fetch"] + one["process"]) for one in found), "1/s", middle(limits))
        yield figure("mails fetched by IMAP into the journal, 1 process", middle(number / one["fetch"] for one in found), "1/s")
        yield figure("mails of the journal turned into messages, 1 process", middle(number / one["process"] for one in found), "1/s")
        for share, value in stack.task("mailbox.parse", account_id=account_id).items():
            yield figure(f"parsing of one mail, {share}", value, "ms")


def _measured(stack: Stack, server: Dovecot, user: str, number: int, *, seed: int) -> tuple[dict[str, float], str]:
    say(f"{number} mails for {user} ...")
    account_id: str = stack.task("mailbox.account", host=server.host, port=server.port, user=user, password=server.password)
    with server.client(user) as client:
        for raw in mails(number, to=user, seed=seed):
            client.append("INBOX", "", "", raw)
    found: dict[str, float] = stack.task("mailbox.read_and_process", account_id=account_id)
    return found, account_id


@contextmanager
def _dovecot() -> Iterator[Dovecot]:
    if _FOUND is None:
        raise Missing("The mail measurement needs a real IMAP server: install Dovecot (Debian: dovecot-imapd).")
    # Sockets in it must stay under 108 characters, and the folder be passable for the mails' owner.
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    server = Dovecot(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
