"""Comments under the topics of a group: asked for, since the group's webhook tells of messages only.

mediatopic.getTopics and discussions.getComments (https://apiok.ru/dev/methods/rest/discussions/discussions.getComments), the newest
comments first by `order=LAST` as public clients ask. Topics behind the newest TOPICS are not looked at any more. There is no documented
method that writes a comment for a group: the documentation has no page of discussions.addDiscussionComment any more. Nor is there one
that tells where a group is mentioned.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from omni.channels import asking
from omni.channels.contract import AccountConfig, Finding, Inbound, InboundKind, Polled, PollFault, RawEvent, Unreadable
from omni.channels.json_fields import JsonObject, identifier_at, object_at, objects_at, read_object_or_none, text_at
from omni.channels.ok.rest import ask
from omni.channels.ok.updates import FROM_US, Arrival, ignored
from omni.channels.polled_events import event_of
from omni.channels.social.content import labelled

PUBLIC = "comments:"
"""Before the number of a person who comments: never the same dialogue as his messages to the group."""
POLL_SECONDS = 120.0
TOPICS, COMMENTS, MOST_PAGES = 20, 100, 10
FIRST = timedelta(days=1)
CLOCK = ZoneInfo("Europe/Moscow")
"""Comments carry a local time without a zone; the documentation does not say whose."""


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """New comments of the newest topics; nothing without a key for them. The position is each topic's newest time. Raises PollFault."""
    if not account.secrets.get("comments_token"):
        return Polled((), cursor, heals=False)
    group = str(account.settings.get("group_id") or "").strip()
    marks, events = _marks(cursor), []
    start = str(cursor.get("since") or f"{(now - FIRST).astimezone(CLOCK):%Y-%m-%d %H:%M:%S}")
    kept: dict[str, str] = {}
    for topic in _topics(account, group):
        name = identifier_at(topic, "id")
        mark = marks.get(name, start)
        fresh = [comment for comment in _comments(account, name, mark) if text_at(comment, "date") >= mark]
        # The newest comes first; the feed wants the order in which they were written.
        for comment in sorted(fresh, key=lambda one: text_at(one, "date")):
            told = {"group": group, "topic": {"id": name, "title": _title(topic)}, "comment": dict(comment)}
            events.append(event_of(told, now=now))
        kept[name] = max([mark, *(text_at(comment, "date") for comment in fresh)])
    return Polled(events, {"since": start, "topics": kept}, heals=False)


def findings(account: AccountConfig) -> Sequence[Finding]:
    """Whether the topics can be read; nothing without a key for them."""
    if not account.secrets.get("comments_token"):
        return []
    group = str(account.settings.get("group_id") or "").strip()
    return asking.findings(lambda: _topics(account, group), _("Comments under the group's topics can be read."))


def _marks(cursor: Mapping[str, Any]) -> dict[str, str]:
    found = cursor.get("topics")
    return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}


def _topics(account: AccountConfig, group: str) -> Sequence[JsonObject]:
    answer = _object(ask(account, "mediatopic.getTopics", gid=group, count=str(TOPICS)))
    return [topic for topic in objects_at(answer, "media_topics") if identifier_at(topic, "id")]


def _comments(account: AccountConfig, topic: str, mark: str) -> Sequence[JsonObject]:
    """The comments of a topic back to the mark, page by page."""
    found: list[JsonObject] = []
    params = {"discussionId": topic, "discussionType": "GROUP_TOPIC", "count": str(COMMENTS), "order": "LAST"}
    for _page in range(MOST_PAGES):
        answer = _object(ask(account, "discussions.getComments", **params))
        page = objects_at(answer, "comments")
        found += page
        anchor = text_at(answer, "anchor")
        if answer.get("has_more") is not True or not anchor or not page or min(text_at(one, "date") for one in page) < mark:
            break
        params["anchor"] = anchor
    return found


def _object(answer: Any) -> JsonObject:
    if not isinstance(answer, dict):
        raise PollFault(_("The provider's answer cannot be read."))
    return answer


def _title(topic: JsonObject) -> str:
    texts = (text_at(part, "text").strip() for part in objects_at(topic, "media"))
    return next((text.splitlines()[0][:80] for text in texts if text), "")


def told_in(event: RawEvent) -> JsonObject | None:
    """What `poll` made of a comment; None of any other event."""
    found = read_object_or_none(event.body)
    return found if found and object_at(found, "comment") and object_at(found, "topic") else None


def key_of(told: JsonObject) -> str:
    """`comment:<topic>:<comment>`; empty if it has no names."""
    topic, comment = identifier_at(object_at(told, "topic"), "id"), identifier_at(object_at(told, "comment"), "id")
    return f"comment:{topic}:{comment}" if topic and comment else ""


def item_of(told: JsonObject, received_at: datetime) -> Inbound:
    """One comment; who comments is another identity than the same person's messages. Raises Unreadable."""
    key, comment, topic = key_of(told), object_at(told, "comment"), identifier_at(object_at(told, "topic"), "id")
    author, group = identifier_at(comment, "author_id"), identifier_at(told, "group")
    if not key or not author:
        raise Unreadable("a comment without its topic, id or author_id")
    if author.removeprefix("group:") == group:
        return ignored(Arrival(key, received_at), FROM_US)
    page, title = f"https://ok.ru/group/{group}/topic/{topic}", text_at(object_at(told, "topic"), "title")
    return Inbound(
        kind=InboundKind.MESSAGE,
        external_id=key,
        guest_external_id=f"{PUBLIC}{author}",
        sent_at=_time(text_at(comment, "date"), received_at),
        text=text_at(comment, "text") or labelled("вложение", page),
        subject=f"Комментарий: {title} {page}" if title else f"Комментарий: {page}",
        conversation=f"{PUBLIC}{topic}",
        extra={"public": True, "page": page},
    )


def _time(written: str, fallback: datetime) -> datetime:
    try:
        return datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CLOCK).astimezone(UTC)
    except (ValueError, OverflowError):
        return fallback


def name_of(guest: str, account: AccountConfig) -> str:
    """The name of who comments; empty if it is not told."""
    number = guest.removeprefix(PUBLIC)
    if number == guest or not number.isascii() or not number.isdigit():
        return ""
    try:
        people = ask(account, "users.getInfo", uids=number, fields="uid,name")
    except PollFault:
        return ""
    return next((text_at(one, "name") for one in people if isinstance(one, dict)), "") if isinstance(people, list) else ""
