"""A mailbox read and its mails processed, one after the other in one process."""

import time

from django.utils import timezone

from bench.figures import percentile
from omni.channels.email.adapter import imap_settings
from omni.channels.email.fetching import Mailbox
from omni.channels.registry import adapter_for
from omni.models import ChannelAccount, InboundEvent, Message
from omni.services import journal, mailboxes
from omni.states import EventState
from tests import builders as b


def account(*, host: str, port: int, user: str, password: str) -> str:
    """An e-mail account for the mailbox; its public id."""
    imap = {"host": host, "port": port, "tls": "none", "user": user, "folder": "INBOX"}
    smtp = {"host": host, "port": 25, "tls": "none"}
    settings = {"address": user, "name": "Магазин", "imap": imap, "smtp": smtp}
    made = b.an_account("email", settings=settings, imap_password=password, smtp_password="", thread_key="bench-thread-key")
    return str(made.public_id)


def read_and_process(*, account_id: str) -> dict[str, float]:
    """Everything in the mailbox into messages; seconds of both steps, and how many there were."""
    account = ChannelAccount.objects.get(public_id=account_id)
    begun = time.monotonic()
    with Mailbox(imap_settings(account.config())) as mailbox:
        read = mailboxes.read_new(account=account, mailbox=mailbox, now=timezone.now())
    fetched = time.monotonic()
    events = InboundEvent.objects.filter(account=account, state=EventState.RECEIVED).order_by("pk").values_list("pk", flat=True)
    for pk in list(events):
        journal.process(pk, now=timezone.now())
    ended = time.monotonic()
    messages = Message.objects.filter(account=account).count()
    if not read or messages != read:
        raise RuntimeError(f"{read} mails were read, but {messages} messages made")
    return {"number": read, "fetch": fetched - begun, "process": ended - fetched}


def parse(*, account_id: str) -> dict[str, float]:
    """Milliseconds that understanding one mail takes."""
    account = ChannelAccount.objects.get(public_id=account_id)
    adapter, config, times = adapter_for("email"), account.config(), []
    for event in InboundEvent.objects.filter(account=account).order_by("pk"):
        raw = event.raw()
        begun = time.perf_counter()
        adapter.parse(raw, config)
        times.append(1000 * (time.perf_counter() - begun))
    return {"p50": percentile(times, 0.5), "p95": percentile(times, 0.95)}
