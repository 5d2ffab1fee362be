"""The e-mail channel: an event is one mail's exact bytes, fetched by IMAP; answers go out by SMTP."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentKind,
    AttachmentTooLarge,
    Capabilities,
    DeliveryState,
    Failed,
    Finding,
    Inbound,
    InboundAttachment,
    InboundKind,
    Outgoing,
    RawEvent,
    Reason,
    SendResult,
)
from omni.channels.email import checking, machine
from omni.channels.email.account import FORM
from omni.channels.email.addresses import Address, parse_addresses
from omni.channels.email.attachments import MailAttachment
from omni.channels.email.bounces import Bounce
from omni.channels.email.fetching import DEFAULT_SIZE_LIMIT, ImapSettings
from omni.channels.email.headers import message_ids
from omni.channels.email.mime import read_headers
from omni.channels.email.oauth import OAUTH, key_source
from omni.channels.email.parsing import Mail, parse_mail
from omni.channels.email.sending import NotSendable, Sender, SmtpSettings, compose, deliver
from omni.channels.email.threading import bare_subject, return_address, returned_keys, thread_keys

TOO_LARGE_HEADER = "x-mail-too-large"
"""Set on an event that holds a mail's headers alone: its size in bytes."""

_LONGEST_KEY = 200
LOCAL_PART = 64
"""Characters that a server must take before the @ (RFC 5321 4.5.3.1)."""
_CLOCK_SLACK = timedelta(minutes=10)
_LONGEST_WAY = timedelta(days=365)
"""Servers give a mail up after days: an older date is of a computer whose clock was reset, and would hide the mail far up in the feed."""
_KINDS = {
    machine.AUTO_REPLY: InboundKind.AUTO_REPLY,
    machine.BOUNCE: InboundKind.BOUNCE,
    machine.RECEIPT: InboundKind.IGNORED,
    machine.COMPLAINT: InboundKind.IGNORED,
    machine.LOOP: InboundKind.IGNORED,
}
_ATTACHMENT_KINDS = {"image": AttachmentKind.IMAGE, "video": AttachmentKind.VIDEO, "audio": AttachmentKind.AUDIO}


