"""Versions of the topic tree: drafted beside the published one, tried on past tickets, published, rolled back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.locks import serialise
from core.refusal import Refusal
from tickets.models import EntryDetail, Topic, TopicDetail, TopicEntry, TopicVersion
from tickets.models.versions import VersionState
from tickets.routing import DetailRule, TopicCycle, TopicFacts, resolve
from tickets.services import examples, kept, topics

_LOCK = "versions of the topics"
# What a version says of a topic beyond its code and parent.
FIELDS = (
    "name", "name_en", "group_id", "policy_id", "line_id", "store_involved", "store_required", "needs_approval", "instruction", "position",
    "is_active",
)  # fmt: skip


class Unpublishable(Refusal):
    """A version that must not be published; `faults` are whole sentences."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("unpublishable", " ".join(self.faults[:8]))


def published(*, now: datetime) -> TopicVersion:
    """The published version. What was changed beside the versions (shipped settings, a first start) becomes one of its own first."""
    with transaction.atomic():
        serialise(_LOCK)
        current = TopicVersion.objects.filter(state=VersionState.PUBLISHED).first()
        if current is not None and _content(current) == _live():
            return current
        TopicVersion.objects.filter(state=VersionState.PUBLISHED).update(state=VersionState.EARLIER)
        note = _t("Changed beside the versions: shipped settings or a first start.")
        made = _new(state=VersionState.PUBLISHED, note=note, base=current, by=None, now=now)
        made.published_at = now
        made.save(update_fields=["published_at"])
        _fill(made, _live())
        return made


def draft(*, by: Staff, now: datetime, note: str = "", of: TopicVersion | None = None) -> TopicVersion:
    """A draft that begins as the published tree, or as the version `of`."""
    with transaction.atomic():
        base = published(now=now)
        made = _new(state=VersionState.DRAFT, note=note, base=base, by=by, now=now)
        _fill(made, _content(of or base))
        audit.record(action="topics.drafted", by=by, subject=made, now=now, details={"from": (of or base).number})
        return made


