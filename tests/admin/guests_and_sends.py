"""Joined guests, outgoing rules and silences for the admin's pages."""

from customers.models import GuestMerge, MatchRule, MergePolicy, Segment, SegmentMark, SegmentRule
from customers.services import merging
from omni.models import Fallback, FallbackStep, MessageTemplate, Silence, SilenceRule
from tests import builders as b


def everything(number, *, account, message, staff, now):
    """A row in every table; `number` keeps them apart."""
    MatchRule.objects.get_or_create(code="phone", defaults={"weight": 60})
    MergePolicy.objects.get_or_create(pk=1)
    segment = Segment.objects.create(code=f"segment-{number}", name="Постоянные")
    SegmentRule.objects.create(segment=segment, measure="orders_total", least=1000)
    SegmentMark.objects.create(guest=message.guest, segment=segment, reason="Так", by=staff, at=now)
    b.receive(account, b.webchat_event(visitor=f"other-{number}", name=f"Двойник {number}"), now=now)
    gone = type(message.guest).objects.order_by("-pk").first()
    merging.merge(kept_id=message.guest_id, gone_id=gone.pk, by=staff, now=now, reasons=["phone"], score=60)
    assert GuestMerge.objects.exists()
    MessageTemplate.objects.create(account=account, name=f"text-{number}", body="{{1}}", parameters=["Имя"], state="approved")
    FallbackStep.objects.create(queue=account.queue, channel="telegram")
    Fallback.objects.create(origin=message, reason="Гость заблокировал нас", at=now)
    SilenceRule.objects.create(account=account)
    Silence.objects.create(account=account, since=now, noticed_at=now, expected=12, seen=0)
