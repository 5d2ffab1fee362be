"""States of conversations, sends and people at work; one table of moves each."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AccountState(models.TextChoices):
    ENABLED = "enabled", _("enabled")
    DEGRADED = "degraded", _("degraded")
    DISABLED = "disabled", _("disabled")


class EventState(models.TextChoices):
    """An event of the inbound journal."""

    RECEIVED = "received", _("received")
    PROCESSED = "processed", _("processed")
    IGNORED = "ignored", _("not for us")
    UNREADABLE = "unreadable", _("could not be read")
    FAILED = "failed", _("failed")


class SessionState(models.TextChoices):
    WAITING = "waiting", _("waiting for an operator")
    ACTIVE = "active", _("with an operator")
    PARKED = "parked", _("with the ticket's group")
    CLOSED = "closed", _("closed")


SESSION_MOVES: dict[str, frozenset[str]] = {
    SessionState.WAITING: frozenset({SessionState.ACTIVE, SessionState.PARKED, SessionState.CLOSED}),
    SessionState.ACTIVE: frozenset({SessionState.WAITING, SessionState.PARKED, SessionState.CLOSED}),
    SessionState.PARKED: frozenset({SessionState.WAITING, SessionState.ACTIVE, SessionState.CLOSED}),
    SessionState.CLOSED: frozenset({SessionState.WAITING, SessionState.ACTIVE}),
}


class Direction(models.TextChoices):
    IN = "in", _("from the guest")
    OUT = "out", _("to the guest")
    NOTE = "note", _("internal note")
    SYSTEM = "system", _("system line")


class SendState(models.TextChoices):
    """The fate of an outgoing message, and of one attempt to send it."""

    NONE = "", _("not sent anywhere")
    QUEUED = "queued", _("in the queue")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    READ = "read", _("read")
    FAILED = "failed", _("not sent")
    CANCELLED = "cancelled", _("taken back")


# Providers' statuses come late and out of order: a send only ever moves forward.
SEND_MOVES: dict[str, frozenset[str]] = {
    SendState.QUEUED: frozenset({SendState.SENDING, SendState.CANCELLED, SendState.FAILED}),
    SendState.SENDING: frozenset({SendState.SENT, SendState.DELIVERED, SendState.READ, SendState.FAILED}),
    SendState.SENT: frozenset({SendState.DELIVERED, SendState.READ, SendState.FAILED}),
    SendState.DELIVERED: frozenset({SendState.READ}),
    SendState.READ: frozenset(),
    SendState.FAILED: frozenset(),
    SendState.CANCELLED: frozenset(),
}


class TemplateState(models.TextChoices):
    """A text at the provider; only approved ones are offered."""

    PENDING = "pending", _("waits for the provider")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("refused by the provider")
    PAUSED = "paused", _("paused by the provider")


class FallbackState(models.TextChoices):
    """A send through another channel."""

    DUE = "due", _("is being looked for")
    SENT = "sent", _("written in another channel")
    NONE = "none", _("no other channel")


class FileState(models.TextChoices):
    PENDING = "pending", _("being fetched")
    STORED = "stored", _("stored")
    TOO_LARGE = "too_large", _("too large")
    GONE = "gone", _("no longer available")
    NO_FILE = "no_file", _("a place or a contact, no file")


class Reopen(models.TextChoices):
    ALWAYS = "always", _("always the same dialogue")
    WITHIN = "within", _("the same dialogue within the days given, else a new linked one")
    NEVER = "never", _("always a new linked one")


class PresenceState(models.TextChoices):
    READY = "ready", _("Ready")
    BREAK = "break", _("Break")
    WRAP_UP = "wrap_up", _("After-work")
    AWAY = "away", _("Away")
    OFFLINE = "offline", _("Off")


class Strategy(models.TextChoices):
    """Who of several that could take a dialogue gets it; equal ones by the longest time without new work."""

    ROOM = "room", _("most room: the smallest share of the capacity in use")
    LEAST_BUSY = "least", _("least busy: the smallest load")
    LONGEST_IDLE = "idle", _("longest idle: the longest time without new work")
    BEST_SKILLED = "skill", _("best skilled: the highest levels of the skills needed")


class Delivery(models.TextChoices):
    PUSH = "push", _("given at once")
    OFFER = "offer", _("offered: the operator accepts or declines")


class OfferState(models.TextChoices):
    OPEN = "open", _("open")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    MISSED = "missed", _("not answered in time")
    WITHDRAWN = "withdrawn", _("withdrawn")


class DecisionKind(models.TextChoices):
    """What was done with a waiting dialogue."""

    GIVEN = "given", _("given")
    OFFERED = "offered", _("offered")
    ACCEPTED = "accepted", _("offer accepted")
    DECLINED = "declined", _("offer declined")
    MISSED = "missed", _("offer not answered")
    WITHDRAWN = "withdrawn", _("offer withdrawn")
    FORCED = "forced", _("given by a supervisor")


class HoldingEnd(models.TextChoices):
    """How an operator came to have a dialogue no more."""

    RUNNING = "", _("goes on")
    CLOSED = "closed", _("finished")
    PARKED = "parked", _("left to a ticket")
    RETURNED = "returned", _("returned to the queue")
    AWAY = "away", _("taken from an absent operator")
    HANDED = "handed", _("handed on")
