"""A command with one key is carried out once."""

import threading
import uuid

import pytest
from django.db import connection

from core.commands import once
from core.models import AuditEntry, Command
from core.refusal import Refusal
from tests import builders as b


@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer():
    staff, key, runs = b.a_person(), uuid.uuid4(), []

    def run():
        runs.append(1)
        return {"id": len(runs)}

    assert once(key=key, name="send", by=staff, run=run) == once(key=key, name="send", by=staff, run=run) == {"id": 1}


@pytest.mark.django_db
def test_a_key_of_another_person_or_command_is_refused():
    key, staff = uuid.uuid4(), b.a_person()
    once(key=key, name="send", by=staff, run=dict)
    with pytest.raises(Refusal):
        once(key=key, name="send", by=b.a_person("other"), run=dict)
    with pytest.raises(Refusal):
        once(key=key, name="close", by=staff, run=dict)


@pytest.mark.django_db
def test_a_failed_command_leaves_its_key_free():
    key, staff = uuid.uuid4(), b.a_person()

    def fail():
        raise Refusal("no", "no")

    with pytest.raises(Refusal):
        once(key=key, name="send", by=staff, run=fail)
    assert once(key=key, name="send", by=staff, run=lambda: {"ok": True}) == {"ok": True}


@pytest.mark.django_db(transaction=True)
def test_twenty_equal_commands_at_once_run_once():
    staff, key, answers = b.a_person(), uuid.uuid4(), []

    def run():
        return {"rows": AuditEntry.objects.bulk_create([AuditEntry(at="2026-01-01T00:00Z", action="x", subject="y")])[0].pk}

    def act():
        try:
            answers.append(once(key=key, name="send", by=staff, run=run))
        finally:
            connection.close()

    threads = [threading.Thread(target=act) for _ in range(20)]
    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]
    assert len(answers) == 20
    assert len({answer["rows"] for answer in answers}) == 1
    assert (AuditEntry.objects.count(), Command.objects.count()) == (1, 1)
