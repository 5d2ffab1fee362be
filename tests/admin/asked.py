"""One of everything that is asked about a ticket, for the admin's pages."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Role
from tickets.asking import LetterKind
from tickets.models import Absence, Approval, ApprovalRule, CaseLetter, GuestNotice, GuestText, LetterText, StoreLink, Survey, SurveyRule
from tickets.services import numbers


def everything(number, *, case, topic, staff, other):
    """A store's link and letter, an approval and its rule, a notice, a mark; `number` keeps them apart."""
    now = timezone.now()
    numbers.current()
    times = {"created_at": now, "expires_at": now + timedelta(days=1)}
    link = StoreLink.objects.create(case=case, store=case.store, digest=f"digest {number}", sent_by=staff, **times)
    CaseLetter.objects.create(
        key=f"letter {number}", kind=LetterKind.STORE_ASKED, case=case, link=link, address="m@x.example", created_at=now
    )
    LetterText.objects.get_or_create(kind=list(LetterKind)[number % len(LetterKind)], defaults={"heading": "Письмо", "text": "{link}"})
    rule = ApprovalRule.objects.create(
        code=f"rule-{number}", name=f"Правило {number}", deed="close", topic=topic, role=Role.objects.first()
    )
    asked = {"asked_by": staff, "asked_at": now, "deadline_at": now + timedelta(days=1)}
    approval = Approval.objects.create(case=case, rule=rule, question="Можно закрыть?", **asked)
    approval.seats.create(staff=other)
    Absence.objects.create(staff=staff, substitute=other, since=now.date(), until=now.date())
    text = GuestText.objects.create(status="opened", topic=topic, title="Обращение", text="Открыто")
    GuestNotice.objects.create(case=case, status="opened", wording=text, created_at=now)
    survey = SurveyRule.objects.create(name=f"Опрос {number}", topic=topic, question="Как?", link_question="{link}")
    Survey.objects.create(case=case, rule=survey, expires_at=now, digest=f"mark {number}", asked_at=now, mark=4)
