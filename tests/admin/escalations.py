"""Rows of escalation for the pages of the admin."""

from datetime import date, timedelta

from django.utils import timezone

from escalation.models import (
    Alarm,
    Contact,
    DryRun,
    DutyInterval,
    EscalationSettings,
    Hole,
    Hook,
    Layer,
    Override,
    Swap,
    UnmappedHit,
)  # fmt: skip
from escalation.services import tick
from escalation.tests import builders as e


def everything(number, *, case, staff):
    """One of each; `number` keeps them apart."""
    now = timezone.now()
    EscalationSettings.objects.get_or_create(pk=1)
    schedule = e.a_schedule(f"duty-{number}", people=[staff], lead=staff)
    role = e.a_role(f"role-{number}", schedule=schedule)
    other = e.a_colleague(f"zamena{number}")
    line = e.a_line(f"line-{number}", levels=[[("role", {"role": role}), ("wait", {"minutes": 5})]], owner=staff)
    line.map.pk, line.map.code = None, f"map-{number}"
    line.map.save()
    Layer.objects.filter(schedule=schedule).update(name=f"Слой {number}")
    hook = Hook(name=f"Система {number}", url=f"https://example.org/{number}")
    hook.set_secret("секрет")
    hook.save()
    later = {"starts_at": now, "ends_at": now + timedelta(days=1)}
    Override.objects.create(schedule=schedule, staff=staff, **later)
    Swap.objects.create(schedule=schedule, who=staff, by=other, proposed_at=now, **later)
    DutyInterval.objects.create(schedule=schedule, staff=staff, source="layer", starts_at=now)
    Contact.objects.create(staff=staff, channel="sms", address=f"+7900000000{number}")
    run = e.a_run(line, subject=f"incident:{number}", now=now)
    tick.tick(now=now)
    Alarm.objects.create(kind="overdue", run=run, raised_at=now, since=now)
    dry = DryRun.objects.create(date=date(2026, 1, number), ran_at=now, days=14, lines=1, hole_count=1)
    Hole.objects.create(dry_run=dry, line=line, kind="nobody", level=1, **later)
    UnmappedHit.objects.create(key=f"topic:{number}", date=now.date(), hits=number)
