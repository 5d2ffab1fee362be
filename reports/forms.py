"""What a person may ask of the reports."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from reports.selectors import Dimension, Scope, channel_name, list_channels
from stores.models import Store
from tickets.models import Topic

LONGEST = timedelta(days=3 * 366)
USUAL = timedelta(days=29)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))


class ReportForm(forms.Form):
    """Period, split and filters; empty = the last thirty days by day."""

    since = _day(_("From"))
    until = _day(_("To"))
    by = forms.ChoiceField(label=_("Split"), choices=Dimension.choices, required=False)
    group = forms.ModelChoiceField(label=_("Group"), queryset=Group.objects.all(), required=False, empty_label=_("all"))
    topic = forms.ModelChoiceField(label=_("Topic"), queryset=Topic.objects.order_by("name"), required=False, empty_label=_("all"))
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    store = forms.CharField(label=_("Store's number"), max_length=12, required=False)

    def __init__(self, given: Any, *, today: date, zone: str) -> None:
        usual = {"since": (today - USUAL).isoformat(), "until": today.isoformat(), "by": Dimension.DAY.value}
        super().__init__({**usual, **{name: value for name, value in given.items() if value}})
        self.zone = zone
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ChoiceField)
        channel.choices = [("", _("all")), *((kind, channel_name(kind)) for kind in list_channels())]

    def clean_by(self) -> Dimension:
        return Dimension(self.cleaned_data["by"] or Dimension.DAY)

    def clean_store(self) -> Store | None:
        number = self.cleaned_data["store"]
        store = Store.objects.filter(number=number).first() if number else None
        if number and store is None:
            raise forms.ValidationError(_("There is no store with this number."))
        return store

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("The period ends before it begins."))
        elif since and until and until - since > LONGEST:
            self.add_error("until", _("Please choose at most three years."))
        return cleaned

    def scope(self) -> Scope:
        """Which tickets are asked for; the form must be valid."""
        asked = self.cleaned_data
        return Scope(
            since=asked["since"],
            until=asked["until"],
            zone=self.zone,
            group_id=asked["group"].pk if asked["group"] else None,
            topic_id=asked["topic"].pk if asked["topic"] else None,
            channel=asked["channel"],
            store_id=asked["store"].pk if asked["store"] else None,
        )
