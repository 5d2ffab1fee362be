"""A verified identity that turns out to belong to a guest we know already: joined without a person, where the rules say so."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from core.refusal import Refusal
from customers.matching import Known, compare, may_link
from customers.models import Guest, GuestMerge, Identity
from customers.selectors import are_two_people, known_of, weights
from customers.services import merging

# A key that more guests share is no key; so many are enough to know.
ENOUGH = 3


def link(identity_id: int, *, now: datetime) -> GuestMerge | None:
    """Look whether the verified identity's guest is one whom another identity has already made known; join them if a rule says so.

    None = nobody, several, or a doubt: then it is left to a person (the candidates of the desk). Safe to run twice and in parallel.
    """
    identity = Identity.objects.select_related("guest").filter(pk=identity_id).first()
    if identity is None or not identity.is_verified:
        return None
    made = _join(identity.guest, identity, now=now)
    Identity.objects.filter(pk=identity_id).update(link_due=False)
    return made


def _join(guest: Guest, identity: Identity, *, now: datetime) -> GuestMerge | None:
    others = _sharing(identity)
    if len(others) != 1 or are_two_people(guest, others[0]):
        return None
    other, rules = others[0], weights()
    known: dict[int, Known] = dict(known_of([guest, other]))
    match = compare(known[guest.pk], known[other.pk], weights=rules)
    if not may_link(match, weights=rules, matches=len(others)):
        return None
    kept, gone = sorted((guest, other), key=lambda one: (one.created_at, one.pk))
    try:
        return merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=None, now=now, reasons=match.reasons, score=match.score)
    except Refusal:  # a person, or the other identity's own link, was quicker
        return None


def _sharing(identity: Identity) -> Sequence[Guest]:
    """Other guests with a verified identity of the same telephone, or of the same id in this channel."""
    same = Q(channel=identity.channel, external_id=identity.external_id)
    if identity.phone:
        same |= Q(phone=identity.phone)
    verified = Identity.objects.filter(same, is_verified=True).exclude(guest=identity.guest_id)
    found = set(verified.order_by("pk").values_list("guest_id", flat=True)[: ENOUGH * 10])
    return list(Guest.objects.filter(pk__in=found, merged_into=None).order_by("pk")[:ENOUGH])


def find_due(*, limit: int = 200) -> list[int]:
    """Verified identities that nobody has looked at yet."""
    return list(Identity.objects.filter(link_due=True).order_by("pk").values_list("pk", flat=True)[:limit])