class EmailAdapter:
    """Adapter of e-mail. Account settings: address, aliases[], name, subject, domain, verp (flag), size_limit (bytes), ca_file,
    imap{host, port, tls, user, folder}, smtp{host, port, tls, user}; `tls` is "tls", "starttls" or "none"; sign_in empty (password) or
    "oauth2" with oauth{token_address, client_id, scope}.
    Secrets: imap_password, smtp_password, thread_key, oauth_client_secret, oauth_refresh_token.
    """

    kind = "email"
    form = FORM
    capabilities = Capabilities(
        attachments=True,
        attachment_bytes=25 * 1024 * 1024,
        attachments_per_message=20,
        subject=True,
        undo_seconds=5,
        idempotent_send=False,
    )

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Mail carries no signature of a provider: we fetched it ourselves, everything is accepted."""

    def event_key(self, event: RawEvent) -> str:
        """`message-id:<id>` of a mail, or `sha256:<digest>` of its sender, date, subject and body when it has no id. Never raises."""
        headers, body = read_headers(event.body, 0, len(event.body), [])
        ids = _ids(headers.raw("message-id"))
        if ids and len(ids) <= _LONGEST_KEY:
            return f"message-id:{ids}"
        digest = hashlib.sha256()
        for part in (headers.raw("from"), headers.raw("date"), headers.raw("subject"), ids.encode() or event.body[body:]):
            digest.update(len(part).to_bytes(8, "big") + part)
        return f"sha256:{digest.hexdigest()}"

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Exactly one item: MESSAGE, AUTO_REPLY, BOUNCE, or IGNORED for receipts, complaints and our own loop. Never raises.

        `extra` holds: may_auto_answer and why_no_auto_answer, to, cc, delivered_to, references (ids of anybody), defects, protection,
        blocked_images, too_large, and bounce{recipient, status, action, permanent, address_invalid, diagnostic, original_message_id}.
        """
        mail = parse_mail(event.body)
        own = own_addresses(account)
        verdict = machine.classify(mail, own_addresses=own, own_domains=own_domains(account))
        if verdict.bounce:
            return [self._bounce(mail, verdict.bounce, event, account)]
        return [self._message(mail, verdict, event, account)]

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Files come along with the mail: there is nothing to fetch. Raises AttachmentTooLarge, AttachmentGone."""
        if attachment.data is None:
            raise AttachmentGone(attachment.name)
        if len(attachment.data) > limit:
            raise AttachmentTooLarge(attachment.name)
        return attachment.data

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Compose and hand over one mail. `outgoing.token` is the session's id, `outgoing.key` the message's."""
        try:
            mail = compose(outgoing, sender(account), now=timezone.now())
        except NotSendable as fault:
            return Failed("address", str(fault), Reason.REJECTED)
        return deliver(mail, smtp_settings(account), envelope_sender=_return_address(outgoing, account))

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Both servers are asked to let us in; a mailbox has no webhook, so `address` says nothing here."""
        return checking.findings(imap_settings(account), smtp_settings(account))

    def _message(self, mail: Mail, verdict: machine.Verdict, event: RawEvent, account: AccountConfig) -> Inbound:
        key = self.event_key(event)
        guest = guest_address(mail, own_addresses(account))
        threads = thread_keys(mail, account.secrets.get("thread_key", ""), own_domains(account))
        note = _too_large_note(event, account)
        return Inbound(
            kind=_KINDS.get(verdict.machine or "", InboundKind.MESSAGE),
            external_id=key.removeprefix("message-id:"),
            guest_external_id=guest.address.lower() if guest else _stranger(key),
            guest_name=guest.name if guest else "",
            email=guest.address.lower() if guest else "",
            sent_at=_sent_at(mail.date, event.received_at),
            subject=mail.subject,
            text=note or mail.text,
            visible_text=note or mail.visible_text,
            html="" if note else mail.html,
            attachments=() if note else tuple(_attachment(number, file) for number, file in enumerate(mail.attachments)),
            reply_to=next(iter(mail.in_reply_to), ""),
            thread_keys=tuple(str(one) for one in threads.keys),
            machine=verdict.machine,
            extra=_extra(mail, verdict, threads.defects) | {"too_large": bool(note)},
        )

    def _bounce(self, mail: Mail, bounce: Bounce, event: RawEvent, account: AccountConfig) -> Inbound:
        key = self.event_key(event)
        original = Mail(in_reply_to=(bounce.original_message_id,)) if bounce.original_message_id else Mail()
        secret, domains = account.secrets.get("thread_key", ""), own_domains(account)
        # The address it came back to is ours alone; what it says of the original may be cut or lost.
        back, threads = returned_keys(mail, secret, domains), thread_keys(original, secret, domains)
        verdict = machine.Verdict(machine.BOUNCE, bounce, ("it is a machine's mail: bounce",))
        return Inbound(
            kind=InboundKind.BOUNCE,
            external_id=key.removeprefix("message-id:"),
            guest_external_id=bounce.recipient or _stranger(key),
            email=bounce.recipient,
            sent_at=_sent_at(mail.date, event.received_at),
            subject=mail.subject,
            text=mail.text,
            visible_text=mail.visible_text,
            reply_to=bounce.original_message_id,
            thread_keys=tuple(str(one) for one in (*back.keys, *threads.keys)),
            state=DeliveryState.FAILED if bounce.permanent else None,
            error=" ".join(part for part in (bounce.status, bounce.diagnostic) if part),
            machine=machine.BOUNCE,
            extra=_extra(mail, verdict, (*back.defects, *threads.defects)),
        )


def guest_address(mail: Mail, own: frozenset[str]) -> Address | None:
    """Who wrote: Reply-To unless it is ours or a robot's, then From, Sender, Return-Path. None when nobody else than we is named."""
    from_headers = [*mail.reply_to, *mail.sender]
    candidates = [one for one in from_headers if not machine.is_robot_address(one.address)] + from_headers
    candidates += parse_addresses(mail.headers.raw("sender"))
    if mail.return_path:
        candidates.append(Address("", mail.return_path))
    chosen = next((one for one in candidates if one.address.lower() not in own), None)
    if chosen is None or chosen.name:
        return chosen
    name = next((one.name for one in mail.sender if one.address.lower() == chosen.address.lower()), "")
    return Address(name, chosen.address)


def own_addresses(account: AccountConfig) -> frozenset[str]:
    """Our mailbox and its aliases, in lower case."""
    written = [account.settings.get("address", ""), *account.settings.get("aliases", ())]
    return frozenset(str(one).lower() for one in written if one)


def own_domains(account: AccountConfig) -> frozenset[str]:
    """The domain of our message ids and those of our addresses."""
    domains = {one.rpartition("@")[2] for one in own_addresses(account)}
    return frozenset(one for one in (str(account.settings.get("domain", "")).lower(), *domains) if one)


def sender(account: AccountConfig) -> Sender:
    """Who the account writes as."""
    address = str(account.settings["address"])
    return Sender(
        address=address,
        domain=str(account.settings.get("domain") or address.rpartition("@")[2]),
        thread_key=account.secrets.get("thread_key", ""),
        name=str(account.settings.get("name", "")),
        subject=str(account.settings.get("subject", "")) or gettext("Your request"),
    )


