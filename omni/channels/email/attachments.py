"""Files of a mail: which parts are files, under which safe names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from omni.channels.email.charset import clean
from omni.channels.email.headers import header_text
from omni.channels.email.mime import Part, read_headers, uudecoded
from omni.channels.email.tnef import NotTnef, Tnef, read_tnef

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\u202a-\u202e\u2066-\u2069]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_LONGEST_NAME = 150
_TYPES_BY_EXTENSION = {
    ".eml": "message/rfc822",
    ".txt": "message/delivery-status message/disposition-notification message/feedback-report text/plain",
    ".html": "text/html",
    ".ics": "text/calendar application/ics",
    ".csv": "text/csv",
    ".vcf": "text/vcard text/x-vcard",
    ".jpg": "image/jpeg image/jpg image/pjpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".rtf": "application/rtf",
    ".json": "application/json",
    ".asc": "application/pgp-signature application/pgp-encrypted",
    ".p7m": "application/pkcs7-mime application/x-pkcs7-mime",
    ".p7s": "application/pkcs7-signature application/x-pkcs7-signature",
    ".dat": "application/ms-tnef",
}
_EXTENSIONS = {name: extension for extension, names in _TYPES_BY_EXTENSION.items() for name in names.split()}
_UU_BLOCK = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,200})\n((?:[!-`][ -`]{0,100}\n)+?)(?:`\n|[ ]?\n)?end[ \t]*$", re.MULTILINE)
_TNEF_TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")


@dataclass(frozen=True)
class MailAttachment:
    """A file of a mail: a name that is safe on any disk and unique in the mail, lower-case type, decoded bytes."""

    name: str
    type: str
    data: bytes
    content_id: str = ""
    inline: bool = False

    @property
    def size(self) -> int:
        return len(self.data)


def attachment(part: Part) -> tuple[MailAttachment, str]:
    """A part as a file, and a defect in words (empty = none)."""
    data, defect = part.data()
    name = part.filename
    if part.content_type == "message/rfc822":
        name = _eml_name(name, data)
    if part.content_type == "text/calendar" and not name:
        name = "invite.ics"
    inline = part.disposition == "inline" or (part.parent == "multipart/related" and bool(part.content_id))
    return MailAttachment(name, part.content_type, data, part.content_id, inline), defect


def _eml_name(name: str, data: bytes) -> str:
    if name:
        return name if name.lower().endswith(".eml") else f"{name}.eml"
    headers, _ = read_headers(data, 0, len(data), [])
    return f"{header_text(headers.raw('subject'))[:80]}.eml" if headers.raw("subject") else ""


def is_tnef(part: Part) -> bool:
    return part.content_type in _TNEF_TYPES or part.filename.lower() == "winmail.dat"


def open_tnef(part: Part) -> tuple[Tnef | None, str]:
    """What winmail.dat carries, or None and the reason in words."""
    try:
        return read_tnef(part.data()[0]), ""
    except NotTnef as fault:
        return None, str(fault)


def tnef_files(tnef: Tnef) -> list[MailAttachment]:
    return [MailAttachment(file.name, file.mime.lower() or "application/octet-stream", file.data, file.content_id) for file in tnef.files]


def take_uuencoded(text: str) -> tuple[str, list[MailAttachment]]:
    """The text without its uuencoded blocks, and these as files."""
    if "begin " not in text:
        return text, []
    files: list[MailAttachment] = []

    def take(found: re.Match[str]) -> str:
        files.append(MailAttachment(found[1].strip(), "application/octet-stream", uudecoded(found[2].encode("ascii", "replace"))))
        return ""

    return _UU_BLOCK.sub(take, text), files


def named(files: Iterable[MailAttachment]) -> tuple[MailAttachment, ...]:
    """The files under safe, unique names; missing ones are invented by type, repeated ones numbered."""
    taken: set[str] = set()
    result = []
    for number, file in enumerate(files, 1):
        name = _unique(safe_name(file.name) or _invented(file, number), taken)
        taken.add(name.lower())
        result.append(replace(file, name=name))
    return tuple(result)


def safe_name(written: str) -> str:
    """A file name without path, control and reordering characters, at most 150 characters; empty when nothing is left."""
    name = re.split(r"[/\\]", clean(written))[-1]
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    if not name.strip("_") or _RESERVED.match(name):
        return f"_{name}" if name.strip("_") else ""
    stem, dot, extension = name.rpartition(".")
    if len(name) > _LONGEST_NAME and dot and len(extension) < 16:
        return f"{stem[: _LONGEST_NAME - len(extension) - 1]}.{extension}"
    return name[:_LONGEST_NAME]


def _invented(file: MailAttachment, number: int) -> str:
    kind = file.type.split("/")[0]
    stem = {"image": "image", "audio": "audio", "video": "video", "text": "text", "message": "message"}.get(kind, "file")
    return f"{stem}-{number}{_EXTENSIONS.get(file.type, '.bin' if kind == 'application' else '')}"


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, extension = name.rpartition(".")
    if not (dot and stem):
        stem, dot, extension = name, "", ""
    number, candidate = 1, name
    while candidate.lower() in taken:
        number += 1
        candidate = f"{stem} ({number}){dot}{extension}"
    return candidate
