"""Work of omni outside requests: by id, one service each, safe to run twice. The sweeps find what was forgotten."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from core.locks import only_one
from customers.services import linking
from omni import dispatch
from omni.chat import tokens, uploads
from omni.services import (
    boards,
    calls,
    connections,
    distribution,
    fallbacks,
    files,
    journal,
    naming,
    notice_statuses,
    notices,
    polling,
    presence,
    sending,
    silence,
    templates,
)

# Events of one call: a tenth of a second or so.
DRAIN = 10


@shared_task
def process_event(*, event_id: int, **_kwargs: object) -> None:
    """Turn one journal event into messages and give its dialogue to somebody."""
    journal.process(event_id, now=timezone.now())
    _give_out_after([event_id])


def _give_out_after(event_ids: list[int]) -> None:
    for group in boards.groups_called_by(event_ids):
        distribution.try_give_out(group_id=group, now=timezone.now())


@shared_task
def drain_journal(**_kwargs: object) -> None:
    """Process what has come in, a few at a time: what waits in the other queues, our own answers first of all, has its turn between."""
    dispatch.woken("omni.tasks.drain_journal")
    left = journal.find_left_behind(now=timezone.now(), older_than=timedelta(0), limit=DRAIN)
    ended = [journal.process(event_id, now=timezone.now()) for event_id in left]
    _give_out_after(left)
    if len(left) == DRAIN and any(ended):  # else it was all there is, or others are at work on it
        dispatch.wake("omni.tasks.drain_journal")


@shared_task
def sweep_journal(**_kwargs: object) -> None:
    """Process events whose process died or whose call the queue lost."""
    with only_one("omni.sweep_journal") as mine:
        while mine and (left := journal.find_left_behind(now=timezone.now())):
            for event_id in left:
                journal.process(event_id, now=timezone.now())
            _give_out_after(left)


@shared_task
def name_guest(*, identity_id: int, **_kwargs: object) -> None:
    """Ask the provider who a guest without a name is."""
    naming.name_guest(identity_id, now=timezone.now())


@shared_task
def poll_account(*, account_id: int, **_kwargs: object) -> None:
    """Ask one account's provider what is new."""
    polling.poll(account_id, now=timezone.now())


@shared_task
def sweep_polls(**_kwargs: object) -> None:
    """Call up the questions that are due; a slow provider must not hold up the others."""
    with only_one("omni.sweep_polls") as mine:
        for account_id in polling.find_due(now=timezone.now()) if mine else ():
            dispatch.after_commit("omni.tasks.poll_account", expires=60, account_id=account_id)


@shared_task
def send_attempt(*, attempt_id: int, **_kwargs: object) -> None:
    """Send one message."""
    sending.send(attempt_id, now=timezone.now())


@shared_task
def sweep_attempts(**_kwargs: object) -> None:
    """Send what is due and was not called up; settle what a dead worker held."""
    with only_one("omni.sweep_attempts") as mine:
        if mine:
            sending.recover_lost(now=timezone.now())
            sending.settle_early(now=timezone.now())
            fallbacks.sweep(now=timezone.now())
            # Called up, not sent here: one slow mail server must not hold up the other channels.
            for attempt_id in sending.find_due(now=timezone.now()):
                dispatch.after_commit("omni.tasks.send_attempt", expires=60, attempt_id=attempt_id)


@shared_task
def fall_back(*, fallback_id: int, **_kwargs: object) -> None:
    """Send what failed through the next channel of the queue's rule."""
    fallbacks.run(fallback_id, now=timezone.now())


@shared_task
def send_notice(*, notice_id: int, **_kwargs: object) -> None:
    """Tell one notice."""
    notices.send(notice_id, now=timezone.now())


@shared_task
def ask_about_notice(*, attempt_id: int, **_kwargs: object) -> None:
    """Ask a vendor what became of one try."""
    notice_statuses.ask(attempt_id, now=timezone.now())


