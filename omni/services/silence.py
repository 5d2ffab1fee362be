"""The silence alarm: counts by the hour, what is usual, and who is told when an account brings too little."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncHour
from django.utils.translation import gettext as _

from omni.models import ChannelAccount, HourCount, InboundEvent, Silence, SilenceRule
from omni.silence import HOUR, WINDOW, Thresholds, Verdict, judge, known_weeks, learn
from omni.states import AccountState

log = structlog.get_logger(__name__)
# Counted in one round: the first one after months has much to catch up on.
AT_ONCE = timedelta(days=1)
KEPT = timedelta(weeks=27)
_DEFAULT_RULE = SilenceRule()


def count_hours(*, now: datetime) -> int:
    """Count the whole hours that have passed since the last count; returns how many hours were looked at. Safe to run twice."""
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    begin = _uncounted_since()
    if begin is None or begin >= until:
        return 0
    end = min(max(begin, until - KEPT) + AT_ONCE, until)
    came = InboundEvent.objects.filter(received_at__gte=begin, received_at__lt=end).order_by()
    rows = came.values("account", hour=TruncHour("received_at", tzinfo=UTC)).annotate(number=Count("pk"))
    known = {(row["account"], row["hour"]): row["number"] for row in rows}
    # A row of the last hour for everybody, be it zero, tells how far the count has come.
    counted_before = HourCount.objects.values_list("account", flat=True).distinct()
    for account_id in {*counted_before, *(account for account, _hour in known)}:
        known.setdefault((account_id, end - HOUR), 0)
    made = [HourCount(account_id=account, hour=hour, count=number) for (account, hour), number in known.items()]
    HourCount.objects.bulk_create(made, ignore_conflicts=True)
    HourCount.objects.filter(hour__lt=now - KEPT).delete()
    return int((end - begin) / HOUR)


def _uncounted_since() -> datetime | None:
    last: datetime | None = HourCount.objects.aggregate(last=Max("hour"))["last"]
    if last is not None:
        return last + HOUR
    first: datetime | None = InboundEvent.objects.aggregate(first=Min("received_at"))["first"]
    return first.astimezone(UTC).replace(minute=0, second=0, microsecond=0) if first else None


def watch(*, now: datetime) -> list[Silence]:
    """Judge every account that is in use; begin, end and tell alarms. Returns those that are open."""
    rules = {rule.account_id: rule for rule in SilenceRule.objects.all()}
    common, lately = rules.get(None, _DEFAULT_RULE), _lately(now=now)
    found = []
    for account in ChannelAccount.objects.exclude(state=AccountState.DISABLED):
        rule = rules.get(account.pk, common)
        verdict = _verdict(account, rule, lately.get(account.pk, (None, 0)), now=now) if rule.is_on else None
        silence = _keep(account, verdict, rule, now=now)
        found += [silence] if silence else []
    Silence.objects.filter(ended_at=None, account__state=AccountState.DISABLED).update(ended_at=now)
    return found


def _lately(*, now: datetime) -> Mapping[int, tuple[datetime | None, int]]:
    """By account: when the newest event came, and how many within WINDOW; of the time that is not counted in whole hours yet."""
    counted = _uncounted_since() or now
    recent = InboundEvent.objects.filter(received_at__gte=min(counted, now - WINDOW), received_at__lte=now).order_by()
    within = Count("pk", filter=Q(received_at__gt=now - WINDOW))
    rows = recent.values("account").annotate(last=Max("received_at"), seen=within)
    return {row["account"]: (row["last"], row["seen"]) for row in rows}


def _verdict(account: ChannelAccount, rule: SilenceRule, lately: tuple[datetime | None, int], *, now: datetime) -> Verdict | None:
    hours = dict(HourCount.objects.filter(account=account, hour__gte=now - timedelta(weeks=rule.weeks)).values_list("hour", "count"))
    if known_weeks(hours, now=now) < rule.least_weeks:
        return None
    zone = ZoneInfo(settings.TIME_ZONE)
    last, seen = lately
    spoke = [hour for hour, count in hours.items() if count]
    return judge(
        rates=learn(hours, now=now, weeks=rule.weeks, zone=zone),
        last_at=last or (max(spoke) + HOUR if spoke else min(hours)),
        seen=seen,
        now=now,
        thresholds=Thresholds(rule.least_minutes, rule.least_expected, rule.least_share / 100),
        zone=zone,
    )


def _keep(account: ChannelAccount, verdict: Verdict | None, rule: SilenceRule, *, now: datetime) -> Silence | None:
    with transaction.atomic():
        silence = Silence.objects.select_for_update(of=("self",)).filter(account=account, ended_at=None).first()
        if verdict is None:
            if silence is not None:
                silence.ended_at = now
                silence.save(update_fields=["ended_at"])
                log.info("the channel speaks again", account=account.name, silent_since=silence.since.isoformat())
            return None
        values: Mapping[str, object] = {"expected": round(verdict.expected, 1), "seen": verdict.seen}
        if silence is not None:
            Silence.objects.filter(pk=silence.pk).update(**values)
            return silence
        made = Silence.objects.create(account=account, since=verdict.since, noticed_at=now, **values)
    log.warning("the channel is silent", account=account.name, since=made.since.isoformat(), **values)
    _tell(made, rule, now=now)
    return made


def _tell(silence: Silence, rule: SilenceRule, *, now: datetime) -> None:
    """Write to the addresses of the rule; a mail server that is away loses the mail, not the alarm."""
    if not rule.addresses:
        return
    mail = EmailMessage(subject=_("Silence: %(account)s") % {"account": silence.account.name}, body=in_words(silence), to=rule.addresses)
    try:
        mail.send()
    except OSError:
        log.exception("the silence alarm could not be mailed", account=silence.account.name)
        return
    Silence.objects.filter(pk=silence.pk).update(told_at=now)


def in_words(silence: Silence) -> str:
    """The alarm as a sentence."""
    if silence.seen:
        sentence = _("%(account)s: %(seen)d events in an hour, where %(expected)d are usual.")
    else:
        sentence = _("%(account)s: nothing has come since %(since)s; about %(expected)d events are usual in that time.")
    local = silence.since.astimezone(ZoneInfo(settings.TIME_ZONE))
    since = f"{local:%d.%m.%Y %H:%M}"
    return sentence % {"account": silence.account.name, "seen": silence.seen, "expected": round(silence.expected), "since": since}
