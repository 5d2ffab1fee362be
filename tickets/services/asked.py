"""Details that a topic asks for: as a form shows them, and as a ticket keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from core.statements import Among, Prepared
from tickets.details import BadDetail, DetailSpec, read_all
from tickets.masking import without_contacts
from tickets.models import Case, Detail, Topic
from tickets.routing import Need, Resolved, resolve
from tickets.services import topics

_DETAILS = Prepared(lambda codes: Detail.objects.filter(Among("code", codes)))


def specs_of(resolved: Resolved, known: Mapping[str, Detail]) -> list[DetailSpec]:
    """What the topic asks for, in the details' own order. `known` = details by code."""
    asked = [(known[rule.code], rule.need) for rule in resolved.details if rule.code in known]
    asked.sort(key=lambda pair: (pair[0].position, pair[0].name))
    return [DetailSpec(one.code, one.shown_name, one.kind, need == Need.REQUIRED, one.hint, tuple(one.options)) for one, need in asked]


def specs_for(topic: Topic) -> Sequence[DetailSpec]:
    """What tickets on the topic are asked for."""
    resolved = topics.resolved(topic)
    if not resolved.details:
        return []
    found = _DETAILS.all(codes=[rule.code for rule in resolved.details])
    return specs_of(resolved, {one.code: one for one in found})


def specs_of_all(topic_ids: Sequence[int]) -> Mapping[int, Sequence[DetailSpec]]:
    """The same for many topics at once."""
    known, tree = {one.code: one for one in Detail.objects.all()}, topics.facts()
    return {pk: specs_of(resolve(pk, tree), known) for pk in topic_ids if pk in tree}


def checked(topic: Topic, given: Mapping[str, object], *, now: datetime) -> dict[str, str]:
    """The details as the ticket keeps them. Raises Refusal: one is missing, wrong or unknown."""
    specs = specs_for(topic)
    try:
        return read_all(specs, given, today=timezone.localdate(now))
    except BadDetail as fault:
        name = next((spec.name for spec in specs if spec.code == fault.code), fault.code)
        text = _("%(name)s: %(why)s") % {"name": name, "why": fault.why}
        raise Refusal("bad_detail", text, status=400) from None


def carried(case: Case, topic: Topic, given: Mapping[str, object], *, now: datetime) -> dict[str, str]:
    """The details of a ticket that goes on under another topic: what it asks for, given now or known before, and all else that was known.

    Raises Refusal as `checked`.
    """
    asks = {spec.code for spec in specs_for(topic)}
    known = {code: value for code, value in case.details.items() if code in asks}
    rest = {code: value for code, value in case.details.items() if code not in asks}
    return rest | checked(topic, {**known, **given}, now=now)


def shown(case: Case) -> list[tuple[str, str]]:
    """The ticket's details in words, in the details' order."""
    if not case.details:
        return []
    known = _DETAILS.all(codes=list(case.details))
    return [(one.shown_name, _value(one, case.details[one.code])) for one in sorted(known, key=lambda one: (one.position, one.name))]


def for_store(case: Case) -> list[tuple[str, str]]:
    """The details for who needs the matter and not the person."""
    return [(name, without_contacts(value)) for name, value in shown(case)]


def _value(detail: Detail, value: Any) -> str:
    if detail.kind == "yes_no":
        return str(_("yes") if value == "yes" else _("no"))
    if detail.kind == "date":
        year, month, day = str(value).split("-")
        return f"{day}.{month}.{year}"
    return str(value)