@shared_task
def sweep_notices(**_kwargs: object) -> None:
    """Tell what is due and was not called up; settle what a dead worker held; ask about what nobody told of."""
    with only_one("omni.sweep_notices") as mine:
        if mine:
            now = timezone.now()
            notices.recover_lost(now=now)
            for notice_id in notices.find_due(now=now):
                dispatch.after_commit("omni.tasks.send_notice", expires=60, notice_id=notice_id)
            for attempt_id in notice_statuses.find_unanswered(now=now):
                dispatch.after_commit("omni.tasks.ask_about_notice", expires=60, attempt_id=attempt_id)


@shared_task
def fetch_attachment(*, attachment_id: int, **_kwargs: object) -> None:
    """Bring one file over."""
    files.fetch(attachment_id, now=timezone.now())


@shared_task
def sweep_attachments(**_kwargs: object) -> None:
    """Bring over files that still wait."""
    with only_one("omni.sweep_attachments") as mine:
        for attachment_id in files.find_due(now=timezone.now() - timedelta(seconds=5)) if mine else ():
            files.fetch(attachment_id, now=timezone.now())


@shared_task
def link_guest(*, identity_id: int, **_kwargs: object) -> None:
    """Join the guest of a verified identity to the one who is known already, if a rule says so."""
    linking.link(identity_id, now=timezone.now())


@shared_task
def sweep_links(**_kwargs: object) -> None:
    """Look at verified identities whose call was lost."""
    with only_one("omni.sweep_links") as mine:
        for identity_id in linking.find_due() if mine else ():
            linking.link(identity_id, now=timezone.now())


@shared_task
def renew_webhooks(**_kwargs: object) -> None:
    """Tell the providers our address that have given it up after failures."""
    with only_one("omni.renew_webhooks") as mine:
        for account_id in connections.find_forgetting() if mine else ():
            connections.renew(account_id)


@shared_task
def sweep_templates(**_kwargs: object) -> None:
    """Ask the providers what became of the texts that need their leave."""
    with only_one("omni.sweep_templates") as mine:
        for account_id in templates.find_accounts() if mine else ():
            templates.compare(account_id, now=timezone.now())


@shared_task
def watch_silence(**_kwargs: object) -> None:
    """Count the hours that have passed, and judge each account's silence."""
    with only_one("omni.watch_silence") as mine:
        if mine:
            silence.count_hours(now=timezone.now())
            silence.watch(now=timezone.now())


@shared_task
def acknowledge_event(*, event_id: int, **_kwargs: object) -> None:
    """Tell the provider what it waits for beside our answer to its event."""
    journal.acknowledge(event_id)


@shared_task
def sweep_presence(**_kwargs: object) -> None:
    """Count silent screens as away."""
    presence.sweep(now=timezone.now())


@shared_task
def sweep_offers(**_kwargs: object) -> None:
    """End the offers nobody answered and the after-work that is over, and give out what waits for it."""
    with only_one("omni.sweep_offers") as mine:
        if mine:
            distribution.after_changes(now=timezone.now())


@shared_task
def distribute_waiting(**_kwargs: object) -> None:
    """Give out what still waits, whoever forgot to."""
    dispatch.woken("omni.tasks.distribute_waiting")
    for group in distribution.groups_waiting():
        distribution.try_give_out(group_id=group, now=timezone.now())


@shared_task
def purge_chat(**_kwargs: object) -> None:
    """Remove what visitors of the web chat left: files no message names, tokens and nonces that have ended; and statuses of nothing."""
    with only_one("omni.purge_chat") as mine:
        while mine and uploads.purge(now=timezone.now()):
            pass
        if mine:
            tokens.purge(now=timezone.now())
            sending.forget_early(now=timezone.now())


@shared_task
def sweep_calls(**_kwargs: object) -> None:
    """End the calls whose end the exchange never told."""
    with only_one("omni.sweep_calls") as mine:
        for call_id in calls.find_lost(now=timezone.now()) if mine else ():
            calls.close_lost(call_id, now=timezone.now())
