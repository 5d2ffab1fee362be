"""From what the guest of a dialogue writes: kept with it, shown to the operator."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from omni.models import Session, SessionFacts
from stores.models import Store

MOST = 12
LONGEST = 240


def keep(*, session: Session, facts: Mapping[str, object], now: datetime) -> None:
    """What the newest message says of the app and the store; the same again changes nothing. Call inside a transaction."""
    told = {str(name)[:40]: str(value)[:LONGEST] for name, value in list(facts.items())[:MOST] if value}
    known = SessionFacts.objects.filter(session=session).values_list("facts", flat=True).first()
    if told and told != known:
        SessionFacts.objects.update_or_create(session=session, defaults={"facts": told, "updated_at": now})


def shown(session: Session) -> list[tuple[str, str]]:
    """The facts of a dialogue as the operator reads them: name and value, in words. Only apps tell some."""
    if session.account.kind != "mobile":
        return []
    facts = SessionFacts.objects.filter(session=session).values_list("facts", flat=True).first() or {}
    app = " ".join(part for part in (facts.get("version"), _platform(facts.get("platform", ""))) if part)
    device = ", ".join(part for part in (facts.get("model"), facts.get("system")) if part)
    lines = [(_("App"), app), (_("Device"), device), (_("Store chosen in the app"), _store(facts.get("store", "")))]
    return [(name, value) for name, value in [*lines, (_("Program"), facts.get("user_agent", ""))] if value]


def _platform(code: str) -> str:
    return {"android": "Android", "ios": "iOS", "harmony": "HarmonyOS"}.get(code, code)


def _store(number: str) -> str:
    return str(Store.objects.filter(number=number).first() or number) if number else ""
