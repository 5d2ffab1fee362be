"""What notices say, in the reader's language and time zone."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from escalation.ladder import Deed
from escalation.plans import Plan
from escalation.states import EventKind

FIELDS = ("subject", "line", "level", "due", "link")


@lru_cache(maxsize=256)
def _common(kind: EventKind, language: str, late: bool, has_due: bool) -> str:
    """The common text of a kind of notice with its fields open."""
    with translation.override(language):
        if kind == EventKind.REMINDED:
            parts = [_("Is “{subject}” still in hand? Please confirm, otherwise it will be called out again.")]
        elif kind == EventKind.UPDATE_DUE:
            parts = [_("News on “{subject}” are due. Please write how it stands.")]
        else:
            parts = [_("{line}, level {level}: {subject}."), _("Please take it before {due}.") if has_due else _("Please take it.")]
        if late:
            parts.append(_("This notice comes late: the calling had stopped for a while."))
        return " ".join(part for part in parts if part) + "\n{link}"


def text_of(plan: Plan, deed: Deed, *, title: str, link: str, due: datetime | None, language: str, zone: str, late: bool) -> str:
    """The text for one reader. The map's own texts win over the common one; unknown fields stay as they are."""
    own = (deed.step.message if deed.step else "") or (plan.message if deed.kind == EventKind.STEP else "")
    values = {
        "subject": title,
        "line": plan.name,
        "level": f"L{deed.level}",
        "due": due.astimezone(ZoneInfo(zone)).strftime("%d.%m %H:%M") if due else "",
        "link": f"{settings.PUBLIC_URL}{link}" if link else "",
    }
    return fill(own or _common(deed.kind, language, late, due is not None), values).strip()


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The text with `{name}` replaced; braces of any other kind are left alone, so no text can break it."""
    for name in FIELDS:
        text = text.replace(f"{{{name}}}", str(values[name]))
    return text


def heading_of(plan: Plan, level: int, title: str) -> str:
    """`S1 · L2 · Payments fail`."""
    return f"{plan.severity} · L{level} · {title}"[:200]
