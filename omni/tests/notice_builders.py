"""Guests, accounts and vendors of notices to test with."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from customers.models import Guest
from customers.services import identities
from omni.models import Notice, NoticeAttempt
from omni.services import consents, notice_statuses, notices, push
from omni.states import SendState
from tests import builders as b
from tests.providers import hms, smsaero, smsc
from tests.providers.fcm import FcmServer
from tests.providers.frame import Frame
from tests.providers.hms import HmsServer
from tests.providers.smsaero import SmsAeroServer
from tests.providers.smsc import SmscServer

# Noon in Moscow.
NOON = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PHONE = "+79161112233"


@contextmanager
def vendors(**options):
    """The four vendors on one port."""
    with Frame(SmscServer(**options), SmsAeroServer(), FcmServer(), HmsServer()) as frame:
        yield Vendors(frame)


class Vendors:
    def __init__(self, frame):
        self.frame = frame
        self.smsc, self.smsaero, self.fcm, self.hms = frame.providers

    def reset(self):
        for provider in self.frame.providers:
            provider.reset()

    def violations(self):
        return [one for provider in self.frame.providers for one in provider.violations.after()]

    def account(self, kind, **settings):
        """An account of the product that talks to the vendor."""
        base = {"api_base": self.frame.url, "read_timeout": 1}
        given, secrets = {
            "smsc": ({}, {"api_key": smsc.API_KEY, "callback_secret": smsc.CALLBACK_SECRET}),
            "smsaero": ({"email": smsaero.EMAIL, "sign": smsaero.SIGN}, {"api_key": smsaero.API_KEY, "callback_secret": "demo"}),
            "fcm": ({}, {"service_account": self.fcm.service_account()}),
            "hms": ({"app_id": hms.APP_ID, "token_address": f"{self.frame.url}/oauth2/v3/token"}, {"app_secret": hms.APP_SECRET}),
        }[kind]
        return b.an_account(kind, settings={**base, **given, **settings}, **secrets)


def an_app(**settings):
    return b.an_account("mobile", settings={"site_key": "app", **settings}, identity_key="demo-widget-secret")


def a_guest(phone=PHONE, agrees=True, name="Анна"):
    guest = Guest.objects.create(name=name, phone=phone, created_at=NOON)
    if agrees and phone:
        consents.give(phone=phone, source="card", by=None, now=NOON)
    return guest


def a_device(guest, app, account, token="device-token-1", device="d1", visitor="card:7700001", **more):
    """The guest is signed in to the app on a device that takes pushes."""
    identity = identities.recognise(channel="mobile", scope=str(app.public_id), external_id=visitor, name="", now=NOON)
    type(identity).objects.filter(pk=identity.pk).update(guest=guest)
    told = {"platform": "android", "app_version": "5.12.0", "time_zone": "Europe/Moscow", **more}
    takes = told.pop("takes_notices", True)
    where = push.Device(app=app, visitor=visitor, key=device, **told)
    return push.register(device=where, account=account, token=token, takes_notices=takes, now=NOON)


def a_told_guest(guest, account, number, now):
    """A notice with a try, and a consent: one row of each."""
    notice = notices.notify(guest=guest, text="Обращение решено", key=f"told:{number}", now=now)
    values = {"channel": "sms", "account": account, "recipient": PHONE, "created_at": now, "error_code": "undelivered"}
    NoticeAttempt.objects.create(notice=notice, number=1, state=SendState.FAILED, **values)
    consents.give(phone=f"+7916111{number:04}", source="card", by=None, now=now)
    return notice


def run(now=NOON, rounds=30, step=timedelta(minutes=1)):
    """The worker's part: send what is due, then the clock goes on; returns the last time."""
    for _time in range(rounds):
        if not Notice.objects.filter(state=SendState.QUEUED).exists():
            break
        for notice_id in notices.find_due(now=now):
            notices.send(notice_id, now=now)
        now += step
    return now


def ask_all(now):
    """Ask the vendors about everything there is to ask, whatever the time."""
    NoticeAttempt.objects.filter(ask_at__isnull=False).update(ask_at=now)
    for attempt_id in notice_statuses.find_unanswered(now=now):
        notice_statuses.ask(attempt_id, now=now)
