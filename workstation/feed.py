"""The guest's feed as the screen shows it: days, dialogues, bubbles, notes, files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from omni.channels.registry import adapter_for
from omni.models import Attachment, Message
from omni.services.files import SHOWN_INLINE
from omni.states import Direction, FileState, SendState
from tickets.services.chains import quoted_in
from workstation.wording import SEND_WORDS, channel_name

# How the four marks of an outgoing bubble look.
_MARKS = {
    SendState.QUEUED: "wait", SendState.SENDING: "wait", SendState.SENT: "sent", SendState.DELIVERED: "delivered",
    SendState.READ: "read", SendState.FAILED: "failed", SendState.CANCELLED: "cancelled",
}  # fmt: skip


# An answer that is still not sent after so long is worth asking why.
LATE = timedelta(seconds=30)


@dataclass(frozen=True)
class FileView:
    """A file of a message: its address, and whether it may be shown in the page."""

    name: str
    url: str
    size: str
    is_image: bool
    state: str
    """Why there is nothing to open; empty = the file is here."""


@dataclass(frozen=True)
class Entry:
    """One entry of the feed, texts ready to print."""

    id: int
    session_id: int
    direction: str
    text: str | SafeString
    order: str = ""
    day: str = ""
    time: str = ""
    iso: str = ""
    who: str = ""
    channel: str = ""
    channel_name: str = ""
    quote: str = ""
    subject: str = ""
    is_edited: bool = False
    is_deleted: bool = False
    is_automatic: bool = False
    mark: str = ""
    state_word: str = ""
    error: str = ""
    doubt: str = ""
    """The guest may have got the message although nobody can know."""
    explains: bool = False
    """Its way out is worth a word: it failed, is doubtful, or takes long."""
    undo_until: str = ""
    day_label: str = ""
    session_label: str = ""
    is_first_unread: bool = False
    is_said: bool = False
    """A guest's word: their message, or the note that quotes the guest of a joined ticket."""
    files: Sequence[FileView] = ()


def entries(messages: Iterable[Message], *, after: Message | None = None, unread: int = 0, unread_session: int = 0) -> list[Entry]:
    """The messages, oldest first, as entries. `after` is the message before the first one: it decides whether a day begins.

    The last `unread` messages of the guest in `unread_session` count as new: the divider stands before the first of them.
    """
    shown, previous = list(messages), after
    first_new = _first_unread(shown, unread, unread_session)
    found = []
    for message in shown:
        found.append(_entry(message, previous, is_first_unread=message.pk == first_new))
        previous = message
    return found


def blank_entry() -> Entry:
    """An outgoing entry with nothing in it: the markup that the script clones for a message not yet accepted."""
    return Entry(id=0, session_id=0, direction="out", text=" ", mark="wait", state_word=str(SEND_WORDS[SendState.QUEUED]))


def _first_unread(messages: Sequence[Message], unread: int, session_id: int) -> int | None:
    new = [message.pk for message in messages if message.direction == Direction.IN and message.session_id == session_id]
    return new[-unread:][0] if unread and new else None


def _entry(message: Message, previous: Message | None, *, is_first_unread: bool) -> Entry:
    local = timezone.localtime(message.sent_at)
    text, quote = _parts(message)
    letter = getattr(message, "letter", None)
    return Entry(
        id=message.pk,
        session_id=message.session_id,
        direction=message.direction,
        order=f"{message.sent_at.timestamp():017.6f}~{message.sequence:020d}~{message.pk:020d}",
        day=local.date().isoformat(),
        time=f"{local:%H:%M}",
        iso=message.sent_at.isoformat(),
        who=_who(message),
        channel=message.account.kind,
        channel_name=channel_name(message.account.kind),
        text=text,
        quote=quote,
        subject=letter.subject if letter else "",
        is_edited=message.edited_at is not None,
        is_deleted=message.deleted_at is not None,
        is_automatic=message.is_automatic and message.direction != Direction.SYSTEM,
        mark=_MARKS.get(SendState(message.send_state), ""),
        state_word=str(SEND_WORDS.get(message.send_state, "")),
        error=message.send_error,
        doubt=_doubt(message),
        explains=_explains(message),
        undo_until=_undo_until(message),
        day_label=_day_label(local.date(), previous),
        session_label=_session_label(message, previous),
        is_first_unread=is_first_unread,
        is_said=message.direction == Direction.IN or (message.direction == Direction.NOTE and quoted_in(message) is not None),
        files=[_file(row) for row in message.attachments.all()],
    )


