"""Who agreed to notices by SMS, and who wants none: by number, whoever of our guests has it."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from core.text import storable
from omni.channels.phones import international
from omni.models import NoticeConsent, NoticeMedium


def give(*, phone: str, source: str, by: Staff | None, now: datetime) -> NoticeConsent:
    """Notices may go to the number; what was withdrawn is given anew. Raises Refusal when it is no number."""
    return _note(phone, {"given_at": now, "withdrawn_at": None, "source": source}, by, "notices.allowed", now)


def withdraw(*, phone: str, source: str, by: Staff | None, now: datetime) -> NoticeConsent:
    """No more notices to the number, whether any were allowed before or not. Raises Refusal when it is no number."""
    return _note(phone, {"withdrawn_at": now, "source": source}, by, "notices.refused", now)


def _note(phone: str, values: dict[str, object], by: Staff | None, action: str, now: datetime) -> NoticeConsent:
    number = international(phone)
    if not number:
        raise Refusal("phone", _("This is no telephone number."), status=400)
    values["source"] = storable(str(values["source"]))[:200]
    row, _made = NoticeConsent.objects.update_or_create(channel=NoticeMedium.SMS, address=number, defaults={**values, "by": by})
    audit.record(action=action, by=by, subject=row, now=now, details={"source": values["source"]})
    return row


def is_given(phone: str) -> bool:
    """Whether notices may go to the number."""
    agreed = NoticeConsent.objects.filter(channel=NoticeMedium.SMS, address=phone, given_at__isnull=False, withdrawn_at__isnull=True)
    return agreed.exists()
