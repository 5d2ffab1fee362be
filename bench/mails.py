"""Believable mails of guests: plain and HTML, UTF-8, koi8-r and windows-1251, answers with quotes, files attached."""

import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from bench.words import sentence

_NAMES = ("Анна Петрова", "Игорь Семёнов", "Ольга Ким", "Пётр Яковлев", "Мария Щукина", "Тимур Галиев", "Елена Ёлкина", "Олег Юрьев")
_CHARSETS = ("utf-8", "utf-8", "koi8-r", "windows-1251")
_BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


def mails(number: int, *, to: str, seed: int) -> Iterator[bytes]:
    """`number` mails, the same for the same seed; about a fifth answer an earlier one of the same guest."""
    chance, earlier = random.Random(seed), []
    for position in range(number):
        answered = chance.choice(earlier) if earlier and chance.random() < 0.2 else None
        mail = _mail(position, to=to, seed=seed, chance=chance, answered=answered)
        earlier.append(mail)
        # Outside EmailMessage, which would write every header in UTF-8.
        head = f"Subject: {_coded(sentence(position)[:60], position)}\r\nFrom: {_sender(mail, position)}\r\n"
        yield head.encode() + mail.as_bytes()


def _coded(text: str, position: int) -> str:
    return Header(text, _CHARSETS[position % len(_CHARSETS)]).encode(linesep="\r\n")


def _sender(mail: EmailMessage, position: int) -> str:
    return f"{_coded(_NAMES[position % len(_NAMES)], position)} <{mail['X-Guest']}>"


def _mail(position: int, *, to: str, seed: int, chance: random.Random, answered: EmailMessage | None) -> EmailMessage:
    mail, charset = EmailMessage(policy=SMTP), _CHARSETS[position % len(_CHARSETS)]
    text = "\n\n".join(sentence(chance.randrange(10**6)) for _ in range(chance.randint(1, 6)))
    if answered:
        mail["In-Reply-To"] = mail["References"] = answered["Message-ID"]
        text += f"\n\n{_BEGIN:%d.%m.%Y}, Магазин пишет:\n" + "".join(f"> {sentence(line)}\n" for line in range(5))
    person = f"guest{seed}-{position}@mail.example"
    mail["X-Guest"] = answered["X-Guest"] if answered else person
    mail["To"], mail["Message-ID"] = to, f"<{seed}.{position}@mail.example>"
    mail["Date"] = format_datetime(_BEGIN + timedelta(minutes=position))
    mail.set_content(f"{text}\n\n-- \nС уважением\n", charset=charset, cte="quoted-printable" if position % 3 else "base64")
    if position % 2:
        lines = "".join(f"<p>{line}</p>" for line in text.splitlines() if line)
        mail.add_alternative(
            f"<html><head><style>p {{color: #333}}</style></head><body>{lines}</body></html>", subtype="html", charset=charset
        )
    for file in range(chance.choice((0, 0, 0, 1, 2))):
        mail.add_attachment(_picture(chance), maintype="image", subtype="png", filename=f"Фото чека {file + 1}.png")
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=={seed}.{position}.{number}==")
    return mail


def _picture(chance: random.Random) -> bytes:
    """A PNG of noise, 20 to 60 kB: a photo does not compress either."""
    side = chance.randint(85, 140)
    rows = b"".join(b"\0" + chance.randbytes(side * 3) for _ in range(side))
    size = side.to_bytes(4, "big")
    parts = ((b"IHDR", size + size + b"\x08\x02\0\0\0"), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    chunks = (len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
