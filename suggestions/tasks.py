"""The nightly training, and the sweep over choices that no event brought."""

import structlog
from celery import shared_task
from django.utils import timezone

from accounts.models import Staff
from core.locks import only_one
from suggestions.services import choosing, current, training

log = structlog.get_logger(__name__)


@shared_task
def retrain_topics(*, by_id: int | None = None, **_kwargs: object) -> None:
    """Train the topic model; `by_id` = who asked for it, None = it is night. One at a time."""
    rules = current.rules()
    if not rules.is_on or (by_id is None and not rules.is_retrained):
        return
    version = training.retrain(by=Staff.objects.filter(pk=by_id).first() if by_id else None, now=timezone.now())
    log.info("topic training", version=version.pk if version else None, state=version.state if version else "not begun")


@shared_task
def note_choices(**_kwargs: object) -> None:
    """Write down choices that were missed; forget suggestions that came to nothing."""
    with only_one("suggestions.note_choices") as mine:
        if mine:
            choosing.note_missed(now=timezone.now())
            choosing.forget_unchosen(now=timezone.now())
