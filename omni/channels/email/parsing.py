"""A mail's bytes as what the platform knows of it. Never raises, whatever the bytes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from omni.channels.email.addresses import Address, parse_addresses
from omni.channels.email.attachments import MailAttachment, attachment, is_tnef, named, open_tnef, take_uuencoded, tnef_files
from omni.channels.email.body import Body, compose_body, is_body
from omni.channels.email.charset import decode
from omni.channels.email.headers import Headers, mail_date, message_ids
from omni.channels.email.html import html_to_text, safe_html, tidy
from omni.channels.email.mime import MimeTree, Part, split_mime
from omni.channels.email.quotes import visible_text

T = TypeVar("T")

_REPORT_TYPES = (
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
    "message/rfc822",
    "text/rfc822-headers",
)
_LONGEST_TEXT = 1_000_000
_SMIME = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SMIME_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature")


@dataclass(frozen=True)
class ReportPart:
    """A machine-readable part of a report: its type and decoded bytes."""

    type: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """A mail as understood. Ids are without angle brackets; empty strings and tuples mean absent.

    `text` is the whole body, `visible_text` the body without quotes and signature, `html` the safe HTML (cid: images kept,
    remote ones blocked: `blocked_images`). `protection` is "", "pgp-signed", "pgp-encrypted", "smime-signed" or "smime-encrypted":
    such parts are kept raw as files. `defects` tells in words what was wrong and how it was read.
    """

    headers: Headers = field(default_factory=Headers)
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    subject: str = ""
    sender: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[Address, ...] = ()
    return_path: str | None = None
    """The envelope sender: None = header absent, "" = null sender."""
    date: datetime | None = None
    text: str = ""
    html: str = ""
    visible_text: str = ""
    blocked_images: int = 0
    attachments: tuple[MailAttachment, ...] = ()
    reports: tuple[ReportPart, ...] = ()
    report_type: str = ""
    protection: str = ""
    defects: tuple[str, ...] = ()


def parse_mail(raw: bytes) -> Mail:
    """The mail of `raw`: any bytes at all, of any size. Never raises; what could not be read is told in `defects`."""
    defects: list[str] = [] if raw else ["empty mail"]
    tree = _attempt("structure", defects, lambda: split_mime(raw), None)
    if tree is None:
        text = decode(raw[:100_000]).text
        return Mail(text=text, visible_text=text, defects=tuple(defects))
    defects.extend(tree.defects)
    content = _attempt("contents", defects, lambda: _content(tree, defects), _Content())
    return _mail(tree, content, defects)


def _attempt(what: str, defects: list[str], read: Callable[[], T], otherwise: T) -> T:
    """The one place where a fault nobody thought of becomes a defect: a mail must never block those behind it."""
    try:
        return read()
    except Exception as fault:  # noqa: BLE001 - the promise of this module is that no mail raises
        defects.append(f"{what} not read: {type(fault).__name__}")
        return otherwise


@dataclass(frozen=True)
class _Content:
    text: str = ""
    html: str = ""
    visible: str = ""
    blocked_images: int = 0
    attachments: tuple[MailAttachment, ...] = ()
    reports: tuple[ReportPart, ...] = ()
    protection: str = ""


def _mail(tree: MimeTree, content: _Content, defects: list[str]) -> Mail:
    headers = tree.headers

    def addresses(name: str) -> tuple[Address, ...]:
        return _attempt(name, defects, lambda: tuple(one for value in headers.raw_all(name) for one in parse_addresses(value)), ())

    date = _attempt("date", defects, lambda: mail_date(headers.raw("date")), None)
    if date is None:
        defects.append("unreadable date" if headers.raw("date") else "no date")
    ids = message_ids(headers.raw("message-id"))
    if not ids:
        defects.append("no message id")
    sender = addresses("from")
    if not sender:
        defects.append("no sender")
    return Mail(
        headers=headers,
        message_id=ids[0] if ids else "",
        in_reply_to=tuple(message_ids(headers.raw("in-reply-to"))),
        references=tuple(message_ids(headers.raw("references"))),
        subject=_attempt("subject", defects, lambda: headers.text("subject"), ""),
        sender=sender,
        reply_to=addresses("reply-to"),
        to=addresses("to"),
        cc=addresses("cc"),
        delivered_to=(*addresses("delivered-to"), *addresses("x-original-to"), *addresses("envelope-to")),
        return_path=_return_path(headers),
        date=date,
        text=content.text,
        html=content.html,
        visible_text=content.visible,
        blocked_images=content.blocked_images,
        attachments=content.attachments,
        reports=content.reports,
        report_type=tree.parameters.get("report-type", "").lower() if tree.content_type == "multipart/report" else "",
        protection=content.protection,
        defects=tuple(dict.fromkeys(defects)),
    )


def _return_path(headers: Headers) -> str | None:
    if "return-path" not in headers:
        return None
    found = parse_addresses(headers.raw("return-path"))
    return found[0].address if found else ""


def _content(tree: MimeTree, defects: list[str]) -> _Content:
    bodies, others = _sorted_parts(tree.parts)
    body = _attempt("body", defects, lambda: compose_body(bodies), Body("", "", False))
    defects.extend(body.defects)
    files = [file for part in others for file in _files(part, defects)]
    if not body.text and not body.html:
        body = _tnef_body(others)
    text, embedded = take_uuencoded(body.text)
    refused: list[MailAttachment] = []
    safe = safe_html(body.html) if body.html else None
    if safe and safe.refused:
        defects.append(safe.refused)
        refused.append(MailAttachment("message.html", "text/html", body.html.encode()))
    if len(text) > _LONGEST_TEXT:
        defects.append("text over 1 MB is cut and kept whole as a file")
        refused.append(MailAttachment("message.txt", "text/plain", text.encode()))
    text = tidy(text[:_LONGEST_TEXT])
    visible = _attempt("quotes", defects, lambda: visible_text(text, "" if refused else body.html, body.from_html), text)
    return _Content(
        text=text,
        html=safe.html if safe else "",
        visible=visible,
        blocked_images=safe.blocked_images if safe else 0,
        attachments=named([*files, *embedded, *refused]),
        reports=tuple(ReportPart(part.content_type, part.data()[0]) for part in tree.parts if part.content_type in _REPORT_TYPES),
        protection=_protection(tree, text),
    )


def _sorted_parts(parts: tuple[Part, ...]) -> tuple[list[Part], list[Part]]:
    """The parts of the body and all others."""
    bodies: list[Part] = []
    others: list[Part] = []
    for part in parts:
        (bodies if is_body(part, not bodies) else others).append(part)
    return bodies, others


def _files(part: Part, defects: list[str]) -> list[MailAttachment]:
    if is_tnef(part):
        tnef, fault = open_tnef(part)
        if tnef is not None:
            return tnef_files(tnef)
        defects.append(fault)
    file, defect = attachment(part)
    if defect:
        defects.append(defect)
    return [file]


def _tnef_body(others: list[Part]) -> Body:
    """The body of a mail that has it only inside winmail.dat."""
    for part in others:
        tnef = open_tnef(part)[0] if is_tnef(part) else None
        if tnef and (tnef.text or tnef.html):
            return Body(tidy(tnef.text) or html_to_text(tnef.html), tnef.html, not tnef.text)
    return Body("", "", False)


def _protection(tree: MimeTree, text: str) -> str:
    types = {part.content_type for part in tree.parts}
    if (
        "multipart/encrypted" in tree.multiparts
        or "application/pgp-encrypted" in types
        or re.search(r"^-----BEGIN PGP MESSAGE-----", text, re.M)
    ):
        return "pgp-encrypted"
    for part in tree.parts:
        if part.content_type in _SMIME:
            return "smime-signed" if part.parameters.get("smime-type", "").lower() == "signed-data" else "smime-encrypted"
    if types & set(_SMIME_SIGNATURES):
        return "smime-signed"
    if "application/pgp-signature" in types or re.search(r"^-----BEGIN PGP SIGNED MESSAGE-----", text, re.M):
        return "pgp-signed"
    return ""
