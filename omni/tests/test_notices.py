"""Notices over the real wire of the vendors' servers: once, by consent, at a decent hour, never again after a doubt."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from omni.channels.contract import Sent
from omni.models import ChannelAccount, Notice, NoticeAttempt, NoticeConsent, PushToken
from omni.services import consents, notice_routes, notice_statuses, notices, push
from omni.states import AccountState, SendState
from omni.tests import notice_builders as n
from omni.tests.notice_builders import NOON, PHONE
from tests import builders as b
from tests import channel_checks as checks
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db
TEXT = "Ваше обращение № 17 решено"


@pytest.fixture(scope="module")
def running():
    with n.vendors() as found:
        yield found


@pytest.fixture
def vendors(running):
    running.reset()
    yield running
    assert running.violations() == []


def notify(guest, key="case:17:closed", text=TEXT, **more):
    return notices.notify(guest=guest, text=text, key=key, **{"now": NOON, **more})


def state_of(notice):
    notice.refresh_from_db()
    return notice.state, notice.error_code


def test_a_push_goes_to_every_device_and_no_sms(vendors):
    guest, app = n.a_guest(), n.an_app()
    n.a_device(guest, app, vendors.account("fcm"))
    n.a_device(guest, app, vendors.account("hms"), token="huawei-token-1", device="d2")
    vendors.account("smsc")
    notice = notify(guest, title="Лукошко", data={"case": 17})
    n.run()
    assert state_of(notice) == (SendState.SENT, "")
    told = [*vendors.fcm.accepted.after(), *vendors.hms.accepted.after()]
    assert [(entry["title"], entry["text"], entry["data"]) for entry in told] == [("Лукошко", TEXT, {"case": "17"})] * 2
    assert vendors.smsc.accepted.after() == []
    assert sorted(attempt.account.kind for attempt in notice.attempts.all()) == ["fcm", "hms"]


def test_the_same_key_is_told_once(vendors):
    guest = n.a_guest()
    vendors.account("smsc")
    first, second = notify(guest), notify(guest, text="Другое")
    n.run()
    assert first == second == Notice.objects.get()
    assert notices.send(first.pk, now=NOON) is None
    assert [entry["text"] for entry in vendors.smsc.accepted.after()] == [TEXT]


def test_without_a_device_an_sms(vendors):
    guest = n.a_guest()
    vendors.account("smsc", sender="Lukoshko")
    notice = notify(guest)
    n.run()
    (entry,) = vendors.smsc.accepted.after()
    assert (entry["to"], entry["text"], entry["sender"]) == ("79161112233", TEXT, "Lukoshko")
    (attempt,) = notice.attempts.all()
    assert (attempt.parts, attempt.channel, state_of(notice)[0]) == (1, "sms", SendState.SENT)


@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_to_tell(text):
    with pytest.raises(ValueError, match="a text"):
        notify(n.a_guest(), text=text)


def test_a_channel_that_there_is_not():
    with pytest.raises(ValueError, match="pigeon"):
        notify(n.a_guest(), channels=["pigeon"])


def test_nobody_is_told_without_consent(vendors):
    vendors.account("smsc")
    unasked, withdrawn = n.a_guest(agrees=False), n.a_guest(phone="+79161112244", name="Борис")
    consents.withdraw(phone="+7 916 111-22-44", source="guest called", by=None, now=NOON)
    nobody = n.a_guest(phone="", name="Вера")
    found = [notify(guest, key=f"k{guest.pk}") for guest in (unasked, withdrawn, nobody)]
    n.run()
    assert [state_of(notice) for notice in found] == [(SendState.FAILED, "no_consent")] * 2 + [(SendState.FAILED, "no_phone")]
    assert vendors.smsc.accepted.after() == []


def test_an_opt_out_holds_for_the_number_whoever_has_it(vendors):
    vendors.account("smsc")
    consents.withdraw(phone=PHONE, source="answer STOP", by=None, now=NOON)
    notice = notify(n.a_guest(agrees=False))
    n.run()
    assert state_of(notice) == (SendState.FAILED, "no_consent")
    consents.give(phone=PHONE, source="card", by=b.a_person(), now=NOON)
    notify(notice.guest, key="again")
    n.run()
    assert len(vendors.smsc.accepted.after()) == 1


def test_the_switch_in_the_app(vendors):
    guest = n.a_guest(phone="")
    n.a_device(guest, n.an_app(), vendors.account("fcm"), takes_notices=False)
    notice = notify(guest)
    n.run()
    assert state_of(notice) == (SendState.FAILED, "no_phone")


NIGHT = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)  # 22:00 in Moscow, 07:00 in Kamchatka


def test_the_night_is_waited_out_by_the_guests_clock(vendors):
    vendors.account("smsc")
    guest, app = n.a_guest(), n.an_app()
    notice = notify(guest, now=NIGHT)
    assert notices.send(notice.pk, now=NIGHT) is None
    notice.refresh_from_db()
    assert (notice.state, notice.next_at) == (SendState.QUEUED, datetime(2026, 3, 4, 6, 0, tzinfo=UTC))
    assert notices.find_due(now=NIGHT + timedelta(hours=1)) == []
    n.a_device(guest, app, vendors.account("fcm"), time_zone="Asia/Kamchatka")
    assert str(notice_routes.zone_of(guest)) == "Asia/Kamchatka"
    other = notify(guest, key="second", now=NIGHT)
    notices.send(other.pk, now=NIGHT + timedelta(hours=1, minutes=59))  # 08:59 there
    assert state_of(other)[0] == SendState.QUEUED
    notices.send(other.pk, now=NIGHT + timedelta(hours=2))
    assert state_of(other)[0] == SendState.SENT


def test_what_is_urgent_does_not_wait(vendors):
    vendors.account("smsc")
    notice = notify(n.a_guest(), now=NIGHT, urgent=True)
    assert notices.send(notice.pk, now=NIGHT) == SendState.SENT


def test_what_is_too_old_is_not_told(vendors):
    vendors.account("smsc")
    notice = notify(n.a_guest(), kept=timedelta(hours=1))
    assert notices.send(notice.pk, now=NOON + timedelta(hours=2)) is None
    assert state_of(notice) == (SendState.FAILED, "expired")


def test_called_off_in_time(vendors):
    vendors.account("smsc")
    notice = notify(n.a_guest())
    assert notices.cancel(key=notice.key, now=NOON)
    assert notices.send(notice.pk, now=NOON) is None
    assert not notices.cancel(key=notice.key, now=NOON)
    assert vendors.smsc.accepted.after() == []


def test_a_device_that_is_gone_is_dropped_and_the_telephone_is_next(vendors):
    guest = n.a_guest()
    account = vendors.account("fcm")
    device = n.a_device(guest, n.an_app(), account)
    vendors.account("smsc")
    vendors.fcm.gone.add(device.token)
    notice = notify(guest)
    n.run()
    assert state_of(notice)[0] == SendState.SENT
    assert [(a.account.kind, a.state, a.error_code) for a in notice.attempts.order_by("number")] == [
        ("fcm", "failed", "token_gone"),
        ("smsc", "sent", ""),
    ]
    device.refresh_from_db()
    assert device.gone_at is not None
    assert not push.drop(account=account, token=device.token, now=NOON)
    vendors.fcm.gone.clear()


def test_an_account_out_of_money_is_shown_and_the_next_one_sends(vendors):
    first, _second = vendors.account("smsc"), vendors.account("smsaero")
    ChannelAccount.objects.filter(pk=first.pk).update(name="a: first")
    vendors.smsc.money = 0
    notice = notify(n.a_guest())
    n.run()
    first.refresh_from_db()
    assert (first.state, state_of(notice)[0]) == (AccountState.DEGRADED, SendState.SENT)
    assert len(vendors.smsaero.accepted.after()) == 1


def test_a_temporary_fault_is_tried_again(vendors):
    vendors.account("smsc")
    vendors.smsc.faults.add(Fault(FaultKind.SERVER_ERROR), times=3)
    notice = notify(n.a_guest())
    n.run(step=timedelta(minutes=15))
    assert state_of(notice)[0] == SendState.SENT
    assert len(vendors.smsc.accepted.after()) == 1
    assert notice.attempts.count() == 4


def test_after_the_last_try_it_is_given_up(vendors):
    vendors.account("smsc")
    vendors.smsc.faults.add(Fault(FaultKind.SERVER_ERROR), times=20)
    notice = notify(n.a_guest())
    n.run(step=timedelta(minutes=15))
    assert state_of(notice) == (SendState.FAILED, "http_500")
    assert notice.attempts.count() == 5


def test_throttling_pauses_the_account(vendors):
    account = vendors.account("hms")
    vendors.hms.faults.add(Fault(FaultKind.THROTTLED, seconds=300, method="send"))
    guest = n.a_guest(phone="")
    n.a_device(guest, n.an_app(), account)
    notice = notify(guest)
    notices.send(notice.pk, now=NOON)
    account.refresh_from_db()
    notice.refresh_from_db()
    assert account.paused_until is not None
    assert notices.send(notice.pk, now=notice.next_at - timedelta(seconds=1)) is None
    n.run(now=max(account.paused_until, notice.next_at))
    assert state_of(notice)[0] == SendState.SENT


DOUBTS = [FaultKind.DROPPED_AFTER_ACCEPTING, FaultKind.GARBAGE_AFTER_ACCEPTING, FaultKind.TIMEOUT_AFTER_ACCEPTING]


@pytest.mark.parametrize("kind", ["smsc", "smsaero", "fcm", "hms"])
@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_may_have_been_taken_is_never_sent_again(vendors, kind, doubt):
    guest = n.a_guest()
    account = vendors.account(kind)
    if kind in ("fcm", "hms"):
        n.a_device(guest, n.an_app(), account)
        vendors.account("smsc")  # nor told by another way
    server = getattr(vendors, kind)
    server.faults.add(Fault(doubt, seconds=2, method="send"))
    notice = notify(guest)
    n.run(step=timedelta(hours=1))
    assert state_of(notice)[0] == SendState.FAILED
    assert notice.possibly_delivered
    assert len(server.accepted.after()) == 1
    assert notice.attempts.count() == 1


def test_a_dead_worker_may_have_told_it(vendors):
    vendors.account("smsc")
    notice = notify(n.a_guest())
    assert len(notices._claim(notice.pk, now=NOON)) == 1
    assert notices.recover_lost(now=NOON) == 0
    assert notices.recover_lost(now=NOON + notices.CLAIM + timedelta(seconds=1)) == 1
    assert state_of(notice) == (SendState.FAILED, "lost")
    assert notice.possibly_delivered
    late = [(attempt.pk, Sent(("1-a",))) for attempt in notice.attempts.all()]
    notices._finish(notice.pk, late, now=NOON)
    assert notice.attempts.get().state == SendState.SENT


def test_two_workers_tell_it_once(vendors):
    vendors.account("smsc")
    notice = notify(n.a_guest())
    assert notices._claim(notice.pk, now=NOON)
    assert notices.send(notice.pk, now=NOON) is None


# What the vendors tell afterwards.
def hear(account, body, headers, query=""):
    reply = checks.deliver(Client(), account, body, headers={}, query=query)
    assert reply.status_code == 200, headers
    checks.process_all(NOON)


def test_statuses_of_smsc_by_its_callback(vendors):
    account = vendors.account("smsc")
    notice = notify(n.a_guest())
    n.run()
    (sms,) = vendors.smsc.sent.values()
    for status, expected in ((1, SendState.DELIVERED), (2, SendState.READ), (1, SendState.READ), (0, SendState.READ)):
        sms.status = status
        body, headers = vendors.smsc.callback(sms)
        hear(account, body, headers)
        assert state_of(notice)[0] == expected
    assert checks.deliver(Client(), account, body.replace(b"status=0", b"status=1")).status_code == 403
    assert Client().get(f"/hooks/smsc/{account.public_id}/").content == b"OK"


def test_statuses_of_aero_by_the_address_it_was_given(vendors):
    account = vendors.account("smsaero")
    notice = notify(n.a_guest())
    n.run()
    (sms,) = vendors.smsaero.sent.values()
    sms.status = 1
    body, headers = vendors.smsaero.callback(sms)
    query = sms.callback.partition("?")[2]
    hear(account, body, headers, query)
    assert state_of(notice)[0] == SendState.DELIVERED
    assert checks.deliver(Client(), account, body, query=query.replace("k=", "k=0")).status_code == 403


def test_an_sms_that_did_not_arrive_is_told_by_the_next_way(vendors):
    account, other = vendors.account("smsc"), vendors.account("smsaero")
    ChannelAccount.objects.filter(pk=account.pk).update(name="a: first")
    notice = notify(n.a_guest())
    n.run()
    (sms,) = vendors.smsc.sent.values()
    sms.status, sms.err = 20, 253
    body, headers = vendors.smsc.callback(sms)
    hear(account, body, headers)
    assert state_of(notice)[0] == SendState.QUEUED
    n.run()
    assert state_of(notice)[0] == SendState.SENT
    assert [attempt.account for attempt in notice.attempts.order_by("number")] == [account, other]
    assert len(vendors.smsc.accepted.after()) == 1


def test_a_lost_status_is_asked_for(vendors):
    vendors.account("smsc")
    notice = notify(n.a_guest())
    n.run()
    (sms,) = vendors.smsc.sent.values()
    sms.status = 1
    n.ask_all(NOON + timedelta(minutes=3))
    assert state_of(notice)[0] == SendState.DELIVERED
    assert not NoticeAttempt.objects.filter(ask_at__isnull=False).exists()


def test_a_doubt_is_cleared_by_asking(vendors):
    vendors.account("smsc")
    vendors.smsc.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="send"))
    notice = notify(n.a_guest())
    n.run()
    assert state_of(notice)[0] == SendState.FAILED
    (sms,) = vendors.smsc.sent.values()
    sms.status = 1
    n.ask_all(NOON + timedelta(minutes=3))
    assert state_of(notice) == (SendState.DELIVERED, "")
    assert not notice.possibly_delivered


def test_questions_come_to_an_end(vendors):
    vendors.account("smsc")
    notify(n.a_guest())
    n.run()
    for hours in range(8):
        n.ask_all(NOON + timedelta(hours=hours))
    assert NoticeAttempt.objects.get().asked == 4
    assert notice_statuses.find_unanswered(now=NOON + timedelta(days=9)) == []


def test_a_foreign_status_is_no_matter(vendors):
    account = vendors.account("smsc")
    notice_statuses.apply(account=account, external_id="1-none", state="delivered", error="", now=NOON)
    assert not Notice.objects.exists()


def test_an_opt_out_at_the_vendor_is_kept(vendors):
    vendors.account("smsaero")
    vendors.smsaero.blacklist |= {"79161112233"}
    notice = notify(n.a_guest())
    n.run()
    vendors.smsaero.blacklist = frozenset()
    assert state_of(notice) == (SendState.FAILED, "no_consent")
    assert NoticeConsent.objects.get().withdrawn_at is not None


def test_no_number_stands_in_what_is_kept_of_faults(vendors):
    vendors.account("smsc")
    vendors.smsc.faults.add(Fault(FaultKind.BLOCKED))
    notice = notify(n.a_guest())
    n.run()
    attempt = notice.attempts.get()
    assert "79•••••••33" in attempt.error_text
    assert "9161112233" not in attempt.error_text


def test_devices_follow_who_is_signed_in(vendors):
    app, account = n.an_app(), vendors.account("fcm")
    guest = n.a_guest()
    row = n.a_device(guest, app, account)
    assert list(push.devices_of(guest)) == [row]
    newer = n.a_device(guest, app, account, token="device-token-2")
    assert list(push.devices_of(guest)) == [newer], "the vendor gave the device another token"
    somebody = n.a_guest(phone="", name="Борис")
    n.a_device(somebody, app, account, token="device-token-2", visitor="card:2")
    assert list(push.devices_of(guest)) == []
    assert list(push.devices_of(somebody)) == [newer]
    push.forget(app=app, device="d1", now=NOON)
    assert list(push.devices_of(somebody)) == []
    assert PushToken.objects.count() == 2


def test_a_guest_who_was_joined_to_another_is_told_as_that_one(vendors):
    vendors.account("smsc")
    was, now_is = n.a_guest(phone="", name="Аня"), n.a_guest()
    notice = notify(was)
    type(was).objects.filter(pk=was.pk).update(merged_into=now_is)
    n.run()
    assert state_of(notice)[0] == SendState.SENT


MIXED = (
    FaultKind.THROTTLED,
    FaultKind.SERVER_ERROR,
    FaultKind.LATE,
    FaultKind.DROPPED_AFTER_ACCEPTING,
    FaultKind.GARBAGE_AFTER_ACCEPTING,
)


def test_with_faults_mixed_in_none_is_doubled_and_none_is_lost(vendors):
    """48 guests, half with a device: each is told once; who was perhaps not told is marked so."""
    accounts = {kind: vendors.account(kind) for kind in ("smsc", "fcm", "hms")}
    app, chance = n.an_app(), random.Random(11)
    for server in (vendors.smsc, vendors.fcm, vendors.hms):
        for kind in chance.choices(MIXED, k=12):
            server.faults.add(Fault(kind, seconds=0.01, method="send"))
    for number in range(48):
        guest = n.a_guest(phone=f"+7916111{number:04}", name=f"Гость {number}")
        if number % 2:
            push = ("fcm", "hms")[number // 2 % 2]
            n.a_device(guest, app, accounts[push], token=f"device-token-{number}", device=f"d{number}", visitor=f"card:{number}")
        notify(guest, key=f"n{number}", text=f"Обращение {number} решено")
    n.run(step=timedelta(minutes=15), rounds=60)
    n.ask_all(NOON + timedelta(days=1))
    arrived = [entry["text"] for server in (vendors.smsc, vendors.fcm, vendors.hms) for entry in server.accepted.after()]
    assert len(arrived) == len(set(arrived)), "nobody was told twice"
    fate = {notice.text: (notice.state, notice.possibly_delivered) for notice in Notice.objects.all()}
    told = {text for text, (state, _doubt) in fate.items() if state in ("sent", "delivered", "read")}
    doubtful = {text for text, (state, doubt) in fate.items() if state == "failed" and doubt}
    assert told | doubtful == set(fate), "what did not arrive for sure was tried until it did"
    assert told <= set(arrived) <= told | doubtful
    assert doubtful, "the faults had their turn"
