"""Health, metrics, headers, sign-in."""

import uuid

import pytest
from django.test import Client

from tests import builders as b

pytestmark = pytest.mark.django_db


def test_healthz_names_the_parts():
    assert Client().get("/healthz").json() == {"ok": True, "database": True, "redis": True}


def test_metrics_tell_of_queues_and_refuse_strangers(settings):
    b.an_account()
    answer = Client().get("/metrics")
    assert b"otklik_channel_accounts" in answer.content
    assert b'state="enabled"' in answer.content
    settings.METRICS_TOKEN = "a-token"
    assert Client().get("/metrics").status_code == 403
    assert Client().get("/metrics", headers={"Authorization": "Bearer a-token"}).status_code == 200


def test_every_answer_has_a_request_id_and_a_strict_policy():
    answer = Client().get("/sign-in/", headers={"X-Request-Id": "from-the-proxy-1"})
    assert answer.headers["X-Request-Id"] == "from-the-proxy-1"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_russian_is_the_default_whatever_the_browser_asks():
    page = Client().get("/sign-in/", headers={"Accept-Language": "en"})
    assert page.headers["Content-Language"] == "ru"


def test_the_language_can_be_changed_and_stays():
    client = Client()
    client.post("/language/", {"language": "en", "next": "/sign-in/"})
    assert client.get("/sign-in/").headers["Content-Language"] == "en"
    assert client.post("/language/", {"language": "en", "next": "https://evil.example/"}).headers["Location"] == "/"


def test_five_wrong_passwords_lock_the_sign_in_even_for_the_right_one():
    b.a_person("locked", "Заблокированный")
    client = Client()
    for _ in range(5):
        client.post("/sign-in/", {"username": "locked", "password": "wrong"})
    answer = client.post("/sign-in/", {"username": "locked", "password": b.PASSWORD})
    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


def test_the_right_password_signs_in_and_is_written_down():
    from core.models import AuditEntry

    b.a_person("anna")
    client = Client()
    assert client.post("/sign-in/", {"username": "anna", "password": b.PASSWORD}).status_code == 302
    assert AuditEntry.objects.filter(action="signed_in").exists()
    again = Client().post("/sign-in/", {"username": "anna", "password": b.PASSWORD}, headers={"Accept": "application/json"})
    assert again.json() == {"ok": True}


def test_a_switched_off_person_cannot_sign_in():
    staff = b.a_person("gone")
    staff.is_active = False
    staff.save()
    answer = Client().post("/sign-in/", {"username": "gone", "password": b.PASSWORD})
    assert answer.status_code == 200
    assert "_auth_user_id" not in Client().session


def test_an_address_that_is_not_there_is_said_in_the_readers_language():
    page = Client().get("/no/such/page/")
    assert page.status_code == 404
    assert "Такой страницы нет" in page.content.decode()
    assert "Not Found" not in page.content.decode()
    assert Client().get("/api/no/such/").json() == {"code": "not_found", "message": "Такой страницы нет."}


def test_a_form_from_elsewhere_is_refused_with_a_sentence():
    page = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "anna"})
    assert page.status_code == 403
    assert "Страница устарела" in page.content.decode()
    asked = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "anna"}, headers={"Accept": "application/json"})
    assert asked.status_code == 403
    assert asked.json()["code"] == "stale_page"


def test_a_request_for_another_host_is_refused_with_a_sentence(settings):
    settings.ALLOWED_HOSTS = ["desk.example"]
    page = Client().get("/sign-in/", headers={"Host": "evil.example"})
    assert page.status_code == 400
    assert "Запрос непонятен" in page.content.decode()


@pytest.mark.parametrize("path", ["/desk/session/{}/", "/desk/case/{}/", "/api/v1/cases/{}/"])
def test_a_number_larger_than_any_of_ours_is_nobodys(path):
    client = Client()
    client.force_login(b.a_person())
    assert client.get(path.format(2**63)).status_code == 404
    assert client.get(path.format(10**40)).status_code == 404


def test_an_answer_to_a_number_larger_than_any_of_ours_is_refused():
    client = Client()
    client.force_login(b.a_person())
    answer = client.post(f"/api/v1/sessions/{10**20}/answers", {"text": "x"}, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 404


def test_a_zero_byte_in_an_address_is_refused_with_a_sentence():
    client = Client()
    client.force_login(b.a_person())
    page = client.get("/desk/", {"channel": "\0"})
    assert page.status_code == 400
    assert "Запрос непонятен" in page.content.decode()


def test_the_description_of_the_api_keeps_the_strict_policy():
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    assert "<style" not in page.content.decode()
    assert 'id="swagger-ui"' in page.content.decode()
