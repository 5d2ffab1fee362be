"""What a supervisor changes: passwords, tokens, rights, topics, channel accounts; each change in the audit trail, no secret shown."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.contrib.auth import authenticate
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, Role, Staff
from accounts.rights import Right
from accounts.tokens import digest_of
from core.models import AuditEntry
from omni.models import ChannelAccount
from sla.models import Calendar
from tests import builders as b
from tests.admin.conftest import an_administrator, browser
from tickets.models import Topic
from tickets.services import versions

pytestmark = pytest.mark.django_db


def fields_of(answer):
    """What the browser would send back of a form: its initial values."""
    form = answer.context["adminform"].form
    data: dict[str, object] = {}
    for name in form.fields:
        value = form[name].value()
        if value is True:
            data[form.add_prefix(name)] = "on"
        elif value not in (None, False):
            data[form.add_prefix(name)] = [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
    for inline in answer.context["inline_admin_formsets"]:
        data |= {f"{inline.formset.prefix}-{name}": value for name, value in inline.formset.management_form.initial.items()}
    return data


def change(client, thing, **values):
    url = reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_change", args=[thing.pk])
    answer = client.post(url, {**fields_of(client.get(url)), **values})
    if answer.status_code == 200:
        raise AssertionError(answer.context["adminform"].form.errors)
    return answer


def last_entry(action):
    return AuditEntry.objects.filter(action=action).latest("pk")


def test_a_person_is_added_with_a_password_and_a_group(admin_browser):
    group, role = b.a_group(), b.a_role()
    url = reverse("admin:accounts_staff_add")
    data = {**fields_of(admin_browser.get(url)), "login": "sidorova", "full_name": "Ольга Сидорова", "roles": [role.pk]}
    data |= {"memberships-TOTAL_FORMS": 1, "memberships-0-group": group.pk}
    short = admin_browser.post(url, {**data, "new_password": "short"})
    assert "new_password" in short.context["adminform"].form.errors
    assert admin_browser.post(url, {**data, "new_password": b.PASSWORD}).status_code == 302
    person = Staff.objects.get(login="sidorova")
    assert person.check_password(b.PASSWORD)
    assert (person.group_ids, set(person.rights)) == ((group.pk,), set(role.rights))
    assert last_entry("staff.added").details["new_password"] == "***"
    assert b.PASSWORD not in str(list(AuditEntry.objects.values_list("details", flat=True)))
    assert last_entry("membership.added").subject == f"staff:{person.pk}"


def test_an_empty_password_stays_and_a_new_one_signs_in(admin_browser, rf):
    person = b.a_person("sidorova", "Ольга Сидорова")
    change(admin_browser, person, full_name="Ольга Петрова")
    person.refresh_from_db()
    assert person.full_name == "Ольга Петрова"
    assert person.check_password(b.PASSWORD)
    change(admin_browser, person, new_password="another-password-77")
    assert authenticate(rf.post("/sign-in/"), username="sidorova", password="another-password-77") == person


def test_the_same_login_in_other_letters_is_refused(admin_browser):
    b.a_person("sidorova")
    person = b.a_person("petrova")
    with pytest.raises(AssertionError, match="login"):
        change(admin_browser, person, login="SIDOROVA")


def test_nobody_makes_himself_almighty():
    configurer = an_administrator("configurer", [Right.ADMIN, Right.CONFIGURE])
    client = browser(configurer)
    change(client, configurer, is_superuser="on")
    configurer.refresh_from_db()
    assert not configurer.is_superuser
    boss = b.a_person("boss")
    Staff.objects.filter(pk=boss.pk).update(is_superuser=True)
    url = reverse("admin:accounts_staff_change", args=[boss.pk])
    assert client.post(url, {"new_password": "another-password-77"}).status_code == 403
    add = reverse("admin:accounts_apitoken_add")
    answer = client.post(add, {"name": "x", "staff": boss.pk})
    assert "staff" in answer.context["adminform"].form.errors


def test_rights_of_a_role_are_ticked(admin_browser):
    role = Role.objects.create(code="duty", name="Дежурный", rights=[Right.DESK])
    page = admin_browser.get(reverse("admin:accounts_role_change", args=[role.pk])).content.decode()
    assert page.count('type="checkbox"') >= len(Right.values)
    change(admin_browser, role, rights=[Right.DESK, Right.JOURNAL])
    role.refresh_from_db()
    assert role.rights == [Right.DESK, Right.JOURNAL]
    assert last_entry("role.changed").details == {"rights": "desk, journal"}


def test_a_token_is_shown_once(admin_browser, client):
    person = b.a_person("robot")
    answer = admin_browser.post(reverse("admin:accounts_apitoken_add"), {"name": "CRM", "staff": person.pk, "scopes": [Right.CASES_READ]})
    token = answer.context["token"]
    assert token in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    made = ApiToken.objects.get()
    assert (made.digest, made.scopes) == (digest_of(token), [Right.CASES_READ])
    assert client.get("/api/v1/topics", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    page = admin_browser.get(reverse("admin:accounts_apitoken_change", args=[made.pk])).content.decode()
    assert token not in page
    assert made.digest not in page
    change(admin_browser, made, name="CRM 2")
    made.refresh_from_db()
    assert (made.name, made.digest) == ("CRM 2", digest_of(token))


def test_topics_stand_in_tree_order_with_what_they_inherit(admin_browser):
    group = b.a_group("goods", "Товары")
    root = b.a_topic("z-root", group=group, name="Качество", position=2)
    Topic.objects.create(code="leaf", parent=root, name="Просрочка")
    Topic.objects.create(code="first", name="Аптека", position=1)
    page = admin_browser.get(reverse("admin:tickets_topic_changelist"))
    assert [topic.code for topic in page.context["cl"].result_list] == ["first", "z-root", "leaf"]
    text = page.content.decode()
    assert 'otk-depth-1">Просрочка' in text
    assert "Товары (" in text
    leaf = admin_browser.get(reverse("admin:tickets_topic_change", args=[Topic.objects.get(code="leaf").pk])).content.decode()
    assert "Качество › Просрочка" in leaf


def test_a_topic_cannot_be_its_own_ancestor(admin_browser, administrator):
    root = b.a_topic("root", name="Корень")
    Topic.objects.create(code="leaf", parent=root, name="Лист")
    draft = versions.draft(by=administrator, now=timezone.now())
    entries = {entry.code: entry for entry in draft.entries.all()}
    with pytest.raises(AssertionError, match="parent"):
        change(admin_browser, entries["root"], parent=entries["leaf"].pk)


def test_a_working_interval_is_added_and_told(admin_browser):
    calendar = Calendar.objects.create(code="office", name="Офис")
    prefix = "intervals"
    values = {f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-0-weekday": 0, f"{prefix}-0-starts": "09:00", f"{prefix}-0-ends": "18:00"}
    change(admin_browser, calendar, **values)
    assert str(calendar.intervals.get()).endswith("09:00–18:00")
    assert last_entry("workinginterval.added").subject == f"calendar:{calendar.pk}"


def test_holiday_hours_that_run_backwards_are_refused(admin_browser):
    calendar = b.a_policy().calendar
    url = reverse("admin:sla_calendar_change", args=[calendar.pk])
    fields = fields_of(admin_browser.get(url))
    fields |= {"holidays-TOTAL_FORMS": 1, "holidays-0-date": "31.12.2026", "holidays-0-starts": "18:00"}
    for number, day in enumerate(calendar.intervals.all()):
        row = {"id": day.pk, "weekday": day.weekday, "starts": "00:00", "ends": "00:00"}
        fields |= {f"intervals-{number}-{name}": value for name, value in row.items()}
    refused = admin_browser.post(url, {**fields, "holidays-0-ends": "09:00"})
    assert refused.status_code == 200
    assert "Конец интервала должен быть позже начала" in refused.content.decode()
    assert not calendar.holidays.exists()
    assert admin_browser.post(url, {**fields, "holidays-0-ends": "00:00"}).status_code == 302
    assert calendar.holidays.get().starts.hour == 18


# Channel accounts


def new_account(client, kind):
    url = reverse("admin:omni_channelaccount_add")
    answer = client.post(url, {"kind": kind, "name": f"Новый {kind}", "queue": b.a_queue().pk, "weight": 1})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    account = ChannelAccount.objects.get(kind=kind)
    assert answer.url == reverse("admin:omni_channelaccount_change", args=[account.pk])
    return account


def test_a_mailbox_is_set_up_by_typed_fields(admin_browser):
    account = new_account(admin_browser, "email")
    assert account.config().secrets["thread_key"]
    account.settings = {"imap": {"timeout": 7}, "unknown": [1]}
    account.save()
    typed = {
        "set_address": "help@example.com",
        "set_aliases": "a@example.com\r\n b@example.com \r\n",
        "set_imap__host": "imap.example.com",
        "set_imap__port": "143",
        "set_imap__tls": "starttls",
        "set_imap__user": "help",
        "set_smtp__host": "smtp.example.com",
        "set_smtp__port": "",
        "secret_imap_password": "imap-secret-1",
    }
    change(admin_browser, account, **typed)
    account.refresh_from_db()
    assert account.settings == {
        "address": "help@example.com",
        "aliases": ["a@example.com", "b@example.com"],
        "imap": {"host": "imap.example.com", "port": 143, "tls": "starttls", "user": "help", "folder": "INBOX", "timeout": 7},
        "smtp": {"host": "smtp.example.com", "tls": "tls"},
        "unknown": [1],
    }
    entry = last_entry("channelaccount.changed").details
    assert (entry["secret_imap_password"], entry["set_imap__host"]) == ("***", "imap.example.com")


def test_secrets_are_kept_when_empty_and_never_shown(admin_browser):
    account = b.an_account("telegram", bot_token="100:very-secret-token")
    url = reverse("admin:omni_channelaccount_change", args=[account.pk])
    page = admin_browser.get(url).content.decode()
    assert "very-secret-token" not in page
    assert account.closed_secrets not in page
    assert f"/hooks/telegram/{account.public_id}/" in page
    change(admin_browser, account, name="Бот")
    account.refresh_from_db()
    assert (account.name, account.config().secrets["bot_token"]) == ("Бот", "100:very-secret-token")
    change(admin_browser, account, secret_bot_token="200:new-secret")
    account.refresh_from_db()
    assert account.config().secrets == {"bot_token": "200:new-secret", "webhook_secret": "demo-secret"}
    assert "new-secret" not in str(list(AuditEntry.objects.values_list("details", flat=True)))


WRONG = [("set_prechat", '{"a": 1}'), ("set_prechat", "nonsense"), ("set_limits", "[1]"), ("set_site_key", "")]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_chat_with_wrong_settings_is_refused(admin_browser, field, value):
    account = new_account(admin_browser, "webchat")
    with pytest.raises(AssertionError, match=field):
        change(admin_browser, account, **{"set_site_key": "shop", field: value})


def test_a_chat_keeps_lists_and_languages(admin_browser):
    account = new_account(admin_browser, "webchat")
    change(
        admin_browser,
        account,
        set_site_key="shop",
        set_origins="https://shop.example",
        set_greeting__ru="Привет",
        set_prechat='[{"field": "name"}]',
    )
    account.refresh_from_db()
    assert account.settings == {
        "site_key": "shop",
        "origins": ["https://shop.example"],
        "greeting": {"ru": "Привет"},
        "prechat": [{"field": "name"}],
    }
    change(admin_browser, account, set_origins="")
    account.refresh_from_db()
    assert "origins" not in account.settings


class BotApi(BaseHTTPRequestHandler):
    """Answers as the Bot API does (https://core.telegram.org/bots/api#making-requests)."""

    answers = {}

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = self.answers.get(self.path.rpartition("/")[2], b'{"ok":false,"error_code":401,"description":"Unauthorized"}')
        self.send_response(200 if b'"ok":true' in body else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_args):
        pass


@pytest.fixture
def bot_api():
    server = HTTPServer(("127.0.0.1", 0), BotApi)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    BotApi.answers = {}
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def press(client, account, button):
    answer = client.post(reverse(f"admin:omni_channelaccount_{button}", args=[account.pk]), follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_the_connection_of_a_bot_is_tried_and_told_in_words(admin_browser, bot_api):
    account = b.an_account("telegram", settings={"api_base": bot_api})
    ChannelAccount.objects.update(state="degraded", state_reason="Unauthorized")
    assert "Unauthorized" in press(admin_browser, account, "check")[0]
    BotApi.answers = {
        "getMe": b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"B","username":"lukoshko_bot"}}',
        "getWebhookInfo": b'{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}',
    }
    told = press(admin_browser, account, "check")
    assert "@lukoshko_bot" in told[0]
    assert len(told) == 2
    BotApi.answers["setWebhook"] = b'{"ok":true,"result":true}'
    assert str(account.public_id) in press(admin_browser, account, "connect")[0]
    ours = reverse("webhook", args=["telegram", account.public_id])
    BotApi.answers["getWebhookInfo"] = (
        b'{"ok":true,"result":{"url":"http://127.0.0.1:8000%s","has_custom_certificate":false,"pending_update_count":3}}' % ours.encode()
    )
    press(admin_browser, account, "check")
    account.refresh_from_db()
    assert (account.state, account.state_reason) == ("enabled", "")
    assert last_entry("channelaccount.checked").details == {"works": True}


