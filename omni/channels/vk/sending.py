"""One message out: messages.send for private dialogues, createComment where the guest spoke in public."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import integer_at, object_at, objects_at
from omni.channels.keyboards import Keyboard, listed
from omni.channels.social.sending import NotUploaded, refusal
from omni.channels.vk.client import Answer, call, refused
from omni.channels.vk.errors import NO_KEYBOARD, verdict
from omni.channels.vk.ids import Place, message_id, number_in, place_of
from omni.channels.vk.uploads import attached

CAPABILITIES = Capabilities(
    per_second=20,  # https://dev.vk.com/ru/api/api-requests: a community's key makes 20 calls a second
    # The schema allows 9000, but clients cut what is longer than this.
    text_limit=4096,
    attachments=True,
    attachment_bytes=50 * 1024 * 1024,
    attachments_per_message=10,
    delivery_receipts=True,
    read_receipts=True,
    idempotent_send=True,
    # https://dev.vk.com/ru/api/bots/development/keyboard: ten rows; a row of ours is one button.
    keyboards=(Keyboard(10, 40),),
)


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """One call carries text and files. Sent ids are `<peer>:<number>`, of comments `<area>:<owner>_<thing>:<comment>`."""
    if failed := refusal(outgoing, CAPABILITIES, account, token="access_token"):  # noqa: S106 - the secret's name
        return failed
    place = public_target(outgoing)
    try:
        return _comment(outgoing, place, account) if place else _message(outgoing, account)
    except NotUploaded as fault:
        return fault.result


def public_target(outgoing: Outgoing) -> Place | None:
    """The comment to answer under; None for private dialogues. The recipient alone decides which of the two it is."""
    place = place_of(outgoing.recipient)
    return (place_of(outgoing.reply_to) or place) if place else None


def random_id(key: str) -> int:
    """A non-zero int32 that is the same for the same message of ours: VK ignores repeats of it."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") & 0x7FFFFFFF
    return number or 1


def _message(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    peer = outgoing.recipient.strip()
    if not peer.isascii() or not peer.isdigit():
        return Failed("no_recipient", "the recipient is no dialogue of VK")
    try:
        names = [attached(file, peer, account) for file in outgoing.files]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return NotUploaded(unanswered(error)).result
    fields = {
        "peer_ids": peer,
        "message": outgoing.text if outgoing.text.strip() else "",
        "attachment": ",".join(names),
        "random_id": random_id(outgoing.key),
        "forward": _reply(outgoing.reply_to, peer),
        "disable_mentions": 1,
    }
    if outgoing.choices is None:
        return _posted(account, fields, peer)
    result = _posted(account, fields | {"keyboard": json.dumps(_keyboard(outgoing.choices), ensure_ascii=False)}, peer)
    if isinstance(result, Failed) and result.code in NO_KEYBOARD:
        return _without_keyboard(account, fields, outgoing, peer)
    return result


def _without_keyboard(account: AccountConfig, fields: Mapping[str, Any], outgoing: Outgoing, peer: str) -> SendResult:
    """The same message once more, its answers as lines where they fit: a refused call has used no `random_id` up."""
    written = listed(outgoing.text, outgoing.choices or ())
    fits = len(written) <= (CAPABILITIES.text_limit or 0)
    return _posted(account, {**fields, "message": written if fits else outgoing.text}, peer)


def _posted(account: AccountConfig, fields: Mapping[str, Any], peer: str) -> SendResult:
    return _called(account, "messages.send", fields, lambda answer: _taken(answer, peer))


def _keyboard(labels: Sequence[str]) -> Mapping[str, Any]:
    """Buttons in place of the guest's own keyboard: a pressed one says its label. None of them = those shown before go away."""
    rows = [[{"action": {"type": "text", "label": label, "payload": "{}"}, "color": "secondary"}] for label in labels]
    return {"one_time": True, "buttons": rows}


def _reply(reply_to: str, peer: str) -> str:
    number = number_in(reply_to, peer)
    if number is None:
        return ""
    return json.dumps({"peer_id": int(peer), "conversation_message_ids": [number], "is_reply": 1})


def _taken(answer: Answer, peer: str) -> SendResult:
    """With `peer_ids` the answer is a list: a number in the conversation, or an error, for each recipient."""
    found = objects_at({"sent": answer.response}, "sent")
    if not found:
        return Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)
    if error := object_at(found[0], "error"):
        return verdict(refused(answer.status, error))
    number = integer_at(found[0], "conversation_message_id")
    if number:
        return Sent((message_id(int(peer), number),))
    everywhere = integer_at(found[0], "message_id")
    return Sent((f"{peer}:id{everywhere}",) if everywhere else ())


def _comment(outgoing: Outgoing, place: Place, account: AccountConfig) -> SendResult:
    if outgoing.files:
        return Failed("no_files_in_public", "a community cannot attach files to comments")
    method, fields = _under(place, account)
    fields |= {"message": outgoing.text, "guid": outgoing.key}
    return _called(account, method, fields, lambda answer: _commented(answer, place), public=True)


def _under(place: Place, account: AccountConfig) -> tuple[str, dict[str, Any]]:
    """The method for the area and what names the thing commented, as each documents it."""
    group = str(account.settings.get("group_id") or "")
    answered = place.comment or ""
    common = {"owner_id": place.owner, "reply_to_comment": answered, "from_group": 1}
    if place.area == "wall":
        return "wall.createComment", {**common, "post_id": place.thing, "from_group": group}
    if place.area == "topic":
        return "board.createComment", {"group_id": group, "topic_id": place.thing, "from_group": 1}
    key = {"photo": "photo_id", "video": "video_id", "market": "item_id"}[place.area]
    method = {"photo": "photos", "video": "video", "market": "market"}[place.area]
    return f"{method}.createComment", {**common, key: place.thing}


def _commented(answer: Answer, place: Place) -> SendResult:
    """wall.createComment answers with an object, the others with the number alone."""
    found = {"comment_id": answer.response} if not isinstance(answer.response, dict) else answer.response
    number = integer_at(found, "comment_id")
    if not number:
        return Retry("garbled_answer", "accepted, but the answer names no comment", unknown=True)
    return Sent((str(replace(place, comment=number)),))


def _called(
    account: AccountConfig, method: str, fields: Mapping[str, Any], taken: Callable[[Answer], SendResult], *, public: bool = False
) -> SendResult:
    try:
        answer = call(account, method, fields)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return taken(answer) if answer.accepted else verdict(answer, public=public)
