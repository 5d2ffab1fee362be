"""The work list: one denormalised row for everything that waits for a person, and counters kept by the database itself."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from customers.models import Guest
from stores.models import Store
from worklist.querysets import ItemQuerySet
from worklist.states import NO_DUE, ItemState, Kind

OPEN = ~Q(state=ItemState.CLOSED)


class Item(models.Model):
    """A row of the lists. `subject_id` is the session's or case's own id; what is shown is copied here by its service."""

    PERSONAL = ("guest_name", "preview")

    kind = models.CharField(max_length=8, choices=Kind)
    subject_id = models.BigIntegerField()
    session_id = models.BigIntegerField(null=True)
    """The conversation in which the guest is answered."""
    number = models.CharField(max_length=16, blank=True)
    guest = models.ForeignKey(Guest, models.PROTECT, related_name="+", db_index=False)
    guest_name = models.CharField(max_length=160, blank=True)
    channel = models.CharField(max_length=24)
    title = models.CharField(max_length=200, blank=True)
    preview = models.CharField(max_length=160, blank=True)
    store = models.ForeignKey(Store, models.PROTECT, null=True, related_name="+", db_index=False)
    at_store = models.BooleanField(default=False)
    """The store has to act: its staff see the row."""
    group = models.ForeignKey(Group, models.PROTECT, related_name="+", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    state = models.CharField(_("state"), max_length=8, choices=ItemState, default=ItemState.WAITING)
    priority = models.SmallIntegerField(default=0)
    unread = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=NO_DUE)
    """When the next promise is due; NO_DUE = none runs."""
    target_seconds = models.PositiveIntegerField(default=0)
    """The length of that promise: thresholds of its colour are parts of it."""
    waiting_since = models.DateTimeField()
    last_at = models.DateTimeField()
    snoozed_until = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    """Grows with each change: a screen drops what is older than what it shows."""

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("work item")
        verbose_name_plural = _("work items")
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="item_once")]
        indexes = [
            # Queue and group tabs, one index walk per group and order.
            models.Index(fields=["group", "due_at", "id"], condition=OPEN, name="item_group_due"),
            models.Index(fields=["group", "-last_at", "-id"], condition=OPEN, name="item_group_newest"),
            models.Index(fields=["group", "waiting_since", "id"], condition=OPEN, name="item_group_longest"),
            models.Index(fields=["group", "-priority", "due_at", "id"], condition=OPEN, name="item_group_priority"),
            # The queue tab and distribution: what waits for nobody in particular.
            models.Index(
                fields=["group", "-priority", "waiting_since", "id"],
                condition=Q(state=ItemState.WAITING, owner__isnull=True),
                name="item_group_waiting",
            ),
            models.Index(fields=["group", "due_at", "id"], condition=Q(state=ItemState.WAITING, owner__isnull=True), name="item_queue_due"),
            # My items and what I put off.
            models.Index(fields=["owner", "due_at", "id"], condition=OPEN, name="item_owner_due"),
            # A supervisor's view of all groups, closed ones included.
            models.Index(fields=["due_at", "id"], condition=OPEN, name="item_all_due"),
            models.Index(fields=["-last_at", "-id"], name="item_all_newest"),
            models.Index(fields=["owner", "-last_at", "-id"], condition=Q(owner__isnull=False), name="item_owner_newest"),
            models.Index(fields=["group", "-last_at", "-id"], name="item_history_newest"),
            # A store's own list.
            models.Index(fields=["store", "-last_at", "-id"], condition=Q(at_store=True), name="item_store_newest"),
            # The guest's cases beside the dialogue, the route to a dialogue's cases.
            models.Index(fields=["guest", "-last_at"], name="item_guest"),
            models.Index(fields=["session_id"], name="item_session"),
            models.Index(fields=["snoozed_until"], condition=Q(state=ItemState.SNOOZED), name="item_wake"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number or self.subject_id}"

    @property
    def topics(self) -> list[str]:
        """Who hears of a change: watchers of the group's list, the owner, watchers of the item itself."""
        heard = [f"group:{self.group_id}", f"item:{self.kind}:{self.subject_id}"]
        if self.owner_id:
            heard.append(f"staff:{self.owner_id}")
        if self.at_store and self.store_id:
            heard.append(f"store:{self.store_id}")
        return heard


class Counter(models.Model):
    """How many open items a group has in a state. Deltas not folded yet are in CounterDelta."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    bucket = models.CharField(max_length=8)
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "bucket"], name="counter_once")]


class CounterDelta(models.Model):
    """A change of a counter, inserted by a trigger in the transaction of the change: inserting never waits for another writer."""

    group_id = models.BigIntegerField()
    bucket = models.CharField(max_length=8)
    change = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["group_id", "bucket"], include=["change"], name="counter_delta_key")]
