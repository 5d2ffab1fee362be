"""The page on which a past period is played again: its form, and the figures side by side."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from omni.models import Queue
from omni.services import simulations
from omni.simulation.figures import Figures
from omni.simulation.types import Change
from omni.states import Strategy


def _per_cent(label: Any, help_text: Any = "") -> forms.IntegerField:
    widget = UnfoldAdminIntegerFieldWidget
    return forms.IntegerField(label=label, help_text=help_text, min_value=10, max_value=300, initial=100, widget=widget)


class SimulationForm(forms.Form):
    """Which period of which queues, and what is to be different."""

    since = forms.DateTimeField(label=_("From"), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))
    until = forms.DateTimeField(label=_("Until"), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))
    queues = forms.ModelMultipleChoiceField(
        label=_("Queues"), queryset=Queue.objects.order_by("name"), widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    strategy = forms.ChoiceField(
        label=_("Who gets it"), required=False, choices=[("", _("as it is")), *Strategy.choices], widget=UnfoldAdminSelectWidget
    )
    capacity = forms.IntegerField(
        label=_("Capacity of everybody"), required=False, min_value=1, max_value=100, widget=UnfoldAdminIntegerFieldWidget
    )
    wrap_up = forms.IntegerField(
        label=_("After-work, seconds"), required=False, min_value=0, max_value=3600, widget=UnfoldAdminIntegerFieldWidget
    )
    preferred_seconds = forms.IntegerField(
        label=_("Wait for the preferred operator, seconds"),
        required=False,
        min_value=0,
        max_value=3600,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    needs_skills = forms.BooleanField(label=_("Skills are needed"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget)
    people = _per_cent(_("People, per cent"))
    guests = _per_cent(_("Guests, per cent"))
    handling = _per_cent(_("Time for a dialogue, per cent"))

    @staticmethod
    def yesterday() -> dict[str, Any]:
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        shown = [f"{at:%Y-%m-%dT%H:%M}" for at in (today - timedelta(days=1), today)]
        return {"since": shown[0], "until": shown[1], "queues": list(Queue.objects.values_list("pk", flat=True))}

    def asked(self) -> dict[str, Any]:
        """The arguments of simulations.compare."""
        given = self.cleaned_data
        names = ("capacity", "wrap_up", "preferred_seconds", "needs_skills", "people", "guests", "handling")
        change = Change(strategy=given["strategy"] or None, **{name: given[name] for name in names})
        return {"since": given["since"], "until": given["until"], "queues": list(given["queues"]), "change": change}


def side_by_side(found: simulations.Comparison) -> list[tuple[Any, list[str]]]:
    """A line for each figure: its name, then as it was, by the rules in force, by the changed ones."""
    all_three = (found.actual, found.present, found.changed)
    shown: list[tuple[Any, Callable[[Figures], str]]] = [
        (_("dialogues given"), lambda one: str(one.served)),
        (_("still waiting at the end"), lambda one: str(one.left)),
        (_("mean wait"), lambda one: clock(one.mean_wait)),
        (_("half waited no longer than"), lambda one: clock(one.median_wait)),
        (_("nine of ten waited no longer than"), lambda one: clock(one.p90_wait)),
        (_("longest wait"), lambda one: clock(one.longest_wait)),
        (_("got somebody within a minute"), lambda one: f"{one.within_a_minute:.0%}"),
        (_("people on line"), lambda one: str(one.people)),
        (_("load: room in use"), lambda one: f"{one.load:.0%}"),
        (_("load of the busiest person"), lambda one: f"{one.busiest:.0%}"),
        (_("dialogues of one person, fewest to most"), lambda one: f"{one.fewest_dialogues} – {one.most_dialogues}"),
    ]
    return [(name, [tell(one) for one in all_three]) for name, tell in shown]


def hour_by_hour(found: simulations.Comparison) -> list[tuple[str, int, list[str]]]:
    """Hour, how many came, and the mean wait as it was, by the rules in force, by the changed ones."""
    waits = [{hour.at: hour for hour in one.hours} for one in (found.actual, found.present, found.changed)]
    lines = []
    for at in sorted(set().union(*waits)):
        cells = [clock(of[at].mean_wait) if at in of else "–" for of in waits]
        lines.append((f"{timezone.localtime(at):%d.%m %H:%M}", waits[0][at].came if at in waits[0] else 0, cells))
    return lines


def clock(seconds: float) -> str:
    """0:42, 12:05, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
