"""Rows of duplicates, links, incidents and mass jobs, for the walk over the admin panel."""

from django.utils import timezone

from tests import builders as b
from tickets.models import (
    BurstRule,
    CaseLink,
    CommonWord,
    Incident,
    Likeness,
    LikenessPolicy,
    LikenessRule,
    MassItem,
    MassJob,
    SharedTopic,
)


def everything(number, *, case, other, staff):
    """One of each; rules of a fixed number are there from the first call on."""
    now = timezone.now()
    LikenessRule.objects.get_or_create(code="same_guest", defaults={"points": 36})
    LikenessPolicy.objects.get_or_create(pk=1)
    CommonWord.objects.create(word=f"слово{number}")
    SharedTopic.objects.create(topic=case.topic)
    Likeness.objects.get_or_create(case=other, other=case, defaults={"score": 60, "reasons": [["same_guest", 36]], "found_at": now})
    CaseLink.objects.create(kind="related", case=other, main=case, at=now, by=staff)
    BurstRule.objects.create(branch=case.topic)
    place = {"scope": "store", "store": b.a_store(str(70 + number)), "branch": case.topic, "group": case.group}
    Incident.objects.create(number=f"i{number}", seen=5, usual=1, since=now, made_at=now, **place)
    job = MassJob.objects.create(kind="close", title=f"Работа {number}", made_at=now, made_by=staff, total=1)
    MassItem.objects.create(job=job, case=case, state="refused", code="wrong_state", reason="Не может", channel="webchat")
