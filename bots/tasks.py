"""Work of the bots outside requests: by id, one service each, safe to run twice."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from bots.services import mango, talking
from core.locks import only_one


@shared_task
def answer_turn(*, turn_id: int, **_kwargs: object) -> None:
    """Answer one word of a guest."""
    talking.answer(turn_id, now=timezone.now())


@shared_task
def lead_caller(*, account_id: int, heard: dict[str, Any], tries: int = 0, **_kwargs: object) -> None:
    """Tell Mango what to do with a caller whose keys it has told."""
    mango.lead(account_id, heard, tries=tries, now=timezone.now())


@shared_task
def sweep_turns(**_kwargs: object) -> None:
    """Answer what was not called up, and end talks in which the guest has fallen silent."""
    with only_one("bots.sweep_turns") as mine:
        if mine:
            for turn_id in talking.find_due(now=timezone.now()):
                talking.answer(turn_id, now=timezone.now())
            for run_id in talking.find_silent(now=timezone.now()):
                talking.end_silent(run_id, now=timezone.now())
