"""The words of escalation: levels, kinds of step, what a run, a notice and a swap may be."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Level(models.IntegerChoices):
    L1 = 1, "L1"
    L2 = 2, "L2"
    L3 = 3, "L3"


class Severity(models.TextChoices):
    S1 = "S1", _("S1: many guests, or money")
    S2 = "S2", _("S2: a function is impaired")
    S3 = "S3", _("S3: single cases")
    S4 = "S4", _("S4: for information")


class StepKind(models.TextChoices):
    """What a step does. Waits and hours only say when the next one comes."""

    ROLE = "role", _("tell a role")
    SCHEDULE = "schedule", _("tell who is on duty")
    GROUP = "group", _("tell a whole group")
    EVERYBODY = "everybody", _("tell everybody of this line")
    ROUND_ROBIN = "round_robin", _("tell the next in turn")
    WAIT = "wait", _("wait")
    HOURS = "hours", _("go on in these hours only")
    WEBHOOK = "webhook", _("call another system")
    CHAT = "chat", _("write to the marketplace's chat")
    TICKET = "ticket", _("open a ticket")
    INCIDENT = "incident", _("declare an incident")
    REPORT = "report", _("start the hourly report")
    CLIMB = "climb", _("go on to the next level")
    REPEAT = "repeat", _("repeat the level")
    STOP = "stop", _("stop calling")


# These reach people; the dry run asks that somebody is there.
CALLING = frozenset({StepKind.ROLE, StepKind.SCHEDULE, StepKind.GROUP, StepKind.EVERYBODY, StepKind.ROUND_ROBIN})
# These only say when the next step comes.
PACING = frozenset({StepKind.WAIT, StepKind.HOURS})
# These are carried out by whoever has registered for them (escalation.senders).
ERRANDS = frozenset({StepKind.WEBHOOK, StepKind.CHAT, StepKind.TICKET, StepKind.INCIDENT, StepKind.REPORT})


class Channel(models.TextChoices):
    """How a notice goes out. The first four reach a person, the others carry out an errand."""

    PUSH = "push", _("push")
    SMS = "sms", _("SMS")
    MESSENGER = "messenger", _("messenger")
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("another system")
    CHAT = "chat", _("marketplace chat")
    TICKET = "ticket", _("ticket")
    INCIDENT = "incident", _("incident")
    REPORT = "report", _("hourly report")


PERSONAL_CHANNELS = (Channel.PUSH, Channel.SMS, Channel.MESSENGER, Channel.EMAIL)
PERSONAL_CHOICES = [(channel.value, channel.label) for channel in PERSONAL_CHANNELS]


class RunState(models.TextChoices):
    CALLING = "calling", _("nobody has taken it")
    TAKEN = "taken", _("taken")
    RESOLVED = "resolved", pgettext_lazy("escalation", "resolved")
    CANCELLED = "cancelled", _("called off")


OPEN = (RunState.CALLING, RunState.TAKEN)


class EventKind(models.TextChoices):
    """A row of a run's history."""

    STARTED = "started", _("started")
    STEP = "step", _("step carried out")
    NOBODY = "nobody", _("step reached nobody")
    TAKEN = "taken", _("taken by a person")
    REMINDED = "reminded", _("asked whether it is still in hand")
    CONFIRMED = "confirmed", _("confirmed: still in hand")
    LAPSED = "lapsed", _("not confirmed: nobody has it again")
    RELEASED = "released", _("given back")
    REACTION_MISSED = "reaction_missed", _("not taken in time")
    DEAL_MISSED = "deal_missed", _("neither resolved nor escalated in time")
    CLIMBED = "climbed", _("escalated")
    HANDED_BACK = "handed_back", _("handed back to the level below")
    UPDATE_DUE = "update_due", _("news were due")
    UNSENT = "unsent", _("a notice was not delivered")
    REPLANNED = "replanned", _("moved to the newest map")
    RESOLVED = "resolved", pgettext_lazy("escalation", "resolved")
    CANCELLED = "cancelled", _("called off")


class DeliveryState(models.TextChoices):
    QUEUED = "queued", pgettext_lazy("notice", "queued")
    SENDING = "sending", pgettext_lazy("notice", "on its way")
    NO_SENDER = "no_sender", _("waits: nobody sends in this channel yet")
    SENT = "sent", pgettext_lazy("notice", "sent")
    DELIVERED = "delivered", pgettext_lazy("notice", "delivered")
    READ = "read", pgettext_lazy("notice", "read")
    FAILED = "failed", pgettext_lazy("notice", "not delivered")


# A later word on a notice never turns it back.
DELIVERY_MOVES: dict[str, frozenset[str]] = {
    DeliveryState.SENT: frozenset({DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED}),
    DeliveryState.DELIVERED: frozenset({DeliveryState.READ}),
}


class AlarmKind(models.TextChoices):
    OVERDUE = "overdue", _("a step is overdue and nobody has taken it")
    SILENCE = "silence", _("all levels were called and nobody has taken it")
    UNSENT = "unsent", _("notices do not go out")
    FAULT = "fault", _("a run cannot be carried on")


class HoleKind(models.TextChoices):
    NOBODY = "nobody", _("nobody is reached")
    LEAD_ONLY = "lead_only", _("only the lead is reached: no shift")
    NO_STEPS = "no_steps", _("no level has a step that calls anybody")
    NEVER_OPENS = "never_opens", _("the hours never come")


class Rotation(models.TextChoices):
    DAILY = "daily", pgettext_lazy("rotation", "days")
    WEEKLY = "weekly", pgettext_lazy("rotation", "weeks")
    HOURS = "hours", pgettext_lazy("rotation", "hours")


class SwapState(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", _("withdrawn")


SWAP_MOVES: dict[str, frozenset[str]] = {
    SwapState.PROPOSED: frozenset({SwapState.ACCEPTED, SwapState.DECLINED, SwapState.WITHDRAWN}),
    SwapState.ACCEPTED: frozenset({SwapState.WITHDRAWN}),
}


class DutySource(models.TextChoices):
    LAYER = "layer", _("rotation")
    OVERRIDE = "override", _("override")
    SWAP = "swap", _("swap")
