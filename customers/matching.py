"""Whether two guests are one person: reasons for and against, a score, and when a link needs nobody's word. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod

MOST = 100


class Reason(StrEnum):
    """What speaks for one person; the weight of each is a row (customers.models.MatchRule)."""

    VERIFIED_PHONE = "verified_phone"
    VERIFIED_ID = "verified_id"
    PHONE = "phone"
    EMAIL = "email"
    SAME_ID = "same_id"
    NAME_AND_STORE = "name_and_store"


class Doubt(StrEnum):
    """What speaks against. Each keeps a link from being made by itself."""

    OTHER_ID = "other_id"
    OTHER_EMAIL = "other_email"
    OTHER_PHONE = "other_phone"


VERIFIED = frozenset({Reason.VERIFIED_PHONE, Reason.VERIFIED_ID})
"""Reasons that nobody can have made up: the channel or the site vouches for them on both sides."""


@dataclass(frozen=True)
class Known:
    """What is known of one guest. Phones are E.164, e-mails in lower case; an id is (channel, id in the channel).

    `verified_*` are those that a channel or a site vouches for; they are among the others, too.
    """

    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    ids: frozenset[tuple[str, str]] = frozenset()
    verified_phones: frozenset[str] = frozenset()
    verified_ids: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Weights:
    """Of each reason 0-100, of each doubt the share of the score that is left, 0-100; reasons that link by themselves."""

    reasons: Mapping[str, int]
    doubts: Mapping[str, int] = field(default_factory=dict)
    by_itself: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Match:
    """How likely two guests are one person. `shared` are the values behind the reasons that have one (a telephone, an address)."""

    score: int
    reasons: Sequence[Reason]
    doubts: Sequence[Doubt]
    shared: Mapping[str, str] = field(default_factory=dict)


def compare(one: Known, other: Known, *, weights: Weights, store: str = "") -> Match:
    """The match of two guests, the same whichever comes first. `store` = they have the same name and both a ticket about this store."""
    shared = _shared(one, other) | ({Reason.NAME_AND_STORE: store} if store else {})
    reasons = [reason for reason in Reason if reason in shared and weights.reasons.get(reason, 0) > 0]
    doubts = doubts_of(one, other)
    return Match(score_of(reasons, doubts, weights=weights), reasons, doubts, {reason: shared[reason] for reason in reasons})


def _shared(one: Known, other: Known) -> dict[Reason, str]:
    found: dict[Reason, str] = {}
    verified, phones = one.verified_phones & other.verified_phones, one.phones & other.phones
    if verified:
        found[Reason.VERIFIED_PHONE] = min(verified)
    elif phones:
        found[Reason.PHONE] = min(phones)
    if emails := one.emails & other.emails:
        found[Reason.EMAIL] = min(emails)
    if verified_ids := one.verified_ids & other.verified_ids:
        found[Reason.VERIFIED_ID] = min(verified_ids)[1]
    elif ids := one.ids & other.ids:
        found[Reason.SAME_ID] = min(ids)[1]
    return found


def doubts_of(one: Known, other: Known) -> list[Doubt]:
    """What speaks against one person."""
    found = []
    if _differ_in_a_channel(one.ids, other.ids):
        found.append(Doubt.OTHER_ID)
    if one.emails and other.emails and not one.emails & other.emails:
        found.append(Doubt.OTHER_EMAIL)
    if one.verified_phones and other.verified_phones and not one.verified_phones & other.verified_phones:
        found.append(Doubt.OTHER_PHONE)
    return found


def _differ_in_a_channel(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    """Whether some channel knows both by ids of which none is the same: it says itself that these are two accounts."""
    common = {channel for channel, _id in one} & {channel for channel, _id in other}
    shared = {channel for channel, _id in one & other}
    return bool(common - shared)


def score_of(reasons: Collection[str], doubts: Collection[str], *, weights: Weights) -> int:
    """0-100: independent reasons add up (1 - the product of what each leaves open), each doubt leaves its share of that."""
    open_share = prod(1 - weights.reasons.get(reason, 0) / MOST for reason in reasons)
    left = prod(weights.doubts.get(doubt, MOST) / MOST for doubt in doubts)
    return round(MOST * (1 - open_share) * left)


def may_link(match: Match, *, weights: Weights, matches: int) -> bool:
    """Whether the two are made one guest without a person's word.

    Only by a verified key whose rule says so, only when `matches` (guests that share the key) is one, and with no doubt: two
    different ids of one channel are two people for us, whatever else they share.
    """
    keys = {reason for reason in VERIFIED & set(match.reasons) if reason in weights.by_itself}
    return bool(keys) and matches == 1 and not match.doubts
