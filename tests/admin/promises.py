"""Rows of promises that the admin shows."""

from tickets.models import PolicyRule


def everything(number, *, case):
    PolicyRule.objects.create(
        position=number, name=f"Правило {number}", topic=case.topic, store=case.store, group=case.group, policy=case.policy
    )  # fmt: skip
