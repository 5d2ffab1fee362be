"""Commands carried out once: a repeat with the same key gets the first answer, and nothing happens twice."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.models import Command
from core.refusal import Refusal
from core.statements import Prepared, insert, update

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Answer = dict[str, Any]
_STORED = Prepared(lambda key: Command.objects.select_for_update().filter(key=key))


def parse_key(text: str | None) -> uuid.UUID:
    """The client's Idempotency-Key as a UUID. Raises Refusal when it is missing or no UUID."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        raise Refusal("no_key", _("The command needs an Idempotency-Key: a UUID that the client makes."), status=400) from None


def once(*, key: uuid.UUID, name: str, by: "AbstractBaseUser", run: Callable[[], Answer]) -> Answer:
    """Carry `run` out in one transaction together with its key; a repeat returns the stored answer.

    Two equal commands at the same time: the second waits for the first. Raises Refusal when the key belongs to another
    command or person, and whatever `run` raises (then nothing is kept and the key stays free).
    """
    with transaction.atomic():
        made = insert(Command(key=key, name=name, by_id=by.pk), or_nothing=True)
        stored = _STORED.get(key=key) if made._state.adding else made
        if stored.by_id != by.pk or stored.name != name:
            raise Refusal("key_reused", _("This Idempotency-Key belongs to another command."))
        if stored.answer is None:
            stored.answer = run()
            update(stored, "answer")
        answer: Answer = stored.answer
        return answer
