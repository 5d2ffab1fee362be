"""Versions of dialogues: written as drafts, checked, published, rolled back. What is published never changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from bots import checks, script
from bots.models import Dialogue, Step, StepWay, Version
from bots.script import Expects, Script, StepKind, Way
from bots.skills.registry import outcomes
from bots.states import VersionState
from core import audit
from core.refusal import Refusal

_OWN = ("operator_text", "misunderstood_text", "closed_text", "taken_text", "operator_label", "most_misunderstood", "start")


def read(version: Version) -> Script:
    """What guests meet: frozen of a published version, of a draft as its steps are now."""
    return script.from_json(version.script) if version.script else compiled(version)


def compiled(version: Version) -> Script:
    """The script of the version's steps as they are now."""
    steps = [_step(step) for step in version.steps.prefetch_related("ways").order_by("position", "pk")]
    return Script(
        name=version.dialogue.name,
        steps={step.code: step for step in steps},
        operator_words=_listed(version.operator_words),
        **{name: getattr(version, name) for name in _OWN},
    )


def _step(row: Step) -> script.Step:
    ways = [Way(to=way.to, label=way.label, words=_listed(way.words), outcome=way.outcome) for way in row.ways.all()]
    values = {name: getattr(row, name) for name in ("code", "text", "sound", "skill", "saves_as", "topic", "queue")}
    return script.Step(kind=StepKind(row.kind), expects=Expects(row.expects), ways=ways, **values)


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def faults(version: Version) -> Sequence[str]:
    """What must be mended before the version can be published."""
    return checks.faults(compiled(version), outcomes=outcomes())


@transaction.atomic
def publish(version_id: int, *, by: Staff | None, now: datetime) -> Version:
    """From now on new talks go by this version; those under way go on by theirs. An older version published again is a roll-back.

    Raises Refusal `faulty` with what must be mended.
    """
    version = Version.objects.select_for_update(of=("self",)).select_related("dialogue").get(pk=version_id)
    if version.is_draft:
        found = faults(version)
        if found:
            raise Refusal("faulty", _("The dialogue cannot be published: %(fault)s") % {"fault": found[0]}, status=400)
        version.script = compiled(version).as_json()
    Dialogue.objects.select_for_update().get(pk=version.dialogue_id)
    others = Version.objects.filter(dialogue=version.dialogue_id, state=VersionState.PUBLISHED).exclude(pk=version.pk)
    others.update(state=VersionState.RETIRED)
    version.state, version.published_at = VersionState.PUBLISHED, now
    version.save(update_fields=["state", "script", "published_at"])
    audit.record(action="dialogue.published", by=by, subject=version.dialogue, now=now, details={"version": version.number})
    return version


@transaction.atomic
def new_draft(version_id: int, *, by: Staff | None, now: datetime) -> Version:
    """A draft with the steps of an earlier version."""
    source = Version.objects.select_related("dialogue").get(pk=version_id)
    dialogue = Dialogue.objects.select_for_update().get(pk=source.dialogue_id)
    last = dialogue.versions.aggregate(last=Max("number"))["last"] or 0
    own = {name: getattr(source, name) for name in (*_OWN, "operator_words", "idle_minutes", "most_turns")}
    draft = Version.objects.create(dialogue=dialogue, number=last + 1, made_at=now, made_by=by, **own)
    for step in source.steps.prefetch_related("ways"):
        _copy(step, draft)
    audit.record(action="dialogue.drafted", by=by, subject=dialogue, now=now, details={"version": draft.number, "from": source.number})
    return draft


def _copy(step: Step, draft: Version) -> None:
    names = ("code", "kind", "position", "text", "sound", "skill", "expects", "saves_as", "topic", "queue")
    made = Step.objects.create(version=draft, **{name: getattr(step, name) for name in names})
    ways = ("position", "label", "words", "outcome", "to")
    StepWay.objects.bulk_create(StepWay(step=made, **{name: getattr(way, name) for name in ways}) for way in step.ways.all())


def write(dialogue: Dialogue, facts: dict[str, Any], *, by: Staff | None, now: datetime) -> Version:
    """A draft from a document: the version's own fields, `steps`, each with `ways`. Call inside a transaction."""
    last = dialogue.versions.aggregate(last=Max("number"))["last"] or 0
    own = {name: value for name, value in facts.items() if name != "steps"}
    draft = Version.objects.create(dialogue=dialogue, number=last + 1, made_at=now, made_by=by, **own)
    for place, given in enumerate(facts["steps"]):
        step = Step.objects.create(version=draft, position=place, **{name: value for name, value in given.items() if name != "ways"})
        StepWay.objects.bulk_create(StepWay(step=step, position=number, **way) for number, way in enumerate(given.get("ways", ())))
    return draft


def first_draft(dialogue: Dialogue, *, by: Any, now: datetime) -> Version:
    """What a new dialogue begins with: a menu with one way. Call inside a transaction."""
    steps = [
        {"code": "start", "kind": StepKind.MENU, "text": "Здравствуйте!", "ways": [{"label": "Спасибо", "to": "bye"}]},
        {"code": "bye", "kind": StepKind.END, "text": "До свидания!"},
    ]
    return write(dialogue, {"steps": steps}, by=by, now=now)


def published(code: str) -> Version | None:
    """The version that new talks of this dialogue go by."""
    return Version.objects.filter(dialogue__code=code, state=VersionState.PUBLISHED).first()