def _return_address(outgoing: Outgoing, account: AccountConfig) -> str:
    """Where this mail comes back to; empty = to our address, as the account has it."""
    secret, address = account.secrets.get("thread_key", ""), str(account.settings["address"])
    if not account.settings.get("verp") or not secret:
        return ""
    back = return_address(secret, outgoing.key, address)
    return back if len(back.rpartition("@")[0]) <= LOCAL_PART else ""


def smtp_settings(account: AccountConfig) -> SmtpSettings:
    """Where the account sends."""
    smtp: Mapping[str, Any] = account.settings.get("smtp", {})
    return SmtpSettings(
        host=str(smtp.get("host", "")),
        port=int(smtp.get("port", 465)),
        security=smtp.get("tls", "tls"),
        user=str(smtp.get("user") or "") or _named_by_key(account),
        password=account.secrets.get("smtp_password", ""),
        timeout=float(smtp.get("timeout", 60.0)),
        ca_file=str(account.settings.get("ca_file", "")),
        keys=key_source(account),
    )


def imap_settings(account: AccountConfig) -> ImapSettings:
    """Where the account reads."""
    imap: Mapping[str, Any] = account.settings.get("imap", {})
    return ImapSettings(
        host=str(imap.get("host", "")),
        port=int(imap.get("port", 993)),
        security=imap.get("tls", "tls"),
        user=str(imap.get("user") or "") or _named_by_key(account),
        password=account.secrets.get("imap_password", ""),
        folder=str(imap.get("folder", "INBOX")),
        size_limit=_size_limit(account),
        timeout=float(imap.get("timeout", 30.0)),
        ca_file=str(account.settings.get("ca_file", "")),
        keys=key_source(account),
    )


def _named_by_key(account: AccountConfig) -> str:
    """Whose mailbox a key opens when nobody else is named: ours."""
    return str(account.settings.get("address", "")) if account.settings.get("sign_in") == OAUTH else ""


def _size_limit(account: AccountConfig) -> int:
    return int(account.settings.get("size_limit") or DEFAULT_SIZE_LIMIT)


def _too_large_note(event: RawEvent, account: AccountConfig) -> str:
    """What stands instead of the text of a mail over the limit; empty for all others."""
    announced = event.headers.get(TOO_LARGE_HEADER, "")
    size = int(announced) if announced.isdecimal() else len(event.body)
    if not announced and size <= _size_limit(account):
        return ""
    return gettext("The mail is too large (%(size)d MB). Only its headers were read.") % {"size": round(size / 1024 / 1024)}


def _stranger(key: str) -> str:
    """An id for a mail that names no sender: of its own, so that strangers never share a conversation, and no address to answer to."""
    return f"unknown-{hashlib.sha256(key.encode()).hexdigest()[:16]}@sender.invalid"


def _sent_at(date: datetime | None, received_at: datetime) -> datetime:
    """The mail's own date, unless it is absent, in the future or absurdly old."""
    if date is None or not received_at - _LONGEST_WAY <= date <= received_at + _CLOCK_SLACK:
        return received_at
    return date.astimezone(UTC)


def _attachment(number: int, file: MailAttachment) -> InboundAttachment:
    return InboundAttachment(
        kind=_ATTACHMENT_KINDS.get(file.type.split("/")[0], AttachmentKind.DOCUMENT),
        ref=f"part-{number}",
        name=file.name,
        mime=file.type,
        size=file.size,
        data=file.data,
        content_id=file.content_id,
    )


def _extra(mail: Mail, verdict: machine.Verdict, forged: Sequence[str]) -> dict[str, Any]:
    bounce = verdict.bounce
    return {
        "may_auto_answer": verdict.may_auto_answer,
        "why_no_auto_answer": list(verdict.reasons),
        "to": [one.address for one in mail.to],
        "cc": [one.address for one in mail.cc],
        "delivered_to": [one.address for one in mail.delivered_to],
        "bare_subject": bare_subject(mail.subject),
        "references": [*mail.in_reply_to, *reversed(mail.references)],
        "defects": [*mail.defects, *forged],
        "protection": mail.protection,
        "blocked_images": mail.blocked_images,
        "bounce": _told(bounce) if bounce else None,
    }


def _told(bounce: Bounce) -> dict[str, Any]:
    return {
        "recipient": bounce.recipient,
        "status": bounce.status,
        "action": bounce.action,
        "permanent": bounce.permanent,
        "address_invalid": bounce.address_invalid,
        "diagnostic": bounce.diagnostic,
        "original_message_id": bounce.original_message_id,
    }


def _ids(raw: bytes) -> str:
    return next(iter(message_ids(raw)), "")
