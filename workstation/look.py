"""What a person chooses for the own desk: its look and its keys."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.models import Staff
from core.commands import Answer
from core.refusal import Refusal
from workstation import keys
from workstation.entrances import at_desk, command, staff_of


@at_desk
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponseBase:
    """The person's own look: theme and single-letter keys."""
    staff = staff_of(request)
    chosen: dict[str, Any] = {}
    if request.POST.get("theme") in Staff.Theme.values:
        chosen["theme"] = request.POST["theme"]
    if request.POST.get("single_keys") in {"0", "1"}:
        chosen["single_keys"] = request.POST["single_keys"] == "1"
    if chosen:
        Staff.objects.filter(pk=staff.pk).update(**chosen)
    return JsonResponse({"ok": True})


@command("desk.own_keys")
def choose_keys(*, fields: Mapping[str, str], by: Staff, **_rest: Any) -> Answer:
    """The person's own keys: `keys` = a JSON object of deeds and keys (workstation.keys); without it the defaults are back."""
    try:
        wanted = json.loads(fields.get("keys", "") or "{}")
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise Refusal("bad_key", _("There is no such command."), status=400)
    own = keys.check(wanted)
    Staff.objects.filter(pk=by.pk).update(own_keys=own)
    return {"ok": True, "keys": keys.effective(own)}
