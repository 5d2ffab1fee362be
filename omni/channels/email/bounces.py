"""Delivery reports: whose mail was not delivered, why, and for good or for now (RFC 3464; Exim, qmail and free texts)."""

import re
from dataclasses import dataclass

from omni.channels.email.headers import Headers, header_text, message_ids
from omni.channels.email.mime import read_headers
from omni.channels.email.parsing import Mail, ReportPart

_DELIVERED = ("delivered", "relayed", "expanded")
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_ORIGINAL_TYPES = ("message/rfc822", "text/rfc822-headers")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<!\d)([45])(\d)(\d)[ -](?=\D)")
# Bounded, and tried at the beginning of a word alone: a text of one long word is no reason to look at it again from each letter.
_ADDRESS = re.compile(r"(?<![\w.+'=-])[\w.+'=-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}")
_DAEMON = re.compile(r"(?:mailer-daemon|postmaster|mail-?daemon|mdaemon)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|returned mail|delivery (?:status|failure|has failed|problem|report)|mail delivery|failure notice|"
    r"not delivered|could not be delivered|не(?:возможно| удалось| может быть)? ?доставл?|недоставлен|ошибка доставки|"
    r"возвращ[её]н|отч[её]т о (?:не)?доставке|сообщение не доставлено",
    re.IGNORECASE,
)
_MESSAGE_ID_LINE = re.compile(r"^[> \t]*message-id:\s*<([^<>\s]+)>", re.IGNORECASE | re.MULTILINE)
_LONGEST_DIAGNOSTIC = 500


@dataclass(frozen=True)
class Bounce:
    """A delivery report on one of our mails.

    `recipient` is the address it was for (empty = unknown), `status` the enhanced code (RFC 3463, e.g. "5.1.1", empty = unknown),
    `action` failed | delayed | delivered ..., `original_message_id` our mail's id without brackets (empty = unknown).
    """

    recipient: str
    status: str
    action: str
    diagnostic: str
    original_message_id: str

    @property
    def permanent(self) -> bool:
        """Whether the same mail would fail again: a 5.x.x failure, except a full mailbox (5.2.2)."""
        return self.action == "failed" and not self.status.startswith("4") and self.status != "5.2.2"

    @property
    def address_invalid(self) -> bool:
        """Whether the address itself is wrong (5.1.x): nothing more may be sent to it."""
        return self.permanent and self.status.startswith("5.1.")

    @property
    def delivered(self) -> bool:
        return self.action in _DELIVERED


def read_bounce(mail: Mail) -> Bounce | None:
    """The delivery report a mail is, None when it is none."""
    status = next((report for report in mail.reports if report.type in _STATUS_TYPES), None)
    if status is not None:
        return _from_report(mail, status)
    failed = mail.headers.text("x-failed-recipients")
    if failed or _is_daemons(mail):
        return _from_text(mail, failed)
    return None


def _is_daemons(mail: Mail) -> bool:
    """A mail of a delivery program without a report: its sender and its subject or text must both say so."""
    daemon = any(_DAEMON.match(one.address) for one in mail.sender)
    empty_sender = mail.return_path == ""
    about = bool(_SUBJECT.search(mail.subject)) or mail.report_type == "delivery-status"
    return (daemon and (about or empty_sender)) or (empty_sender and about)


def _from_report(mail: Mail, report: ReportPart) -> Bounce:
    blocks = _blocks(report.data)
    block = max(blocks, key=_weight) if blocks else Headers()
    diagnostic = _typed(block, "diagnostic-code")[:_LONGEST_DIAGNOSTIC]
    found = _STATUS.search(block.text("status")) or _STATUS.search(diagnostic)
    recipient = _typed(block, "final-recipient") or _typed(block, "original-recipient")
    return Bounce(
        recipient=_plain(recipient) or _plain(mail.headers.text("x-failed-recipients")),
        status=found.group() if found else "",
        action=block.token("action") or ("failed" if not found or found[1] == "5" else "delayed"),
        diagnostic=diagnostic,
        original_message_id=_original_id(mail),
    )


def _blocks(data: bytes) -> list[Headers]:
    """The per-recipient groups of a delivery-status part (the first group is about the message)."""
    groups = re.split(rb"(?:\r?\n[ \t]*){2,}", data.strip())
    blocks = [read_headers(group, 0, len(group), [])[0] for group in groups[:200] if group.strip()]
    return [block for block in blocks if "final-recipient" in block or "action" in block or "status" in block]


def _weight(block: Headers) -> int:
    """Of several recipients the failed one counts."""
    return {"failed": 2, "delayed": 1}.get(block.token("action"), 0)


def _typed(block: Headers, name: str) -> str:
    """The value behind «rfc822;» or «smtp;»."""
    kind, semicolon, value = block.text(name).partition(";")
    return (value if semicolon else kind).strip()


def _plain(address: str) -> str:
    found = _ADDRESS.search(address)
    return found.group().lower() if found else ""


def _from_text(mail: Mail, failed: str) -> Bounce:
    """A report in free words: the first status or reply code with its line, and the first address that is not the daemon's."""
    status, line = _status_in(mail.text)
    addresses = [address.lower() for address in _ADDRESS.findall(mail.text) if not _DAEMON.match(address)]
    ours = {one.address.lower() for one in (*mail.to, *mail.sender)}
    recipient = _plain(failed) or next((address for address in addresses if address not in ours), "")
    return Bounce(recipient, status, "delayed" if status.startswith("4") else "failed", line[:_LONGEST_DIAGNOSTIC], _original_id(mail))


def _status_in(text: str) -> tuple[str, str]:
    """The first enhanced status, else the first SMTP reply code as one, and the line it stands in."""
    found = _STATUS.search(text) or _REPLY_CODE.search(text)
    if found is None:
        return "", ""
    line = text[text.rfind("\n", 0, found.start()) + 1 :].split("\n", 1)[0].strip()
    return (found.group() if found.re is _STATUS else f"{found[1]}.0.0"), line


def _original_id(mail: Mail) -> str:
    """The id of the mail that was not delivered: from the enclosed original, its headers in the text, or what the report answers."""
    for report in mail.reports:
        if report.type in _ORIGINAL_TYPES:
            headers, _ = read_headers(report.data, 0, len(report.data), [])
            ids = message_ids(headers.raw("message-id"))
            if ids:
                return ids[0]
    found = _MESSAGE_ID_LINE.search(mail.text)
    if found:
        return header_text(found[1].encode())
    return next(iter((*mail.in_reply_to, *mail.references[-1:])), "")
