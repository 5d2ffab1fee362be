"""Reads about guests: what is known of them, and who may be the same person."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from customers.holders import holders
from customers.matching import Doubt, Known, Match, Reason, Weights, compare
from customers.models import Guest, GuestMerge, Identity, MatchRule, MergePolicy, TwoPeople

# Candidates looked at for one guest; a telephone or name that more guests share says little.
LOOKED_AT = 100
EMAIL = "email"
_DEFAULT_POLICY = MergePolicy()


@dataclass(frozen=True)
class Candidate:
    """Another guest who may be the same person."""

    guest: Guest
    match: Match


def merge_policy() -> MergePolicy:
    """The numbers of joining guests: the row of the admin panel, else the defaults."""
    return MergePolicy.objects.order_by("pk").first() or _DEFAULT_POLICY


def weights() -> Weights:
    """The rules of matching as they are now."""
    rules = list(MatchRule.objects.all())
    return Weights(
        reasons={rule.code: rule.weight for rule in rules if rule.code in set(Reason)},
        doubts={rule.code: rule.weight for rule in rules if rule.code in set(Doubt)},
        by_itself=frozenset(rule.code for rule in rules if rule.links_by_itself),
    )


def known_of(guests: Collection[Guest]) -> Mapping[int, Known]:
    """What is known of each guest, by id; two questions for all."""
    found: dict[int, list[Identity]] = defaultdict(list)
    for identity in Identity.objects.filter(guest__in=[guest.pk for guest in guests]):
        found[identity.guest_id].append(identity)
    return {guest.pk: _known(guest, found[guest.pk]) for guest in guests}


def _known(guest: Guest, identities: Sequence[Identity]) -> Known:
    verified = [identity for identity in identities if identity.is_verified]
    return Known(
        phones=frozenset({guest.phone, *(identity.phone for identity in identities)} - {""}),
        emails=frozenset({guest.email.lower(), *(one.external_id.lower() for one in identities if one.channel == EMAIL)} - {""}),
        ids=frozenset((identity.channel, identity.external_id) for identity in identities),
        verified_phones=frozenset({identity.phone for identity in verified} - {""}),
        verified_ids=frozenset((identity.channel, identity.external_id) for identity in verified),
    )


def list_candidates(guest: Guest, *, limit: int = 5) -> Sequence[Candidate]:
    """Guests who may be the same person as this one, the likeliest first; who was said to be somebody else is left out."""
    if guest.merged_into_id is not None:
        return []
    mine = known_of([guest])[guest.pk]
    stores = _namesakes(guest)
    others = list(_others(guest, mine, stores))
    rules, least = weights(), merge_policy().least_score
    known = known_of(others)
    found = [Candidate(other, compare(mine, known[other.pk], weights=rules, store=stores.get(other.pk, ""))) for other in others]
    offered = [one for one in found if one.match.reasons and one.match.score >= least]
    return sorted(offered, key=lambda one: (-one.match.score, one.guest.pk))[:limit]


def match_of(guest: Guest, other: Guest) -> Match:
    """How likely these two are one person."""
    known = known_of([guest, other])
    return compare(known[guest.pk], known[other.pk], weights=weights(), store=_namesakes(guest).get(other.pk, ""))


def _namesakes(guest: Guest) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for holder in holders():
        found |= holder.namesakes(guest, limit=LOOKED_AT)
    return found


def _others(guest: Guest, known: Known, stores: Mapping[int, str]) -> "QuerySet[Guest]":
    ids = {external_id for _channel, external_id in known.ids} | known.emails
    by_identity = Identity.objects.filter(Q(phone__in=known.phones) | Q(external_id__in=ids)).exclude(guest=guest)
    # Two walks of indexes each, not one over everything.
    near = set(by_identity.order_by("-pk").values_list("guest_id", flat=True)[:LOOKED_AT])
    for contact in ({"phone__in": known.phones}, {"email__in": known.emails}):
        near |= set(Guest.objects.filter(**contact).order_by("-pk").values_list("pk", flat=True)[:LOOKED_AT])
    near |= set(stores)
    return Guest.objects.filter(pk__in=near - {guest.pk} - _said_to_be_others(guest), merged_into=None).order_by("pk")


def _said_to_be_others(guest: Guest) -> set[int]:
    """Whoever was said to be another person than this guest, or than somebody who goes on as this guest."""
    family = _family(guest.pk)
    pairs = TwoPeople.objects.filter(Q(first__in=family) | Q(second__in=family)).values_list("first_id", "second_id")
    return {survivor(other) for pair in pairs for other in pair if other not in family}


def _family(guest_id: int) -> set[int]:
    """The guest and all who go on as this guest."""
    family, newest = {guest_id}, {guest_id}
    while newest:
        newest = set(Guest.objects.filter(merged_into__in=newest).values_list("pk", flat=True)) - family
        family |= newest
    return family


def are_two_people(one: Guest, other: Guest) -> bool:
    """Whether somebody has said that these are not one person."""
    return other.pk in _said_to_be_others(one)


def survivor(guest_id: int) -> int:
    """The guest as who this one goes on today, at the end of the chain of merges (itself if it was not merged)."""
    into = Guest.objects.filter(pk=guest_id).values_list("merged_into_id", flat=True).first()
    return guest_id if into is None else survivor(into)


def list_merges(guest: Guest, *, now: datetime) -> Sequence[GuestMerge]:
    """Joinings to this guest that can still be undone, newest first."""
    since = now - timedelta(days=merge_policy().undo_days)
    found = GuestMerge.objects.filter(kept=guest, undone_at=None, at__gt=since).select_related("gone", "by")
    return list(found.order_by("-at")[:20])
