"""Mails fetched by IMAP from a real server and turned into messages."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, Missing, figure, say
from bench.mails import mails
from bench.rows import MadeRows
from bench.stack import Stack, running
from tests.providers.dovecot import _FOUND, Dovecot

WARM, MEASURED, COUNTED = "warm@shop.example", "help@shop.example", "rows@shop.example"


def run(*, quick: bool = False) -> Iterator[Figure]:
    """One process reads the mailbox, then processes what it read: the worst order, for in production both go on at once."""
    number = 60 if quick else 500
    with _dovecot() as server, running("mail") as stack:
        _measured(stack, server, WARM, 20, seed=1)
        found, account_id = _measured(stack, server, MEASURED, number, seed=2)
        with MadeRows(stack.database_url) as made:
            _measured(stack, server, COUNTED, number, seed=2)
        rows = sum(made.numbers().values()) / number
        limit = number / made.seconds_raw()
        name = f"mails fetched by IMAP and turned into messages, 1 process (limit: {rows:.1f} rows of each as single-row commits)"
        yield figure(name, number / (found["fetch"] + found["process"]), "1/s", limit)
        yield figure("mails fetched by IMAP into the journal, 1 process", number / found["fetch"], "1/s")
        yield figure("mails of the journal turned into messages, 1 process", number / found["process"], "1/s")
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
