"""No bytes may raise; body, HTML and files of ordinary and of broken mails."""

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni.channels.email.attachments import safe_name
from omni.channels.email.explanation import explain
from omni.channels.email.html import html_to_text, lean, parse_html, safe_html
from omni.channels.email.machine import classify
from omni.channels.email.parsing import parse_mail
from omni.channels.email.tests.builders import COMPLAINT, file_part, lines, multipart, part, simple

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def names(raw):
    return [file.name for file in parse_mail(raw).attachments]


@pytest.mark.parametrize("real", ["utf-8", "cp1251", "koi8-r", "cp866", "iso8859-5"])
@pytest.mark.parametrize("declared", ["", "utf-8", "windows-1251", "koi8-r", "us-ascii", "cp-1251"])
def test_bodies_in_every_charset(real, declared):
    content_type = f"Content-Type: text/plain; charset={declared}" if declared else "Content-Type: text/plain"
    mail = parse_mail(lines(b"Subject: " + "Жалоба на кассира".encode(real), content_type, body=COMPLAINT.encode(real)))
    assert (mail.subject, mail.text) == ("Жалоба на кассира", COMPLAINT)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_transfer_encodings(encoding):
    import base64
    import quopri

    coded = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}[encoding](COMPLAINT.encode("koi8-r"))
    raw = lines("Subject: x", "Content-Type: text/plain; charset=koi8-r", f"Content-Transfer-Encoding: {encoding}", body=coded)
    assert parse_mail(raw).text == COMPLAINT


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1000,
        b"\r" * 50,
        b":" * 500,
        b"Subject",
        b"Content-Type: multipart/mixed\r\n\r\nno parts",
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\n----\r\n',
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n",
        b"Content-Type: ;;;=\r\n\r\nx",
        b"Content-Type: text/plain; charset=\xff\xfe\r\n\r\nx",
        b"To: a:b:c;;;,<<>>,@@\r\nFrom: \xff\r\nDate: 99 Foo 99999\r\n\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\nA===A=\xff",
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\n\xff\xff\nend",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Type: application/ms-tnef\r\n\r\n" + struct.pack("<IH", 0x223E9F78, 0) + b"\xff" * 50,
        b"Subject: =?utf-8?B?" + b"=?utf-8?Q?" * 3000,
        b"From: " + b'"' * 5000 + b"(" * 5000 + b"<" * 5000,
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 20000,
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_nonsense_is_explained(raw):
    assert explain(raw)["defects"]


@settings(max_examples=200)
@given(st.binary(max_size=2000))
def test_any_bytes(raw):
    assert parse_mail(raw).defects


FRAGMENTS = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b",
        b"Content-Type: multipart/alternative; boundary=c",
        b"Content-Type: text/html; charset=koi8-r",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: base64",
        b'Content-Disposition: attachment; filename*0*="',
        *(b"--b", b"--b--", b"--c", b"", b"\r", b"\x00\xff", b" folded", b"begin 644 x", b"> q", b"<blockquote type=cite>"),
        *(b"Subject: =?utf-8?B?0", b"From: a@b.example", b"From: :;,<"),
    ]
)


@settings(max_examples=300)
@given(st.lists(FRAGMENTS, max_size=25), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_any_order_of_mail_like_lines(written, end):
    mail = parse_mail(end.join(written))
    assert "\x00" not in mail.text + mail.html + mail.subject


def test_two_hundred_nested_parts():
    raw = part("text/plain; charset=utf-8", "На дне")
    for depth in range(200):
        raw = (
            lines(f"Content-Type: multipart/mixed; boundary=b{depth}") + f"--b{depth}\r\n".encode() + raw + f"\r\n--b{depth}--\r\n".encode()
        )
    mail = parse_mail(b"From: a@b.example\r\nSubject: x\r\n" + raw)
    assert mail.text == "На дне"


@pytest.mark.parametrize("depth", [1000, 20000])
def test_nesting_without_end(depth):
    raw = b"".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode() for n in range(depth))
    assert any("nested deeper" in defect for defect in parse_mail(raw).defects)


