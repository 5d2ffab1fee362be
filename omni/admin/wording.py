"""Decisions of the distribution in words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Staff
from omni.choosing import Verdict, Why, Work
from omni.models import Decision, DeclineReason, Skill
from omni.states import DecisionKind, Strategy

REASONS = {
    Why.STATE: _("not ready: on a break, away or in after-work"),
    Why.SILENT: _("the screen gives no sign of life"),
    Why.REFUSED: _("declined, missed or returned it a moment ago"),
    Why.ROOM: _("no room: the load is up to the capacity"),
    Why.CHANNEL: _("has as many dialogues of this channel as allowed"),
    Why.SKILL: _("lacks a skill that it needs, or the level"),
    Why.GROUP: _("in another group"),
}


def explained(decision: Decision) -> str:
    """Why a dialogue went to this person, or what came of an offer, as a sentence or two."""
    because = decision.explanation
    if decision.kind == DecisionKind.FORCED:
        return _t("A supervisor gave it: %(reason)s") % {"reason": because.get("reason") or "–"}
    if decision.kind not in {DecisionKind.GIVEN, DecisionKind.OFFERED}:
        reason = DeclineReason.objects.filter(code=because.get("reason") or "").first()
        text = _t("%(what)s after %(seconds)d s") % {"what": decision.get_kind_display(), "seconds": because.get("after_seconds", 0)}
        return f"{text}: {reason}" if reason else text
    return _reasoned(because)


def _reasoned(because: Mapping[str, Any]) -> str:
    text = _t(
        "Rank 1 of %(of)d; load %(load)s, the dialogue weighs %(weight)s; without new work for %(idle)d s; "
        "the guest had waited %(waited)d s."
    ) % {
        "of": because.get("of", len(because.get("next_best", [])) + 1),
        "load": because.get("load_before", "?"),
        "weight": because.get("weight", "?"),
        "idle": because.get("idle_seconds", 0),
        "waited": because.get("waited_seconds", 0),
    }
    more = []
    if because.get("strategy") in Strategy.values:
        more.append(_t("Rule: %(rule)s.") % {"rule": Strategy(because["strategy"]).label})
    if because.get("ring", 1) > 1:
        more.append(_t("Ring %(number)d was open.") % {"number": because["ring"]})
    if because.get("preferred"):
        more.append(_t("Had this guest last."))
    return " ".join([text, *more])


def needs_in_words(needs: Iterable[Sequence[int]]) -> str:
    """Skills with their levels."""
    levels = {pair[0]: pair[1] for pair in needs}
    names = Skill.objects.in_bulk(list(levels))
    return ", ".join(f"{names.get(skill, '?')} {level}" for skill, level in levels.items()) or _t("none")


def left_out(people: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Who could not get it, by reason: the reason and the names, as many as were kept."""
    names = Staff.objects.in_bulk([pk for group in people.values() for pk in group["staff"]])
    found = []
    for why, group in people.items():
        listed = ", ".join(str(names.get(pk, "?")) for pk in group["staff"])
        rest = group["count"] - len(group["staff"])
        more = ngettext("and %(count)d more", "and %(count)d more", rest) % {"count": rest} if rest > 0 else ""
        found.append((str(REASONS.get(Why(why), why)), " ".join(part for part in (listed, more) if part)))
    return found


def verdict_in_words(work: Work, verdict: Verdict) -> list[tuple[str, str]]:
    """What would be decided at this moment, and why: pairs for a list."""
    people = {str(why): {"count": len(ids), "staff": list(ids)[:20]} for why, ids in verdict.left_out.items()}
    names = Staff.objects.in_bulk([one.id for one in verdict.ranked[:6]])
    able = ", ".join(f"{names.get(one.id, '?')} ({one.load}/{one.capacity})" for one in verdict.ranked[:6])
    waits_for = Staff.objects.filter(pk=verdict.waits_for).first() if verdict.waits_for else None
    pairs = [
        (_t("could get it now, the best first"), able or _t("nobody")),
        (_t("skills needed"), needs_in_words(verdict.circle.needs.items())),
        (_t("ring"), str(verdict.circle.number)),
    ]
    if waits_for is not None:
        pairs.append((_t("is kept a moment for"), str(waits_for)))
    return pairs + left_out(people)
