"""Maps, schedules, runs and what was found about them."""

from escalation.models.checks import Alarm, DryRun, Hole, UnmappedHit
from escalation.models.maps import DutyRole, EscalationMap, EscalationSettings, Hook, MapLine, MapStep
from escalation.models.runs import Delivery, FrozenPlan, Run, RunEvent, TurnTaken
from escalation.models.schedules import Contact, DutyInterval, Layer, LayerMember, Override, Schedule, Swap

__all__ = [
    "Alarm",
    "Contact",
    "Delivery",
    "DryRun",
    "DutyInterval",
    "DutyRole",
    "EscalationMap",
    "EscalationSettings",
    "FrozenPlan",
    "Hole",
    "Hook",
    "Layer",
    "LayerMember",
    "MapLine",
    "MapStep",
    "Override",
    "Run",
    "RunEvent",
    "Schedule",
    "Swap",
    "TurnTaken",
    "UnmappedHit",
]