def _who(message: Message) -> str:
    if message.direction == Direction.IN:
        return ""
    if message.is_outside:
        return _("Answered outside Otklik")
    return message.author.full_name if message.author else _("Otklik")


def _parts(message: Message) -> tuple[str | SafeString, str]:
    """What was newly written, and what is quoted below it."""
    new = message.visible_text.strip()
    quote = message.text.strip() if new and new != message.text.strip() else ""
    text = new or message.text
    has_link = "://" in text or "www." in text
    return (mark_safe(urlize(text, nofollow=True, autoescape=True)) if has_link else text), quote  # noqa: S308  escaped by urlize


def _doubt(message: Message) -> str:
    if not message.possibly_delivered:
        return ""
    arrived = message.send_state in {SendState.SENT, SendState.DELIVERED, SendState.READ}
    return _("may have arrived twice") if arrived else _("may have arrived all the same")


def _explains(message: Message) -> bool:
    if message.direction != Direction.OUT:
        return False
    late = message.send_state in {SendState.QUEUED, SendState.SENDING} and timezone.now() - message.received_at > LATE
    return late or message.possibly_delivered or message.send_state == SendState.FAILED


def _undo_until(message: Message) -> str:
    if message.send_state != SendState.QUEUED or message.direction != Direction.OUT:
        return ""
    held = adapter_for(message.account.kind).capabilities.undo_seconds
    return (message.received_at + timedelta(seconds=held)).isoformat() if held else ""


def _day_label(day: date, previous: Message | None) -> str:
    if previous is not None and timezone.localtime(previous.sent_at).date() == day:
        return ""
    today = timezone.localdate()
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(day, "j E" if day.year == today.year else "j E Y")


def _session_label(message: Message, previous: Message | None) -> str:
    """A thin line where the conversation moves to another dialogue."""
    if previous is not None and previous.session_id == message.session_id:
        return ""
    return _("Dialogue %(number)s · %(channel)s") % {"number": message.session_id, "channel": channel_name(message.account.kind)}


def _file(row: Attachment) -> FileView:
    stored = row.state == FileState.STORED
    return FileView(
        name=row.name or _("File"),
        url=reverse("desk_file", kwargs={"public_id": row.public_id}) if stored else "",
        size=file_size(row.size),
        is_image=stored and row.mime in SHOWN_INLINE,
        state="" if stored else str(FileState(row.state).label),
    )


def list_files(message: Message) -> list[dict[str, str]]:
    """The stored files of a message for a script that fetches them: name and address."""
    files = (_file(row) for row in message.attachments.order_by("pk"))
    return [{"name": file.name, "url": file.url} for file in files if file.url]


def file_size(size: int | None) -> str:
    """Bytes in the unit that people read."""
    if size is None:
        return ""
    if size < 1024 * 1024:
        return _("%(size)s KB") % {"size": max(1, round(size / 1024))}
    return _("%(size)s MB") % {"size": round(size / 1024 / 1024, 1)}


def newest_id(messages: Sequence[Message]) -> int:
    """Id of the newest message on the screen: what an answer has seen."""
    return max((message.pk for message in messages), default=0)


def day_of(at: datetime) -> str:
    """A local date in words."""
    return date_format(timezone.localtime(at), "j E Y")


def moment(at: datetime | None) -> str:
    """A local time in words short enough for a list: the hour today, the day else."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else date_format(local, "j E H:i")