def test_thirty_five_megabytes_in_seconds():
    data = bytes(range(256)) * (102 * 1024)
    raw = multipart(
        "mixed",
        part("text/plain; charset=utf-8", "Видео во вложении"),
        file_part("video/mp4", data, 'Content-Disposition: attachment; filename="v.mp4"'),
    )
    assert len(raw) > 35_000_000
    began = time.process_time()
    mail = parse_mail(raw)
    assert (mail.text, mail.attachments[0].data == data) == ("Видео во вложении", True)
    assert time.process_time() - began < 10


def test_mails_with_lone_line_ends():
    for end in (b"\n", b"\r"):
        assert parse_mail(simple("раз\nдва").replace(b"\r\n", end)).text == "раз\nдва"


def test_plain_text_is_preferred_and_html_kept():
    raw = multipart(
        "alternative", part("text/plain; charset=utf-8", "Где заказ?"), part("text/html; charset=utf-8", "<p>Где <b>заказ</b>?</p>")
    )
    mail = parse_mail(raw)
    assert (mail.text, mail.html) == ("Где заказ?", "<p>Где <b>заказ</b>?</p>")


@pytest.mark.parametrize(
    "stub",
    [
        "",
        " \r\n",
        "Откройте письмо в браузере",
        "Ваш почтовый клиент не поддерживает HTML.",
        "To view this email please open it in your browser",
    ],
)
def test_a_stub_gives_way_to_html(stub):
    raw = multipart("alternative", part("text/plain; charset=utf-8", stub), part("text/html; charset=utf-8", "<p>Верните деньги</p>"))
    assert parse_mail(raw).text == "Верните деньги"


def test_html_charset_of_its_own_meta():
    html = '<html><head><meta charset="koi8-r"></head><body>Верните деньги</body></html>'
    assert parse_mail(lines("Content-Type: text/html", body=html.encode("koi8-r"))).text == "Верните деньги"


def test_text_around_an_inline_picture_is_one_body():
    raw = multipart(
        "mixed",
        part("text/plain; charset=utf-8", "Вот чек:"),
        file_part("image/png", PNG, "Content-Disposition: inline; filename=check.png"),
        part("text/plain; charset=utf-8", "Сумма неверна."),
    )
    mail = parse_mail(raw)
    assert (mail.text, names(raw), mail.attachments[0].inline) == ("Вот чек:\n\nСумма неверна.", ["check.png"], True)


def test_related_picture_keeps_its_content_id():
    related = multipart(
        "related", part("text/html", '<img src="cid:i1@x">'), file_part("image/png", PNG, "Content-ID: <i1@x>"), boundary="r"
    )
    mail = parse_mail(related)
    assert mail.html == '<img src="cid:i1@x">'
    assert [(file.name, file.content_id, file.inline) for file in mail.attachments] == [("image-1.png", "i1@x", True)]


def test_calendar_part_of_an_alternative_is_a_file():
    raw = multipart(
        "alternative",
        part("text/plain; charset=utf-8", "Встреча"),
        part("text/calendar; method=REQUEST", "BEGIN:VCALENDAR\r\nEND:VCALENDAR"),
    )
    assert (parse_mail(raw).text, names(raw)) == ("Встреча", ["invite.ics"])


def test_forwarded_mail_is_kept_whole():
    inner = lines(b"Subject: " + "Старое письмо".encode(), body="внутри")
    raw = multipart("mixed", part("text/plain; charset=utf-8", "Смотрите"), part("message/rfc822", inner))
    mail = parse_mail(raw)
    assert mail.text == "Смотрите"
    assert [(file.name, file.data) for file in mail.attachments] == [("Старое письмо.eml", inner)]


def test_names_of_files_are_safe_and_unique():
    def named(name):
        return file_part("application/pdf", b"%PDF", f'Content-Disposition: attachment; filename="{name}"')

    raw = multipart(
        "mixed", named("a.pdf"), named("A.pdf"), named("../../etc/passwd"), named(r"C:\\temp\\x.pdf"), named(""), named("con.pdf")
    )
    assert names(raw) == ["a.pdf", "A (2).pdf", "passwd", "x.pdf", "file-5.pdf", "_con.pdf"]


