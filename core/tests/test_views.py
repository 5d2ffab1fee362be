"""Health, metrics, headers, sign-in."""

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
