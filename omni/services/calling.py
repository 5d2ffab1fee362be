"""Calling a guest back from the dialogue: the exchange rings the operator's telephone, then the guest's."""

import uuid
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from core.secrets import SecretLost
from omni.channels.contract import Failed, Retry
from omni.channels.registry import ADAPTERS, adapter_for
from omni.channels.telephony.calling import CallingBack
from omni.models import Extension, Session
from omni.states import AccountState


def call_back(*, session_id: int, by: Staff, now: datetime) -> str:
    """Ring `by`, then the guest of the dialogue; returns the guest's number. Not inside a transaction: the exchange is asked.

    Raises Refusal: no number, no telephone of this person in an exchange that can do it, the exchange's own words.
    """
    session = Session.objects.select_related("guest", "identity", "account").filter(pk=session_id).first()
    if session is None:
        raise Refusal("not_found", _("There is no such dialogue."), status=404)
    number = _number(session)
    if not number:
        raise Refusal("no_number", _("The guest's telephone number is not known."))
    extension = _telephone(session, by)
    if extension is None:
        raise Refusal("no_telephone", _("You have no telephone in an exchange that can call guests."))
    _ring(extension, number)
    with transaction.atomic():
        audit.record(action="call.ordered", by=by, subject=session, now=now, details={"extension": extension.number})
    return number


def _number(session: Session) -> str:
    address = session.identity.address
    return address if address.startswith("+") and address[1:].isdigit() else session.guest.phone


def _telephone(session: Session, staff: Staff) -> Extension | None:
    """The person's telephone, first of all in the exchange through which the guest has called."""
    able = [adapter.kind for adapter in ADAPTERS if isinstance(adapter, CallingBack)]
    found = Extension.objects.select_related("account").filter(staff=staff, account__kind__in=able)
    mine = list(found.exclude(account__state=AccountState.DISABLED).order_by("pk"))
    return min(mine, key=lambda one: one.account_id != session.account_id, default=None)


def _ring(extension: Extension, number: str) -> None:
    adapter = adapter_for(extension.account.kind)
    if not isinstance(adapter, CallingBack):
        raise Refusal("no_telephone", _("You have no telephone in an exchange that can call guests."))
    try:
        result = adapter.call_back(extension.account.config(), extension=extension.number, number=number, key=uuid.uuid4().hex)
    except SecretLost as fault:
        raise Refusal("exchange_refused", str(fault)) from fault
    if isinstance(result, Failed | Retry):
        raise Refusal("exchange_refused", _("The exchange does not call: %(text)s") % {"text": result.text})