@given(st.text(max_size=300))
def test_any_name_is_safe(name):
    safe = safe_name(name)
    assert not set(safe) & set('/\\\x00\r\n:*?"<>|\u202e')
    assert len(safe) <= 151
    assert safe.strip(".") == safe


def test_an_empty_file_is_a_file():
    raw = multipart(
        "mixed", part("text/plain", "x"), file_part("application/pdf", b"", "Content-Disposition: attachment; filename=empty.pdf")
    )
    assert [(file.name, file.size) for file in parse_mail(raw).attachments] == [("empty.pdf", 0)]


def test_uuencoded_file_in_the_text():
    import binascii

    data = "Чек на сумму 100 рублей".encode() * 5
    rows = b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    mail = parse_mail(lines("Subject: x", body=b"Do\nbegin 644 check.txt\n" + rows + b"`\nend\nPosle\n"))
    assert (mail.text, [(file.name, file.data) for file in mail.attachments]) == ("Do\n\nPosle", [("check.txt", data)])


@pytest.mark.parametrize(
    ("raw", "protection"),
    [
        (multipart("signed", part("text/plain", "x"), part("application/pgp-signature", "sig")), "pgp-signed"),
        (multipart("signed", part("text/plain", "x"), part("application/pkcs7-signature", "sig")), "smime-signed"),
        (multipart("encrypted", part("application/pgp-encrypted", "Version: 1"), part("application/octet-stream", "x")), "pgp-encrypted"),
        (lines("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", body="x"), "smime-encrypted"),
        (lines("Subject: x", body="-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----"), "pgp-encrypted"),
        (simple(), ""),
    ],
)
def test_protected_mails_are_marked_and_kept(raw, protection):
    mail = parse_mail(raw)
    assert mail.protection == protection
    assert mail.attachments or "PGP MESSAGE" in mail.text or not protection


def test_wrong_boundary_is_guessed():
    raw = (
        lines("Subject: x", "Content-Type: multipart/mixed; boundary=wrong")
        + b"--right\r\n"
        + part("text/plain; charset=utf-8", "Текст")
        + b"\r\n--right--\r\n"
    )
    assert parse_mail(raw).text == "Текст"


def test_a_header_broken_in_two_does_not_end_the_headers():
    raw = b"Subject: part one\r\npart two\r\nFrom: a@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nbody"
    mail = parse_mail(raw)
    assert (mail.subject, mail.sender[0].address, mail.text) == ("part one part two", "a@b.example", "body")


def test_flowed_text_is_joined():
    raw = lines("Content-Type: text/plain; charset=utf-8; format=flowed", body="Длинная \nстрока.\n> цитата \n> дальше\n-- \nИван")
    assert parse_mail(raw).text == "Длинная строка.\n> цитата дальше\n--\nИван"


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("<script>alert(1)</script><p onclick=x>a</p>", "<p>a</p>"),
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        ('<img src="https://t.example/p.gif" width="1">', '<img data-remote-src="https://t.example/p.gif" width="1">'),
        ('<img src="data:image/svg+xml;base64,AA">', "<img>"),
        ('<img src="data:image/png;base64,AAAA">', '<img src="data:image/png;base64,AAAA">'),
        ("<form action=x><input name=y></form><iframe src=z></iframe><style>p{}</style>ok", "ok"),
        ('<p style="background:url(https://t.example)">a</p>', "<p>a</p>"),
        ("<svg><script>1</script></svg><math><a href=x>y</a></math>z", "z"),
        ('<a href="data:text/html,x">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
    ],
)
def test_html_is_made_safe(html, kept):
    assert safe_html(html).html == kept


@given(
    st.lists(
        st.sampled_from(
            ["<img src=", "'//t.example/x'", ">", "<a href=", "javascript:", "x", '"', "<table>", "<td>", "</p>", "&lt;", "<!--"]
        ),
        max_size=15,
    )
)
def test_safe_html_never_loads_or_runs(pieces):
    tree = parse_html(f"<div>{safe_html(''.join(pieces)).html}</div>")
    for element in tree.iter():
        assert element.tag not in ("script", "style", "iframe", "form")
        assert not (element.get("src") or "").startswith(("http", "//"))
        assert not (element.get("href") or "").startswith("javascript")


