"""Machine mail by its headers and reports, bounces in detail, and who may be answered automatically."""

import pytest

from omni.channels.email.bounces import read_bounce
from omni.channels.email.machine import classify
from omni.channels.email.parsing import parse_mail
from omni.channels.email.tests.builders import lines, multipart, part, simple

OUR_ID = "123456.m1.0123456789abcdef@shop.example"


def report(*status, kind="delivery-status", original=True):
    """A multipart/report with the given lines of its machine-readable part."""
    second = part(f"message/{kind}", "\r\n".join(status) + "\r\n")
    third = part("text/rfc822-headers", f"Message-ID: <{OUR_ID}>\r\nSubject: x\r\n")
    parts = [part("text/plain", "Delivery report"), second, *([third] if original else [])]
    return multipart("report", *parts, top=["Return-Path: <>"]).replace(
        b"multipart/report;", f"multipart/report; report-type={kind};".encode(), 1
    )


HARD = report(
    "Reporting-MTA: dns; mx.mail.example",
    "",
    "Final-Recipient: rfc822; ivan@mail.example",
    "Action: failed",
    "Status: 5.1.1",
    "Diagnostic-Code: smtp; 550 no such user",
)
FULL = report("Final-Recipient: rfc822; ivan@mail.example", "Action: failed", "Status: 5.2.2")
LATE = report("Final-Recipient: rfc822; ivan@mail.example", "Action: delayed", "Status: 4.4.1")
DONE = report("Final-Recipient: rfc822; ivan@mail.example", "Action: delivered", "Status: 2.0.0")
MIXED = report(
    "Reporting-MTA: dns; a",
    "",
    "Final-Recipient: rfc822; a@x.example",
    "Action: delivered",
    "Status: 2.0.0",
    "",
    "Final-Recipient: rfc822; b@x.example",
    "Action: failed",
    "Status: 5.1.1",
)
EXIM = simple(
    "This message was created automatically by mail delivery software.\n\n"
    f"  ivan@mail.example\n    550 5.1.1 no such user\n\nMessage-ID: <{OUR_ID}>",
    "X-Failed-Recipients: ivan@mail.example",
    sender="Mail Delivery System <Mailer-Daemon@mx.example>",
    subject="Mail delivery failed: returning message to sender",
)
QMAIL = simple(
    "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message.\n\n"
    "<ivan@mail.example>:\nSorry, no mailbox here by that name. (#5.1.1)",
    sender="MAILER-DAEMON@mx.example",
    subject="failure notice",
)
RUSSIAN = simple(
    "Письмо не доставлено адресату ivan@mail.example: 452 4.2.2 ящик переполнен",
    sender="Почтовый робот <mailer-daemon@mail.example>",
    subject="Ошибка доставки",
)


@pytest.mark.parametrize(
    ("extra", "machine"),
    [
        ([], None),
        (["Auto-Submitted: no"], None),
        (["Auto-Submitted: auto-replied"], "auto_reply"),
        (["Auto-Submitted: auto-replied (vacation); owner-email=a@b.example"], "auto_reply"),
        (["Auto-Submitted: vacation"], "auto_reply"),
        (["Auto-Submitted: auto-generated"], "bulk"),
        (["Precedence: auto_reply"], "auto_reply"),
        (["X-Autoreply: yes"], "auto_reply"),
        (["X-Autorespond: x"], "auto_reply"),
        (["X-Auto-Response-Suppress: All", "X-MS-Exchange-Inbox-Rules-Loop: ivan@mail.example"], "auto_reply"),
        (["X-Auto-Response-Suppress: DR, OOF"], None),
        (["Return-Path: <>"], "auto_reply"),
        (["Precedence: bulk"], "bulk"),
        (["Precedence: junk"], "bulk"),
        (["Precedence: list"], "list"),
        (["List-Id: <news.mail.example>"], "list"),
        (["List-Unsubscribe: <https://mail.example/u>"], "bulk"),
        (["X-FC-Machinegenerated: true"], "bulk"),
        (["X-Otklik-Loop: shop.example"], "loop"),
        (["X-Otklik-Loop: other.example"], None),
        (["X-Loop: a@b.example"], None),
    ],
)
def test_headers(extra, machine):
    verdict = classify(parse_mail(simple("x", *extra)), own_domains=["shop.example"])
    assert verdict.machine == machine
    assert verdict.may_auto_answer == (not extra or extra == ["Auto-Submitted: no"])


