"""A guest who is away from the app gets the operator's answer as a push, unless the app has fetched it in the meantime."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from core.text import first_line
from omni.models import ChannelAccount, Message, NoticeMedium, Session
from omni.services import notices, push

SECONDS = 20
SHOWN = 200


class AwayPush:
    """Implements omni.followers.Follower: hears only that an answer was sent."""

    def on_sent(self, session: Session, message: Message, *, now: datetime) -> None:
        """The answer is in the chat; after the account's `push_seconds` it is pushed to the devices on which the chat is open."""
        account = session.account
        if account.kind != "mobile" or account.settings.get("never_pushes"):
            return
        if not push.devices_of_identities([session.identity]).exists():
            return
        with translation.override(session.guest.language or None):
            title, text = _title(account), _text(account, message)
        notices.notify(
            guest=session.guest,
            title=title,
            text=text,
            key=f"answer:{message.public_id}",
            channels=[NoticeMedium.PUSH],
            data={"type": "chat", "site_key": str(account.settings.get("site_key") or ""), "seq": str(message.pk)},
            thread=f"session:{session.pk}",
            message=message,
            urgent=True,
            not_before=now + timedelta(seconds=_seconds(account)),
            now=now,
        )

    def holds(self, session: Session) -> bool:
        return False

    def on_inbound(self, session: Session, message: Message, *, now: datetime) -> None: ...
    def on_answered(self, session: Session, message: Message, *, now: datetime) -> None: ...
    def on_unanswered(self, session: Session, message: Message, *, now: datetime) -> None: ...
    def on_parked(self, session: Session, *, now: datetime) -> None: ...
    def on_returned(self, session: Session, *, now: datetime) -> None: ...
    def on_reopened(self, session: Session, *, now: datetime) -> None: ...


def _seconds(account: ChannelAccount) -> float:
    written = account.settings.get("push_seconds")
    return float(written) if isinstance(written, int | float) and written >= 0 else SECONDS


def _title(account: ChannelAccount) -> str:
    titles: Any = account.settings.get("title")
    worded = titles.get(translation.get_language()[:2]) if isinstance(titles, dict) else titles
    return str(worded or account.name)


def _text(account: ChannelAccount, message: Message) -> str:
    shown = "" if account.settings.get("push_hides_text") else first_line(message.visible_text or message.text, SHOWN)
    return shown or _("You have an answer in the chat.")
