"""The editor in the admin panel: drafts are edited, tried and published; what guests have met stays as it was."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.rights import Right
from bots.models import Dialogue, Run, SkillUse, Step, Version
from bots.services import scripts
from bots.states import VersionState
from bots.tests import builders as bots
from core.models import AuditEntry
from core.refusal import Refusal
from loyalty.models import Card
from loyalty.services import cards
from omni.models import Message
from orders.services import importing
from orders.types import Told
from stores.models import Chain
from tests import builders as b
from tests.admin.conftest import an_administrator, browser

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def version():
    bots.shipped_dialogues()
    return Version.objects.get(dialogue__code="welcome")


@pytest.fixture
def client():
    return browser(an_administrator())


def page(name, *args):
    return reverse(f"admin:bots_{name}", args=args)


def test_a_new_dialogue_begins_with_a_draft_that_can_be_tried(client):
    client.post(page("dialogue_add"), {"name": "Опросы", "code": "polls"})
    draft = Version.objects.get(dialogue__code="polls")
    assert (draft.state, draft.number, list(scripts.faults(draft))) == (VersionState.DRAFT, 1, [])
    assert "Здравствуйте!" in client.get(page("version_try", draft.pk)).content.decode()


def test_a_draft_is_edited_and_published_and_the_old_version_comes_back(client, version):
    client.post(page("version_copy", version.pk))
    draft = Version.objects.get(state=VersionState.DRAFT)
    assert draft.steps.count() == version.steps.count()
    step = draft.steps.get(code="bye")
    form = {"code": "bye", "kind": "end", "position": "30", "text": "Пока-пока", "expects": "text"}
    form |= {"ways-TOTAL_FORMS": "0", "ways-INITIAL_FORMS": "0", "_save": "1"}
    answer = client.post(page("step_change", step.pk), form)
    assert answer.headers["Location"] == page("version_change", draft.pk)
    assert Step.objects.get(pk=step.pk).text == "Пока-пока"
    assert AuditEntry.objects.filter(action="step.changed").exists()
    client.post(page("version_publish", draft.pk))
    assert {one.number: one.state for one in Version.objects.filter(dialogue=version.dialogue)} == {1: "retired", 2: "published"}
    client.post(page("version_publish", version.pk))
    assert scripts.published("welcome") == version
    assert AuditEntry.objects.filter(action="dialogue.published").count() == 2 + Dialogue.objects.count()


def test_a_faulty_draft_is_not_published_and_says_why(client, version):
    client.post(page("version_copy", version.pk))
    draft = Version.objects.get(state=VersionState.DRAFT)
    draft.steps.filter(code="bye").delete()
    shown = client.get(page("version_change", draft.pk)).content.decode()
    assert "путь ведёт к шагу «bye», которого нет" in shown
    client.post(page("version_publish", draft.pk))
    draft.refresh_from_db()
    assert draft.state == VersionState.DRAFT
    with pytest.raises(Refusal):
        scripts.publish(draft.pk, by=None, now=NOW)


def test_what_is_published_is_not_edited(client, version):
    step = version.steps.get(code="bye")
    assert client.post(page("step_change", step.pk), {"text": "x"}).status_code == 403
    assert client.post(page("step_delete", step.pk), {"post": "yes"}).status_code == 403
    client.post(page("version_change", version.pk), {"operator_text": "x", "_save": "1"})
    version.refresh_from_db()
    assert version.operator_text.startswith("Зову")
    form = {"version": version.pk, "code": "new", "kind": "end", "position": "1", "expects": "text"}
    client.post(page("step_add"), form | {"ways-TOTAL_FORMS": "0", "ways-INITIAL_FORMS": "0"})
    assert not Step.objects.filter(code="new").exists()


def play(client, version, text="", **fields):
    given = {"text": text, "is_working": "on", "can_share_phone": "on", **fields}
    return client.post(page("version_try", version.pk), given).context["trial"]


def test_a_talk_is_played_and_nothing_is_sent_or_done(client, version):
    cards.issue_card(number="7700001234", chain=Chain.objects.create(code="c", name="Сеть"), now=NOW)
    client.get(page("version_try", version.pk))
    assert "Поделиться номером" in play(client, version, choice="Активировать карту").lines[-1].text
    assert play(client, version, "", phone="+79161234567").lines[-1].text.startswith("Напишите номер карты")
    done = play(client, version, "7700001234", phone="+79161234567")
    assert [line.text for line in done.lines[-3:]] == [
        "card → done", "Готово, карта активирована. Баллы всех ваших карт теперь на одном счёте.", "Помочь чем-то ещё?",
    ]  # fmt: skip
    assert Card.objects.get().wallet.guest is None, "what a skill did is undone"
    assert [model.objects.count() for model in (Message, Run, SkillUse)] == [0, 0, 0]
    over = play(client, version, "оператор", phone="+79161234567")
    assert over.is_over
    assert "гость попросил оператора" in over.lines[-1].text
    assert play(client, version, "ещё").lines == over.lines
    assert len(play(client, version, again="1").lines) == 1


def test_hours_outcomes_and_channels_are_played(client, version):
    assert "начнут завтра" in play(client, version, "оператор", is_working="").lines[-1].text
    play(client, version, again="1")
    assert "не могу проверить" in play(client, version, choice="Баланс баллов", can_share_phone="").lines[-1].text
    play(client, version, again="1")
    play(client, version, choice="Часы работы магазина")
    assert "Таких магазинов много" in play(client, version, "4217", outcome="many").lines[-2].text


def test_orders_of_a_real_telephone_are_told_only_to_whom_may_see_them(version):
    importing.load([Told("own", "A-77", "in_delivery", NOW, NOW, phone="+79161234567")], by=None, now=NOW)
    for rights, is_told in (([Right.ADMIN, Right.CONFIGURE], False), ([Right.ADMIN, Right.CONFIGURE, Right.PERSONAL], True)):
        client = browser(an_administrator(f"tester{is_told}", rights))
        play(client, version, again="1")
        shown = play(client, version, choice="Где мой заказ", phone="+79161234567")
        assert any("A-77" in line.text for line in shown.lines) is is_told


def test_who_may_not_enter_tries_and_publishes_nothing(version):
    client = browser(b.a_person())
    for name in ("version_try", "version_publish", "version_copy"):
        assert client.post(page(name, version.pk)).status_code in {302, 403}
    viewer = browser(an_administrator("viewer", [Right.ADMIN]))
    assert viewer.post(page("version_publish", version.pk)).status_code == 403
    assert viewer.get(page("version_try", version.pk)).status_code == 200
    assert Version.objects.count() == Dialogue.objects.count()


def test_an_account_offers_the_published_dialogues(client, version):
    account = b.an_account("telegram")
    address = reverse("admin:omni_channelaccount_change", args=[account.pk])
    shown = client.get(address).content.decode()
    assert "Помощник в чате" in shown
    form = {"name": "telegram", "queue": account.queue_id, "answers_first": "welcome", "state": "enabled", "weight": 1}
    client.post(address, form)
    account.refresh_from_db()
    assert account.answers_first == "welcome"
    client.post(address, form | {"answers_first": "no-such"})
    account.refresh_from_db()
    assert account.answers_first == "welcome"
    mango = b.an_account("mango")
    assert "Помощник в чате" not in client.get(reverse("admin:omni_channelaccount_change", args=[mango.pk])).content.decode()
