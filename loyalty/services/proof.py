"""The ledger proved against itself: what must be true is asked from the rows, and what is not raises an alarm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _t

from accounts.models import Staff
from core import audit
from core.events import publish
from core.refusal import Refusal
from loyalty.events import AlarmRaised
from loyalty.models import Alarm
from loyalty.states import AlarmCheck

# More wrong accounts than this are one disease, not a list to work through.
MOST_FINDINGS = 100
RECENT = timedelta(minutes=20)


@dataclass(frozen=True)
class Finding:
    """A proof that failed. `subject` says where, empty = the ledger as a whole."""

    check: AlarmCheck
    subject: str
    expected: int | None
    found: int | None


_SUM_ZERO = """
select '', 0::bigint, total from (
    select (select coalesce(sum(balance), 0) from loyalty_account) + (select coalesce(sum(amount), 0) from loyalty_housedelta) as total
) x where total <> 0
"""
_BALANCE = """
with legs as (
    select account, sum(amount) as amount from (
        select credit_id as account, sum(amount) as amount from loyalty_transfer group by 1
        union all select debit_id, -sum(amount) from loyalty_transfer group by 1
    ) both_sides group by 1
), deltas as (select account_id as account, sum(amount) as amount from loyalty_housedelta group by 1)
select 'account:' || coalesce(a.id, l.account), coalesce(l.amount, 0), coalesce(a.balance, 0) + coalesce(d.amount, 0)
from loyalty_account a full join legs l on l.account = a.id left join deltas d on d.account = a.id
where coalesce(l.amount, 0) <> coalesce(a.balance, 0) + coalesce(d.amount, 0) limit %(most)s
"""
# Wallets that moved lately, each by its own two index walks: house accounts are too long for this.
_BALANCE_RECENT = """
with touched as (
    select distinct a.id, a.balance from loyalty_transfer t join loyalty_account a on a.id in (t.debit_id, t.credit_id)
    where t.at >= %(since)s and a.kind <> 'house'
), sums as (
    select id, balance, (select coalesce(sum(amount), 0) from loyalty_transfer where credit_id = touched.id)
        - (select coalesce(sum(amount), 0) from loyalty_transfer where debit_id = touched.id) as legs from touched
)
select 'account:' || id, legs, balance from sums where legs <> balance limit %(most)s
"""
_RESERVED = """
with held as (select account_id, sum(amount) as amount from loyalty_reservation where state = 'open' group by 1)
select 'account:' || a.id, coalesce(h.amount, 0), a.reserved from loyalty_account a left join held h on h.account_id = a.id
where a.reserved <> coalesce(h.amount, 0) limit %(most)s
"""
_RESOLVED_ONCE = """
select 'reservation:' || r.id, r.posted, coalesce(sum(t.amount), 0)
from loyalty_reservation r left join loyalty_transfer t on t.reservation = r.id
where r.state <> 'open' or t.id is not null
group by r.id, r.posted having r.posted <> coalesce(sum(t.amount), 0) or count(t.id) > 1 limit %(most)s
"""
_LOTS = """
with held as (select account_id, sum("left") as amount from loyalty_lot where "left" > 0 group by 1)
select 'account:' || a.id, coalesce(h.amount, 0), a.balance from loyalty_account a left join held h on h.account_id = a.id
where a.kind in ('available', 'pending') and a.balance <> coalesce(h.amount, 0) limit %(most)s
"""
_LOT_USES = """
with used as (select lot_id, sum(amount - returned) as amount from loyalty_lotuse group by 1)
select 'lot:' || l.id, coalesce(u.amount, 0), l.amount - l."left" from loyalty_lot l left join used u on u.lot_id = l.id
where l.amount - l."left" <> coalesce(u.amount, 0) limit %(most)s
"""
FULL = (
    (AlarmCheck.SUM_ZERO, _SUM_ZERO),
    (AlarmCheck.BALANCE, _BALANCE),
    (AlarmCheck.RESERVED, _RESERVED),
    (AlarmCheck.RESOLVED_ONCE, _RESOLVED_ONCE),
    (AlarmCheck.LOTS, _LOTS),
    (AlarmCheck.LOT_USES, _LOT_USES),
)
QUICK = ((AlarmCheck.SUM_ZERO, _SUM_ZERO), (AlarmCheck.BALANCE, _BALANCE_RECENT), (AlarmCheck.RESERVED, _RESERVED))


def find_faults(*, now: datetime, full: bool = True) -> list[Finding]:
    """What is wrong. Each proof is one statement, so that it sees one moment of a ledger that goes on moving.

    Not `full`: the sum, what is reserved, and accounts that moved in the last minutes.
    """
    return [finding for check, sql in (FULL if full else QUICK) for finding in _ask(check, sql, now)]


def _ask(check: AlarmCheck, sql: str, now: datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"most": MOST_FINDINGS, "since": now - RECENT})
        for subject, expected, found in cursor.fetchall():
            yield Finding(check, subject, int(expected), int(found))


def prove(*, now: datetime, full: bool = True) -> Sequence[Alarm]:
    """Prove the ledger and raise an alarm for each fault; the alarms that are new."""
    return [alarm for finding in find_faults(now=now, full=full) if (alarm := raise_alarm(finding, now=now))]


def raise_alarm(finding: Finding, *, now: datetime, text: str = "") -> Alarm | None:
    """A row that stays open until a person closes it; None when the same fault has an open one, which is seen again."""
    facts = {"expected": finding.expected, "found": finding.found, "text": text[:400], "seen_at": now}
    with transaction.atomic():
        alarm, made = Alarm.objects.get_or_create(
            check_name=finding.check, subject=finding.subject, closed_at=None, defaults={**facts, "raised_at": now}
        )
        if made:
            publish(AlarmRaised(alarm.pk))
            return alarm
        Alarm.objects.filter(pk=alarm.pk).update(**facts)
    return None


def close_alarm(*, alarm: Alarm, answer: str, by: Staff, now: datetime) -> None:
    """A person says what was done. Raises Refusal without words, or when it was closed before."""
    if not answer.strip():
        raise Refusal("no_answer", _t("Say what was done about it."), status=400)
    with transaction.atomic():
        if not Alarm.objects.filter(pk=alarm.pk, closed_at=None).update(closed_at=now, closed_by=by, answer=answer):
            raise Refusal("closed", _t("This alarm was closed before."))
        audit.record(action="points_alarm.closed", by=by, subject=alarm, now=now, details={"answer": answer})
