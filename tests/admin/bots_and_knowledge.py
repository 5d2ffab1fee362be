"""Dialogues, talks, articles and orders for the admin's pages."""

from datetime import timedelta

from django.db import transaction

from bots.models import Dialogue, Run, SkillUse
from bots.services import scripts
from knowledge.models import Article
from orders.models import StateWords, StatusRule
from orders.services import importing
from orders.states import OrderState
from orders.types import Line, Told


def everything(number, *, session, now):
    """A row in every table; `number` keeps them apart."""
    dialogue = Dialogue.objects.create(code=f"dialogue-{number}", name=f"Бот {number}")
    with transaction.atomic():
        draft = scripts.first_draft(dialogue, by=None, now=now)
    scripts.publish(draft.pk, by=None, now=now)
    scripts.new_draft(draft.pk, by=None, now=now)
    opened = now - timedelta(minutes=number)
    run = Run.objects.create(version=draft, account=session.account, session=session, opened_at=opened, place={"step": "start"})
    SkillUse.objects.create(run=run, guest=session.guest, skill="stores", outcome="done", at=now)
    Article.objects.create(code=f"article-{number}", title=f"Статья {number}", answer="Ответ", is_published=True)
    StatusRule.objects.create(source="own", raw_status=f"status-{number}", state=OrderState.PLACED)
    StateWords.objects.get_or_create(state=OrderState.values[number % len(OrderState.values)], defaults={"words": "Заказ {number}"})
    told = Told("own", f"A-{number}", f"status-{number}", now, now, lines=[Line("Кефир", 1, 90)])
    importing.load([told], by=None, now=now)
