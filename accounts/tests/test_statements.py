"""Prepared statements give what the ORM gives, on any connection."""

import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Group, Membership, Staff
from core.models import AuditEntry, Command, LiveEvent
from core.statements import Among, Prepared, insert, update
from tests import builders as b

BY_LOGIN = Prepared(lambda login: Staff.objects.filter(login=login))
MEMBERS = Prepared(lambda groups: Membership.objects.filter(Among("group_id", groups)).select_related("staff", "group").order_by("pk"))
LOGINS = Prepared(lambda group: Staff.objects.filter(groups=group).order_by("login").values_list("login", flat=True)[:2])
LOCKED = Prepared(lambda pk: Group.objects.select_for_update().filter(pk=pk))


@pytest.fixture
def groups(db):
    return [b.a_group(f"g{number}") for number in range(3)]


@pytest.fixture(params=[True, False], ids=["prepared", "plain"])
def either_way(request, settings):
    settings.PREPARED_STATEMENTS = request.param


@pytest.mark.usefixtures("either_way")
def test_rows_are_the_orms(groups):
    people = [b.a_person(login=f"p{number}", groups=groups[:2]) for number in range(3)]
    found = MEMBERS.all(groups=[group.pk for group in groups])
    expected = list(Membership.objects.select_related("staff", "group").order_by("pk"))
    assert [row.pk for row in found] == [row.pk for row in expected]
    with_nothing_asked = [(row.staff.login, row.group.name, row.__dict__.keys()) for row in found]
    assert with_nothing_asked == [(row.staff.login, row.group.name, row.__dict__.keys()) for row in expected]
    assert BY_LOGIN.get(login=people[0].login) == people[0]
    assert LOGINS.all(group=groups[0].pk) == sorted(person.login for person in people)[:2]


@pytest.mark.usefixtures("either_way")
def test_nothing_found(groups):
    assert MEMBERS.all(groups=[]) == []
    assert BY_LOGIN.first(login="nobody' or 1=1 --") is None
    with pytest.raises(Staff.DoesNotExist):
        BY_LOGIN.get(login="nobody")


def test_related_rows_that_are_missing_stay_none(db):
    own = Prepared(lambda pk: AuditEntry.objects.select_related("by").filter(pk=pk))
    entry = AuditEntry.objects.create(at=timezone.now(), action="a", subject="s", by=None, details={"a": [1, "ё"]})
    found = own.get(pk=entry.pk)
    assert (found.by, found.details, found.at) == (None, {"a": [1, "ё"]}, entry.at)


@pytest.mark.django_db(transaction=True)
def test_a_lock_needs_a_transaction_and_a_new_connection_prepares_anew():
    group = b.a_group("g")
    with transaction.atomic():
        assert LOCKED.get(pk=group.pk) == group
    with pytest.raises(transaction.TransactionManagementError):
        LOCKED.get(pk=group.pk)
    connection.close()
    with transaction.atomic():
        assert LOCKED.get(pk=group.pk) == group


@pytest.mark.django_db(transaction=True)
def test_a_statement_prepared_in_a_transaction_that_failed_is_still_there():
    once = Prepared(lambda code: Group.objects.filter(code=code))
    with pytest.raises(RuntimeError), transaction.atomic():
        assert once.all(code="x") == []
        raise RuntimeError
    assert once.all(code="x") == []


@pytest.mark.usefixtures("either_way")
def test_insert_fills_in_what_the_database_gives(db):
    made = insert(LiveEvent(kind="k", payload={"a": "ё"}, topics=["t"]))
    kept = LiveEvent.objects.values().get(pk=made.pk)
    assert kept == {field.attname: getattr(made, field.attname) for field in made._meta.concrete_fields}
    assert not made._state.adding


@pytest.mark.usefixtures("either_way")
def test_insert_refuses_what_the_table_refuses(db):
    staff = b.a_person()
    key = uuid.uuid4()
    insert(Command(key=key, name="n", by_id=staff.pk))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Command(key=key, name="n", by_id=staff.pk))


@pytest.mark.usefixtures("either_way")
def test_update_writes_the_named_fields_only(groups):
    group = groups[0]
    group.name, group.code = "Новое имя", "never-written"
    update(group, "name")
    kept = Group.objects.get(pk=group.pk)
    assert (kept.name, kept.code) == ("Новое имя", "g0")


def test_update_of_a_row_that_is_gone(groups):
    Group.objects.filter(pk=groups[0].pk).delete()
    with pytest.raises(DatabaseError):
        update(groups[0], "name")
