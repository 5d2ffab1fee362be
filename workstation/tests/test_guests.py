"""Guests who are one person, at the desk: offered, compared, joined, parted."""

import json
import uuid

import pytest

from accounts.rights import Right
from customers.models import Guest, GuestMerge, Identity, MatchRule
from tests import builders as b
from tests.builders import OPERATOR_RIGHTS
from workstation.tests.conftest import Desk

PHONE = "+79161234567"


@pytest.fixture
def joining(db):
    role = b.a_role("joining", rights=[*OPERATOR_RIGHTS, Right.JOIN_GUESTS])
    return Desk(b.a_person("petrova", "Вера Петрова", groups=[b.a_group()], role=role))


@pytest.fixture
def pair(write, now):
    """Two guests with the same telephone: one of the web chat, one of Telegram."""
    MatchRule.objects.create(code="phone", weight=60)
    chat = write()
    b.receive(b.an_account(), b.telegram_update(1, chat_id=5, name="Мария"), now=now)
    other = Identity.objects.get(channel="telegram").guest
    Guest.objects.filter(pk__in=[chat.guest_id, other.pk]).update(phone=PHONE)
    return chat, other


def test_candidates_and_the_preview_say_what_speaks_for_it_and_hide_contacts(joining, pair):
    session, other = pair
    page = joining.read(f"guests/{session.guest_id}/same/").json()["html"]
    assert "Мария" in page
    assert "60 %" in page
    assert PHONE not in page
    told = joining.read(f"guests/{session.guest_id}/same/{other.pk}/").json()["html"]
    assert "1 диалог" in told
    assert f'name="gone" value="{other.pk}"' in told
    assert PHONE not in told


def test_joined_and_parted_again(joining, pair):
    session, other = pair
    key = uuid.uuid4()
    answers = [joining.command(f"guests/{session.guest_id}/join/", key=key, guest=other.pk) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    made = GuestMerge.objects.get()
    assert (made.by, made.reasons, made.score) == (joining.staff, ["phone"], 60)
    page = joining.read(f"guests/{session.guest_id}/same/").json()["html"]
    assert "data-merge" in page
    assert joining.command(f"merges/{made.pk}/undo/").status_code == 200
    assert "data-merge" not in joining.read(f"guests/{session.guest_id}/same/").json()["html"]


def test_two_people_are_not_offered_again(joining, pair):
    session, other = pair
    assert joining.command(f"guests/{session.guest_id}/two-people/", guest=other.pk).status_code == 200
    assert "Мария" not in joining.read(f"guests/{session.guest_id}/same/").json()["html"]


def test_the_panel_asks_for_candidates_only_for_those_who_may_join(desk, joining, pair):
    session, _other = pair
    for one, offered in ((desk, False), (joining, True)):
        panel = json.loads(one.read(f"session/{session.pk}/open/").content)["panel"]
        assert ("data-same" in panel) is offered
    assert desk.read(f"guests/{session.guest_id}/same/").status_code == 403