def _new(*, state: VersionState, note: str, base: TopicVersion | None, by: Staff | None, now: datetime) -> TopicVersion:
    number = (TopicVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    return TopicVersion.objects.create(number=number, state=state, note=note, base=base, made_by=by, made_at=now)


Told = tuple[str, tuple[object, ...], tuple[tuple[int, str], ...]]
"""What is said of a topic: the parent's code, the fields, the details as pairs of id and need."""
Content = Mapping[str, Told]


def _live() -> Content:
    """The topics as they are."""
    details: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for topic_id, detail_id, need in TopicDetail.objects.order_by("detail_id").values_list("topic_id", "detail_id", "need"):
        details[topic_id].append((detail_id, need))
    rows = Topic.objects.values_list("pk", "code", "parent__code", *FIELDS)
    return {code: (parent or "", tuple(fields), tuple(details[pk])) for pk, code, parent, *fields in rows}


def _content(version: TopicVersion) -> Content:
    """The version's topics."""
    details: dict[int, list[tuple[int, str]]] = defaultdict(list)
    of_version = EntryDetail.objects.filter(entry__version=version).order_by("detail_id")
    for entry_id, detail_id, need in of_version.values_list("entry_id", "detail_id", "need"):
        details[entry_id].append((detail_id, need))
    rows = TopicEntry.objects.filter(version=version).values_list("pk", "code", "parent__code", *FIELDS)
    return {code: (parent or "", tuple(fields), tuple(details[pk])) for pk, code, parent, *fields in rows}


def _fill(version: TopicVersion, content: Content) -> None:
    """Write the version's rows."""
    made = [TopicEntry(version=version, code=code, **dict(zip(FIELDS, fields, strict=True))) for code, (_p, fields, _d) in content.items()]
    by_code = {entry.code: entry for entry in TopicEntry.objects.bulk_create(made)}
    for code, (parent, _fields, _details) in content.items():
        by_code[code].parent = by_code.get(parent)
    TopicEntry.objects.bulk_update([entry for entry in made if entry.parent_id], ["parent"])
    EntryDetail.objects.bulk_create(
        EntryDetail(entry=by_code[code], detail_id=detail_id, need=need)
        for code, (_parent, _fields, details) in content.items()
        for detail_id, need in details
    )


def tree_of(version: TopicVersion) -> dict[int, TopicFacts]:
    """The version's tree for the pure code, by the ids of its own rows."""
    details: dict[int, list[DetailRule]] = defaultdict(list)
    of_version = EntryDetail.objects.filter(entry__version=version)
    for entry_id, code, need in of_version.values_list("entry_id", "detail__code", "need"):
        details[entry_id].append(DetailRule(code, need))
    names = (
        "id", "parent_id", "name", "group_id", "policy_id", "line_id", "store_involved", "store_required", "instruction", "is_active",
        "needs_approval", "code",
    )  # fmt: skip
    rows = TopicEntry.objects.filter(version=version).values(*names)
    return {row["id"]: TopicFacts(**row, details=tuple(details[row["id"]])) for row in rows}


def by_live_ids(tree: Mapping[int, TopicFacts]) -> dict[int, TopicFacts]:
    """The tree under the ids of the published topics (rules name those); topics that are new keep ids below zero."""
    known = dict(Topic.objects.values_list("code", "pk"))
    ids = {pk: known.get(topic.code, -pk) for pk, topic in tree.items()}
    return {ids[pk]: _moved(topic, ids) for pk, topic in tree.items()}


def _moved(topic: TopicFacts, ids: Mapping[int, int]) -> TopicFacts:
    values = {name: getattr(topic, name) for name in topic.__dataclass_fields__}
    return TopicFacts(**{**values, "id": ids[topic.id], "parent_id": ids[topic.parent_id] if topic.parent_id is not None else None})


def faults(version: TopicVersion) -> list[str]:
    """Why the version must not be published: circles, leaves that lead nowhere, red examples."""
    tree = tree_of(version)
    found: list[str] = []
    parents = {topic.parent_id for topic in tree.values()}
    for pk, topic in tree.items():
        try:
            resolved = resolve(pk, tree)
        except TopicCycle:
            found.append(_t("“%(topic)s” is its own ancestor.") % {"topic": topic.name})
            continue
        if topic.is_active and pk not in parents and (resolved.group_id is None or resolved.policy_id is None):
            found.append(_t("“%(topic)s” has no group or no SLA policy.") % {"topic": topic.name})
    return found or [str(red) for red in examples.red(by_live_ids(tree))]


def publish(*, version_id: int, by: Staff, now: datetime) -> TopicVersion:
    """Make the version the published tree; an earlier one is rolled back to in the same way.

    Raises Unpublishable (faults, red examples), Refusal: unknown, already published, or drafted from another tree than today's.
    """
    with transaction.atomic():
        current = published(now=now)
        version = TopicVersion.objects.select_for_update().filter(pk=version_id).first()
        if version is None:
            raise Refusal("not_found", _("There is no such version."), status=404)
        if version.state == VersionState.PUBLISHED:
            raise Refusal("wrong_state", _("This version is published already."))
        is_back = version.state == VersionState.EARLIER
        if not is_back and version.base_id != current.pk:
            raise Refusal("stale", _("Another version was published since this draft was made. Make a new draft from it."))
        if wrong := faults(version):
            raise Unpublishable(wrong)
        _apply(_content(version))
        TopicVersion.objects.filter(pk=current.pk).update(state=VersionState.EARLIER)
        version.state, version.published_at, version.published_by = VersionState.PUBLISHED, now, by
        version.save(update_fields=["state", "published_at", "published_by"])
        action = "topics.rolled_back" if is_back else "topics.published"
        audit.record(action=action, by=by, subject=version, now=now, details={"instead of": current.number})
        kept.changed()
    topics.forget()
    return version


def _apply(content: Content) -> None:
    """The topics as the version says; those it does not know are switched off, since tickets may be about them."""
    known = {topic.code: topic for topic in Topic.objects.select_for_update()}
    for code, (_parent, fields, _details) in content.items():
        topic = known.setdefault(code, Topic(code=code))
        for name, value in zip(FIELDS, fields, strict=True):
            setattr(topic, name, value)
        topic.parent = None
        topic.save()
    for code, (parent, _fields, _details) in content.items():
        if parent:
            known[code].parent = known[parent]
            known[code].save(update_fields=["parent"])
    Topic.objects.exclude(code__in=content).update(is_active=False)
    TopicDetail.objects.filter(topic__code__in=content).delete()
    TopicDetail.objects.bulk_create(
        TopicDetail(topic=known[code], detail_id=detail_id, need=need)
        for code, (_parent, _fields, details) in content.items()
        for detail_id, need in details
    )


def differences(version: TopicVersion, base: TopicVersion) -> list[tuple[str, str]]:
    """What the version changes against the other one: topic and changes in words, in the order of names."""
    ours, theirs = _content(version), _content(base)
    names = {code: str(fields[0]) for code, (_parent, fields, _details) in [*theirs.items(), *ours.items()]}
    labels = {field.attname: field.verbose_name for field in TopicEntry._meta.concrete_fields}
    found = []
    for code in sorted(names, key=lambda code: names[code]):
        if code not in theirs:
            found.append((names[code], _t("new")))
        elif code not in ours:
            found.append((names[code], _t("removed: will be switched off")))
        elif ours[code] != theirs[code]:
            found.append((names[code], ", ".join(_changed(ours[code], theirs[code], labels))))
    return found


def _changed(ours: Told, theirs: Told, labels: Mapping[str, object]) -> list[str]:
    words = [str(labels[name]) for name, new, old in zip(FIELDS, ours[1], theirs[1], strict=True) if new != old]
    if ours[0] != theirs[0]:
        words.append(_t("parent"))
    if ours[2] != theirs[2]:
        words.append(_t("details"))
    return words
