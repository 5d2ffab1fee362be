"""Mails for tests, written as bytes: what the wire carries, right or wrong."""

import base64

from omni.channels.contract import AccountConfig, RawEvent

GUEST = "Иван Петров"
COMPLAINT = "Здравствуйте!\nВ магазине на улице Ленина мне не начислили баллы за покупку. Прошу разобраться и ответить."
SECRET = "ключ-подписи"
DOMAIN = "shop.example"


def lines(*written, body=b""):
    """Header lines (text or bytes) and a body with CRLF ends."""
    head = b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in written)
    return head + b"\r\n\r\n" + (body if isinstance(body, bytes) else body.encode()).replace(b"\n", b"\r\n")


def simple(text="Где мой заказ?", *more, sender="ivan@mail.example", message_id="<m1@mail.example>", subject="Zakaz"):
    """An ordinary UTF-8 mail."""
    head = [f"From: {sender}", f"Message-ID: {message_id}", f"Subject: {subject}", "Date: Tue, 3 Mar 2026 12:40:05 +0300"]
    return lines(*head, "To: help@shop.example", "Content-Type: text/plain; charset=utf-8", *more, body=text)


def multipart(kind, *parts, boundary="b1", top=()):
    """A mail with the given parts, each headers and body in bytes."""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary.encode() + b"--\r\n"
    return lines("From: ivan@mail.example", "Subject: x", *top, f'Content-Type: multipart/{kind}; boundary="{boundary}"', body=b"") + body


def part(content_type, body, *more):
    return lines(f"Content-Type: {content_type}", *more, body=b"") + (body if isinstance(body, bytes) else body.encode())


def file_part(content_type, data, *more):
    return part(content_type, base64.encodebytes(data), "Content-Transfer-Encoding: base64", *more)


def account(**settings):
    """A mailbox help@shop.example."""
    return AccountConfig(
        id="1",
        kind="email",
        settings={"address": "help@shop.example", "aliases": ["info@shop.example"], "domain": DOMAIN, **settings},
        secrets={"thread_key": SECRET, "smtp_password": "", "imap_password": ""},
    )


def event(raw, received_at, **headers):
    return RawEvent(body=raw, headers=headers, received_at=received_at)