@pytest.mark.parametrize("html", ["<p>" + "абв " * 600_000, "<a href=x>y</a>" * 5001, "<div>" * 3000])
def test_immoderate_html_becomes_a_file(html):
    raw = lines("Content-Type: text/html; charset=utf-8", body=html)
    mail = parse_mail(raw)
    assert mail.html == ""
    assert "message.html" in [file.name for file in mail.attachments]


def test_html_text_of_a_deep_tree():
    assert html_to_text("<div>" * 500 + "глубоко" + "</div>" * 500) == "глубоко"
    assert html_to_text("<div>" * 9000 + "глубоко") == "глубоко"


def test_immoderate_text_is_cut_and_kept_as_a_file():
    mail = parse_mail(simple("> цитата\n" * 200_000 + "конец"))
    assert len(mail.text) <= 1_000_000
    assert mail.attachments[0].name == "message.txt"
    assert mail.attachments[0].data.decode().endswith("конец")


@pytest.mark.parametrize(
    "body",
    [
        " " * 900_000 + "x",
        "-" * 900_000,
        "С уважением, \n" * 30_000,
        "От: x\n" * 50_000,
        "begin 644 x\nMAAA\n" * 40_000,
        "пн, 3 мар. 2026 г. в 12:40 а:\n" * 20_000,
    ],
    ids=lambda body: body[:12].strip(),
)
def test_text_made_to_be_slow(body):
    began = time.process_time()
    parse_mail(simple(body))
    assert time.process_time() - began < 5


MANY = b" ".join(b"a%d=1" % number for number in range(100_000))
HEAVY = {
    "a tag of 100 000 attributes": b"<p " + MANY + b">hi</p>",
    "behind a lone quote": b'<p " ' + MANY + b">hi</p>",
    "never closed": b"hi<p " + MANY,
    "quotes that never close": b"hi" + b"<a '\"" * 100_000,
    "scripts that never end": b"hi" + b"<script>" * 50_000,
    "comments that never end": b"hi" + b"<!--" * 100_000,
    "a hundred thousand rows": b"<table><tr><td>" * 100_000 + b"hi",
}


@pytest.mark.parametrize("html", HEAVY.values(), ids=HEAVY)
def test_html_made_to_keep_a_parser_busy(html):
    """Each attribute is compared with all before it: 100 000 of them took minutes."""
    begun = time.monotonic()
    mail = parse_mail(b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + html)
    assert time.monotonic() - begun < 10
    assert "hi" in mail.text


def test_ordinary_attributes_stay():
    html = '<p title="' + "слово " * 5000 + '"><a href="https://shop.example/?a=1">сюда</a></p>'
    assert lean(html) == html


DAEMON = b"From: MAILER-DAEMON@b.example\r\nReturn-Path: <>\r\nSubject: Undelivered Mail\r\n\r\n"
LONG_WORDS = {
    "a bounce of one word": DAEMON + b"a" * 300_000,
    "a sender of one word": b"From: noreply" + b"-" * 300_000 + b"x\r\n\r\nhi",
    "a recipient of one word": b"From: a@b.example\r\nTo: reply" + b"+1" * 200_000 + b"@shop.example\r\n\r\nhi",
    "ten thousand recipients": b"From: a@b.example\r\nTo: " + b",".join(b"n%d@x.example" % n for n in range(10_000)) + b"\r\n\r\nhi",
}


@pytest.mark.parametrize("raw", LONG_WORDS.values(), ids=LONG_WORDS)
def test_words_made_to_keep_an_expression_busy(raw):
    begun = time.monotonic()
    classify(parse_mail(raw))
    assert time.monotonic() - begun < 10


def test_the_address_of_a_bounce_is_still_found():
    bounce = classify(parse_mail(DAEMON + b"550 5.1.1 <anna.petrova+shop@mail.example>: no such user")).bounce
    assert (bounce.recipient, bounce.status) == ("anna.petrova+shop@mail.example", "5.1.1")
