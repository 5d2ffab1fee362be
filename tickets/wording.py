"""Routing and history in words, for the desk, the admin panel and programs."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.models import CaseStep
from tickets.states import CaseState, Cause, Priority, Step


def why_here(routing: Mapping[str, Any]) -> list[str]:
    """Why a ticket is where it is, in sentences: by whom or by which rule, how equals were compared, who stands in."""
    way: Mapping[str, Any] = routing.get("way") or {}
    words = [_origin(routing, way)]
    if equals := way.get("equals"):
        loads = ", ".join(f"{one['group']} {one['open']}/{one['capacity']}" for one in equals)
        words.append(_("Least loaded of equals: %(loads)s") % {"loads": loads})
    words.append(_stand_in(way))
    if name := way.get("person"):
        load = way.get("load")
        words.append(
            _("To %(name)s, who has the least work: %(open)s of %(capacity)s") % {"name": name, **load}
            if load
            else _("To %(name)s by name") % {"name": name}
        )
    if name := way.get("absent"):
        words.append(_("%(name)s does not work here any more, so the group has it") % {"name": name})
    if way.get("nobody_on_line"):
        words.append(_("Nobody of the group is on line, so it waits in the queue"))
    if routing.get("to_store"):
        words.append(_("The store answers first"))
    words.append(_promised(routing.get("promise") or {}))
    return [word for word in words if word]


def _origin(routing: Mapping[str, Any], way: Mapping[str, Any]) -> str:
    if reason := routing.get("rerouted"):
        return _("Sent here by a colleague: %(reason)s") % {"reason": reason}
    if rule := way.get("rule"):
        return _("By the rule “%(rule)s”") % {"rule": rule["name"]}
    source = (routing.get("sources") or {}).get("group_id")
    return _("By the topic “%(topic)s”") % {"topic": source} if source else ""


def _promised(promise: Mapping[str, Any]) -> str:
    """Where the promises come from; empty when they are the topic's own."""
    if rule := promise.get("rule"):
        return _("Promised by the rule “%(rule)s” (number %(place)d in the order)") % {"rule": rule, "place": promise.get("place", 0)}
    if by := promise.get("by"):
        return _("Promised as %(name)s chose: %(reason)s") % {"name": by, "reason": promise.get("reason", "")}
    return ""


def _stand_in(way: Mapping[str, Any]) -> str:
    stand_in = way.get("stand_in")
    if not stand_in:
        return _("Nobody is in the group at present") if way.get("empty") else ""
    reasons = {
        "off": _("Stands in for “%(group)s”, which is not in use"),
        "empty": _("Stands in for “%(group)s”, in which nobody is at present"),
        "none": _("Stands in: no group is set for this topic"),
    }
    return reasons[stand_in["why"]] % {"group": stand_in["for"]}


def step_name(step: CaseStep) -> str:
    """What happened, in a few words."""
    details = step.details
    if step.step == Step.MOVED:
        return str(CaseState(step.state).label)
    if step.step == Step.CALL_SET and details.get("dropped"):
        return _("a call is not needed any more")
    return str(Step(step.step).label)


def step_text(step: CaseStep) -> str:
    """More about it: reasons, causes, what changed; empty when the name says it all."""
    details = step.details
    teller = _TELLERS.get(Step(step.step))
    words = [teller(details)] if teller else []
    words += [str(details[name]) for name in ("reason", "note") if isinstance(details.get(name), str)]
    return "; ".join(word for word in words if word)


def _routed(details: Mapping[str, Any]) -> str:
    if "from" in details:
        return _("from %(place)s") % {"place": details["from"]}
    return "; ".join(why_here(details))


def _closed(details: Mapping[str, Any]) -> str:
    cause = details.get("cause", "")
    return str(details.get("closing") or (Cause(cause).label if cause in Cause.values else ""))


def _from_to(details: Mapping[str, Any]) -> str:
    return f"{details['from']} → {details['to']}" if "from" in details and "to" in details else ""


def _reminded(details: Mapping[str, Any]) -> str:
    number = int(details.get("number") or 0)
    said = ngettext("reminder %(number)s", "reminder %(number)s", number) % {"number": number} if number else ""
    return "; ".join(word for word in (said, _not_sent(details)) if word)


def _not_sent(details: Mapping[str, Any]) -> str:
    return _("not sent: %(why)s") % {"why": details["not_sent"]} if details.get("not_sent") else ""


def _moved(details: Mapping[str, Any]) -> str:
    return _("the guest could not be reached, so people look at it") if details.get("unreached") else ""


def _priority(details: Mapping[str, Any]) -> str:
    return f"{priority_word(details['from'])} → {priority_word(details['to'])}"


def priority_word(priority: int) -> str:
    """As people say it; a number that only programs name, by its figures."""
    return str(Priority(priority).label) if priority in Priority.values else str(priority)


def _linked(details: Mapping[str, Any]) -> str:
    return _("goes on from № %(number)s") % {"number": details["previous"]} if "previous" in details else ""


_TELLERS = {
    Step.ROUTED: _routed,
    Step.CLOSED: _closed,
    Step.TERMS: _from_to,
    Step.RECLASSIFIED: _from_to,
    Step.REMINDED: _reminded,
    Step.MOVED: _moved,
    Step.LINKED: _linked,
    Step.PRIORITY: _priority,
}
