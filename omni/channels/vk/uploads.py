"""Files on their way to a guest: the API names an upload server, the server's answer is saved by the API (https://dev.vk.com/ru/api/upload)."""

from collections.abc import Mapping
from typing import Any

from omni.channels.contract import AccountConfig, Failed, OutgoingFile, Retry
from omni.channels.json_fields import integer_at, object_at, objects_at, text_at
from omni.channels.social.files import upload
from omni.channels.social.sending import NotUploaded
from omni.channels.vk.client import DEFAULT_BASE, Answer, call
from omni.channels.vk.errors import verdict

PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/gif"})
PHOTO_BYTES = 50 * 1024 * 1024


def attached(file: OutgoingFile, peer: str, account: AccountConfig) -> str:
    """The file as `messages.send` names attachments. Raises NotUploaded, httpx.HTTPError, httpx.InvalidURL.

    Upload addresses expire, so each file asks for its own. A picture that VK cannot show goes as a document.
    """
    if file.mime in PHOTO_TYPES and len(file.data) <= PHOTO_BYTES and (photo := _photo(file, peer, account)):
        return photo
    return _document(file, peer, account)


def _photo(file: OutgoingFile, peer: str, account: AccountConfig) -> str:
    """Empty if the upload server made no photo of it."""
    server = _asked(account, "photos.getMessagesUploadServer", {"peer_id": peer})
    taken = upload(account, _address(server), "photo", file, base=DEFAULT_BASE)
    if text_at(taken, "photo") in ("", "[]"):
        return ""
    fields = {"server": integer_at(taken, "server"), "photo": text_at(taken, "photo"), "hash": text_at(taken, "hash")}
    saved = objects_at({"photos": _response(call(account, "photos.saveMessagesPhoto", fields))}, "photos")
    return _name("photo", saved[0] if saved else {})


def _document(file: OutgoingFile, peer: str, account: AccountConfig) -> str:
    server = _asked(account, "docs.getMessagesUploadServer", {"peer_id": peer, "type": "doc"})
    taken = upload(account, _address(server), "file", file, base=DEFAULT_BASE)
    if not text_at(taken, "file"):
        raise NotUploaded(Failed("file_refused", f"{file.name}: {text_at(taken, 'error') or 'the upload server took no file'}"))
    saved = _asked(account, "docs.save", {"file": text_at(taken, "file"), "title": file.name})
    if name := _name("doc", object_at(saved, "doc")):
        return name
    raise NotUploaded(Retry("garbled_answer", "docs.save named no document"))


def _asked(account: AccountConfig, method: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return object_at({"response": _response(call(account, method, fields))}, "response")


def _response(answer: Answer) -> Any:
    if not answer.accepted:
        raise NotUploaded(verdict(answer))
    return answer.response


def _address(server: Mapping[str, Any]) -> str:
    if address := text_at(server, "upload_url"):
        return address
    raise NotUploaded(Retry("garbled_answer", "no address to upload to"))


def _name(kind: str, thing: Mapping[str, Any]) -> str:
    owner, number = integer_at(thing, "owner_id"), integer_at(thing, "id")
    if owner is None or number is None:
        return ""
    key = text_at(thing, "access_key")
    return f"{kind}{owner}_{number}" + (f"_{key}" if key else "")
