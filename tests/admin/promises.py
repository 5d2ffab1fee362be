"""Rows of promises that the admin shows."""

from django.utils import timezone

from sla.models import TermsChange
from tickets.models import PolicyRule


def everything(number, *, case):
    TermsChange.objects.create(policy=case.policy, made_at=timezone.now())
    PolicyRule.objects.create(
        position=number, name=f"Правило {number}", topic=case.topic, store=case.store, group=case.group, policy=case.policy
    )  # fmt: skip