@pytest.mark.parametrize(
    "subject",
    [
        "Автоответ: в отпуске",
        "Автоответ",
        "Автоматический ответ: Заказ",
        "Automatic reply: Order",
        "Out of Office: Order",
        "Out of Office AutoReply: Order",
        "Auto-Reply Re: Order",
        "Я в отпуске",
        "Я в отпуске до 12.03",
        "Нет на работе: Заказ",
    ],
)
def test_subjects_of_auto_replies(subject):
    assert classify(parse_mail(simple(subject=subject))).machine == "auto_reply"


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Автоответчик у вас не работает",
        "Хочу автоответ на жалобу",
        "Вне очереди пустили знакомого",
        "Автоматический ответ бота не помог",
        "Автоответ вместо помощи",
        "Я в отпуске, отмените доставку",
        "Нет на работе кассира второй час",
        "Вне офиса магазина стоит мусор",
        "Out of office delivery, please",
    ],
)
def test_people_write_about_auto_replies_too(subject):
    assert classify(parse_mail(simple(subject=subject))).machine is None


@pytest.mark.parametrize(
    ("raw", "machine"),
    [
        (
            report(
                "Final-Recipient: rfc822; a@b.example",
                "Disposition: manual-action/MDN-sent-manually; displayed",
                kind="disposition-notification",
            ),
            "receipt",
        ),
        (report("Feedback-Type: abuse", "User-Agent: x/1", "Version: 1", kind="feedback-report"), "complaint"),
        (DONE, "receipt"),
        (HARD, "bounce"),
        (LATE, "bounce"),
        (EXIM, "bounce"),
        (QMAIL, "bounce"),
        (RUSSIAN, "bounce"),
    ],
)
def test_reports(raw, machine):
    verdict = classify(parse_mail(raw))
    assert (verdict.machine, verdict.may_auto_answer) == (machine, False)


@pytest.mark.parametrize(
    ("raw", "recipient", "status", "permanent", "invalid", "original"),
    [
        (HARD, "ivan@mail.example", "5.1.1", True, True, OUR_ID),
        (FULL, "ivan@mail.example", "5.2.2", False, False, OUR_ID),
        (LATE, "ivan@mail.example", "4.4.1", False, False, OUR_ID),
        (MIXED, "b@x.example", "5.1.1", True, True, OUR_ID),
        (EXIM, "ivan@mail.example", "5.1.1", True, True, OUR_ID),
        (QMAIL, "ivan@mail.example", "5.1.1", True, True, ""),
        (RUSSIAN, "ivan@mail.example", "4.2.2", False, False, ""),
    ],
)
def test_bounces(raw, recipient, status, permanent, invalid, original):
    bounce = read_bounce(parse_mail(raw))
    assert (bounce.recipient, bounce.status, bounce.permanent, bounce.address_invalid) == (recipient, status, permanent, invalid)
    assert bounce.original_message_id == original


def test_a_person_writing_about_a_bounce_is_a_person():
    assert classify(parse_mail(simple("550 5.1.1 no such user - что это?", subject="Письмо не доставлено"))).machine is None


@pytest.mark.parametrize(
    ("sender", "message_id"),
    [
        ("no-reply@bank.example", "<a@bank.example>"),
        ("noreply+x@bank.example", "<a@bank.example>"),
        ("postmaster@bank.example", "<a@bank.example>"),
        ("Help <HELP@shop.example>", "<a@bank.example>"),
        ("ivan@mail.example", "<a@SHOP.example>"),
    ],
)
def test_who_is_not_auto_answered(sender, message_id):
    mail = parse_mail(simple(sender=sender, message_id=message_id))
    verdict = classify(mail, own_addresses=["help@shop.example"], own_domains=["shop.example"])
    assert not verdict.may_auto_answer
    assert verdict.reasons


def test_reports_of_nonsense_do_not_raise():
    for body in (b"", b"\xff\x00", b"Final-Recipient:\r\nStatus: 9.9.9", b"\r\n\r\n\r\n"):
        raw = multipart("report", part("message/delivery-status", body))
        assert classify(parse_mail(raw)).machine == "bounce"


def test_a_bulk_mail_without_headers_line():
    assert classify(parse_mail(lines("List-Post: <mailto:x@y.example>"))).machine == "list"
