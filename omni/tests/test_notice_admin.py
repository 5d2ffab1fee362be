"""The pages of notices and consents: numbers masked, each change recorded."""

import pytest

from accounts.rights import Right
from core.models import AuditEntry
from omni.models import NoticeConsent
from omni.services import consents
from omni.tests import notice_builders as n
from omni.tests.notice_builders import NOON, PHONE
from tests import builders as b

pytestmark = pytest.mark.django_db
CONSENTS = "/admin/omni/noticeconsent/"


@pytest.fixture
def browser(client):
    client.force_login(b.a_person("admin", "Админ", role=b.a_role("all", list(Right.values))))
    return client


def test_a_number_is_typed_once_and_masked_from_then_on(browser):
    answer = browser.post(f"{CONSENTS}add/", {"address": "+7 916 111-22-33", "source": "звонок", "agrees": "on"})
    assert answer.status_code == 302, answer.content.decode()
    row = NoticeConsent.objects.get()
    assert (row.address, row.by.login, consents.is_given(PHONE)) == (PHONE, "admin", True)
    for page in (CONSENTS, f"{CONSENTS}{row.pk}/change/"):
        text = browser.get(page).content.decode()
        assert "+7•••••••••33"[:4] in text
        assert "9161112233" not in text
    assert "916" not in str(AuditEntry.objects.filter(action="noticeconsent.added").get().details)


def test_withdrawing_and_giving_again(browser):
    row = consents.give(phone=PHONE, source="card", by=None, now=NOON)
    address = f"{CONSENTS}{row.pk}/change/"
    assert browser.post(address, {"source": "не хочет"}).status_code == 302
    assert not consents.is_given(PHONE)
    assert browser.post(address, {"source": "передумал", "agrees": "on"}).status_code == 302
    assert consents.is_given(PHONE)


@pytest.mark.parametrize("address", ["", "12", PHONE])
def test_what_is_no_new_number(browser, address):
    consents.give(phone=PHONE, source="card", by=None, now=NOON)
    assert browser.post(f"{CONSENTS}add/", {"address": address, "source": "x"}).status_code == 200
    assert NoticeConsent.objects.count() == 1


def test_why_a_guest_was_not_told(browser):
    notice = n.a_told_guest(n.a_guest(agrees=False), b.an_account("smsc"), 7, NOON)
    for query in ("", "?fate=failed", "?fate=doubtful", "?fate=waiting", f"?q={notice.key}"):
        assert browser.get(f"/admin/omni/notice/{query}").status_code == 200
    page = browser.get(f"/admin/omni/notice/{notice.pk}/change/").content.decode()
    assert "undelivered" in page
    assert PHONE not in page
