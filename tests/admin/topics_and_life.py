"""Rows of topics in versions, of routing and of a ticket's life, for the walk over the admin panel."""

from datetime import timedelta

from django.utils import timezone

from sla.models import Calendar
from tests import builders as b
from tickets.models import ClosingCause, Detail, EntryDetail, GroupFallback, ReopenRule, RouteRule, RouteTest, WaitReason
from tickets.services import call_backs, versions


def everything(number, *, case, staff, group):
    """One of each; the newest version is a draft, whose entries can be changed."""
    now = timezone.now()
    detail = Detail.objects.create(code=f"detail-{number}", name=f"Деталь {number}")
    draft = versions.draft(by=staff, now=now, note=f"Черновик {number}")
    EntryDetail.objects.create(entry=draft.entries.order_by("pk").last(), detail=detail)
    rule = RouteRule.objects.create(position=number, name=f"Правило {number}", topic=case.topic, is_active=False)
    rule.groups.add(group)
    RouteTest.objects.create(rule=rule, name=f"Пример {number}", topic_code=case.topic.code, group=case.group)
    GroupFallback.objects.create(group=group, to=b.a_group())
    closing = ClosingCause.objects.create(code=f"closing-{number}", name=f"Решено {number}", kind="solved", topic=case.topic)
    calendar = Calendar.objects.get(code="always")
    WaitReason.objects.create(
        code=f"wait-{number}", name=f"Ждём {number}", calendar=calendar, remind_after=[1], reminder="Ждём!", close_after=2, closing=closing
    )
    ReopenRule.objects.create(topic=case.topic, days=number)
    call_backs.plan(case_id=case.pk, at=now + timedelta(hours=1), phone="", note="Перезвонить", by=staff, now=now)