def test_a_mailbox_that_nobody_serves_is_told(admin_browser):
    nowhere = {"host": "127.0.0.1", "port": 1, "tls": "none", "user": "help"}
    account = b.an_account("email", settings={"address": "help@example.com", "imap": nowhere, "smtp": nowhere})
    told = press(admin_browser, account, "check")
    assert [text.partition(":")[0] for text in told] == ["IMAP", "SMTP"]


def test_buttons_need_the_right_and_a_post(admin_browser):
    account = b.an_account("webchat")
    url = reverse("admin:omni_channelaccount_check", args=[account.pk])
    assert admin_browser.get(url).status_code == 405
    assert browser(an_administrator("viewer", [Right.ADMIN])).post(url).status_code == 403
    assert len(press(admin_browser, account, "check")) == 1


def test_addresses_and_a_proxy_are_checked_before_they_are_kept(admin_browser):
    account = b.an_account("ok", application_secret="s")
    url = reverse("admin:omni_channelaccount_change", args=[account.pk])
    page = admin_browser.get(url)
    assert "217.20.145.192/28" in page.content.decode()
    data = fields_of(page)
    wrong = admin_browser.post(url, {**data, "set_allowed_from": "217.20.145.192/28\nnonsense", "set_proxy": "foo://x"})
    assert {"set_allowed_from", "set_proxy"} <= set(wrong.context["adminform"].form.errors)
    assert admin_browser.post(url, {**data, "set_allowed_from": "217.20.145.192/28", "set_proxy": "http://proxy:3128"}).status_code == 302
    account.refresh_from_db()
    assert (account.settings["allowed_from"], account.settings["proxy"]) == (["217.20.145.192/28"], "http://proxy:3128")
