"""The form of a new mass job: which tickets, what to do with them."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Group, Staff
from core.refusal import Refusal
from omni.models import MessageTemplate
from omni.states import TemplateState
from stores.models import Store
from tickets.belonging import find_by_number
from tickets.mass_reading import list_incidents
from tickets.models import Incident, MassJob
from tickets.selectors import list_topics
from tickets.services.mass import Chosen
from tickets.states import Cause
from worklist.states import Tab
from workstation.wording import channel_names

_NUMBERS = re.compile(r"\d{1,16}")
BY_INCIDENT, BY_NUMBERS, BY_LIST, BY_CHOICE = "incident", "numbers", "list", "choice"

# When a field is asked for: the page shows only what belongs to the chosen way and deed.
_ONLY_FOR = {
    "incident": "incident", "tab": "list", "channel": "list", "group_of_list": "list", "store_number": "list", "numbers": "numbers",
    "text": "answer", "template": "answer", "places": "answer", "topic": "topic", "group": "group", "owner": "owner", "cause": "close",
    "main": "link", "reason": "move",
}  # fmt: skip
_TABS = (Tab.ALL, Tab.GROUP, Tab.QUEUE, Tab.MINE, Tab.SNOOZED)


class MassForm(forms.Form):
    """Choices are read anew for each page; `chosen` and `params` are what the service takes."""

    which = forms.ChoiceField(
        label=_("Which tickets"),
        choices=[(BY_INCIDENT, _("of an incident")), (BY_LIST, _("all open ones of a list")), (BY_NUMBERS, _("by their numbers"))],
        widget=forms.RadioSelect,
    )
    incident = forms.ChoiceField(label=_("Incident"), required=False)
    cases = forms.CharField(required=False, widget=forms.HiddenInput)
    tab = forms.ChoiceField(label=_("List"), required=False, choices=[(tab.value, tab.label) for tab in _TABS])
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    group_of_list = forms.ChoiceField(label=_("Group"), required=False)
    store_number = forms.CharField(label=_("Number of the store"), required=False, max_length=12)
    numbers = forms.CharField(label=_("Numbers of tickets"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    kind = forms.ChoiceField(label=_("What to do"), choices=MassJob.Kind.choices)
    text = forms.CharField(
        label=_("Answer"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("{guest} and {number} are filled in for each ticket."),
    )
    topic = forms.ChoiceField(label=_("New topic"), required=False)
    group = forms.ChoiceField(label=_("New group"), required=False)
    owner = forms.CharField(label=_("New owner: login"), required=False, max_length=150)
    cause = forms.ChoiceField(label=_("Cause of closing"), required=False, choices=[("", "–"), *Cause.choices])
    main = forms.CharField(label=_("Number of the main ticket"), required=False, max_length=20)
    reason = forms.CharField(label=_("Why (for another topic or group)"), required=False, max_length=200)

    def __init__(self, *args: Any, staff: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.staff = staff
        self._offer_choice()
        groups = [("", "–"), *((str(one.pk), str(one)) for one in Group.objects.filter(is_active=True).order_by("name"))]
        chosen = {
            "incident": [("", "–"), *((str(one.pk), _named(one)) for one in list_incidents(staff))],
            "channel": [("", _("All channels")), *channel_names().items()],
            "group_of_list": groups,
            "group": groups,
            "topic": [("", "–"), *((str(one.id), one.path) for one in list_topics())],
        }
        for name, choices in chosen.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        for account, templates in _approved().items():
            label = _("Approved text, when the reply window is over: %(account)s") % {"account": account.name}
            choices = [("", _("leave these guests out")), *((str(one.pk), one.body) for one in templates)]
            self.fields[f"template_{account.pk}"] = forms.ChoiceField(label=label, required=False, choices=choices)
            places = forms.CharField(label=_("Its places, one in a line"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
            self.fields[f"places_{account.pk}"] = places

    def _offer_choice(self) -> None:
        """Tickets that were chosen in the list before the form came are one way more to say which."""
        ids = _ids(self["cases"].value() or "")
        if ids:
            word = ngettext("%(count)d that was chosen in the list", "%(count)d that were chosen in the list", len(ids))
            self.fields["which"].choices = [(BY_CHOICE, word % {"count": len(ids)}), *self.fields["which"].choices]  # type: ignore[attr-defined]

    def rows(self) -> Iterator[tuple[forms.BoundField, str]]:
        """The fields that are seen, each with what it is only for; empty = always."""
        for field in self.visible_fields():
            kind = field.name.split("_")[0] if field.name.startswith(("template_", "places_")) else field.name
            yield field, _ONLY_FOR.get(kind, "")

    def chosen(self) -> Chosen:
        """Raises Refusal."""
        given = self.cleaned_data
        if given["which"] == BY_CHOICE:
            return Chosen(case_ids=_ids(given["cases"]))
        if given["which"] == BY_INCIDENT:
            return Chosen(incident_id=int(given["incident"]) if given["incident"] else None)
        if given["which"] == BY_NUMBERS:
            numbers = _NUMBERS.findall(given["numbers"])
            return Chosen(case_ids=tuple(self._by_number(number) for number in numbers))
        store = Store.objects.filter(number=given["store_number"]).first() if given["store_number"] else None
        if given["store_number"] and store is None:
            raise Refusal("store_unknown", _("There is no store with this number."), status=400)
        wanted = {"tab": given["tab"] or Tab.ALL.value, "channel": given["channel"], "store": store.pk if store else None}
        return Chosen(filter={**wanted, "group": int(given["group_of_list"]) if given["group_of_list"] else None})

    def _by_number(self, number: str) -> int:
        """Among many numbers a person wants to know the wrong one. Raises Refusal."""
        try:
            return find_by_number(staff=self.staff, number=number).pk
        except Refusal as refusal:
            raise Refusal(refusal.code, _("“%(name)s” is not known.") % {"name": number}, status=refusal.status) from None

    def params(self) -> dict[str, Any]:
        """Raises Refusal."""
        given = self.cleaned_data
        found: dict[str, Any] = {"reason": given["reason"], "cause": given["cause"]}
        found |= {name: int(given[name]) for name in ("topic", "group") if given[name]}
        if given["owner"]:
            found["owner"] = Staff.objects.filter(login=given["owner"].strip()).values_list("pk", flat=True).first()
        if given["main"]:
            found["main"] = find_by_number(staff=self.staff, number=given["main"]).pk
        found["templates"] = {
            name.removeprefix("template_"): {"template": int(value), "values": _lines(given[name.replace("template", "places", 1)])}
            for name, value in given.items()
            if name.startswith("template_") and value
        }
        return found


def _ids(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in dict.fromkeys(text.split(",")) if number.isdecimal() and len(number) <= 18)


def _named(one: Incident) -> str:
    return f"№ {one.number} · {one.branch} · {one.store or one.region}"


def _approved() -> dict[Any, list[MessageTemplate]]:
    """Approved texts by their account."""
    found: dict[Any, list[MessageTemplate]] = {}
    for one in MessageTemplate.objects.filter(state=TemplateState.APPROVED).select_related("account").order_by("account", "name"):
        found.setdefault(one.account, []).append(one)
    return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
