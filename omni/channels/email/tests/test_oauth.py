"""Signing in with keys: against a real Dovecot that asks about each key, and an SMTP server that reads the SASL words."""

from datetime import UTC, datetime

import pytest

from omni.channels import kept_secrets
from omni.channels.contract import AccountConfig, Failed, Reason, Retry, Sent
from omni.channels.email.adapter import EmailAdapter, imap_settings, smtp_settings
from omni.channels.email.fetching import Mailbox, MailboxRefused, TemporaryMailboxFault
from omni.channels.email.oauth import REFRESH_SECRET, said_in
from omni.channels.email.sending import deliver, sign_in_fault
from omni.channels.email.tests.builders import simple
from omni.channels.email.tests.test_sending import composed
from tests.providers.faults import Fault, FaultKind
from tests.providers.oauth import CLIENT, REFRESH, SCOPE, SECRET

pytestmark = [pytest.mark.peer("Dovecot"), pytest.mark.filterwarnings("ignore:Requiring AUTH")]


@pytest.fixture
def account(oauth, oauth_dovecot, smtp):
    """A mailbox at a provider that takes keys only; every test's has another id, so no key is remembered."""
    sink = smtp(keys=oauth)
    account = account_of(oauth, oauth_dovecot, sink)
    yield account
    assert oauth.violations.after() == []
    assert sink.sink.broken == []


def account_of(oauth, dovecot, sink, **oauth_settings):
    settings = {
        "address": oauth.user,
        "sign_in": "oauth2",
        "oauth": {"token_address": f"{oauth.base}/oauth/token", "client_id": CLIENT, "scope": SCOPE, **oauth_settings},
        "imap": {"host": dovecot.host, "port": dovecot.port, "tls": "none", "timeout": 5},
        "smtp": {"host": "127.0.0.1", "port": sink.settings().port, "tls": "none", "timeout": 5},
    }
    return AccountConfig(oauth.user, "email", settings, {"oauth_client_secret": SECRET, REFRESH_SECRET: REFRESH})


def opened(account):
    with Mailbox(imap_settings(account)):
        return True


def asked(oauth):
    return [entry["refresh_token"] for entry in oauth.accepted.after()]


def test_a_mailbox_is_read_and_a_mail_sent_with_one_key(account, oauth, oauth_dovecot):
    oauth_dovecot.append(simple())
    with Mailbox(imap_settings(account)) as mailbox:
        assert len(list(mailbox.new_mails(None, since=datetime.now(UTC)))) == 1
    assert isinstance(deliver(composed(), smtp_settings(account)), Sent)
    assert asked(oauth) == [REFRESH]


def test_the_check_asks_both_servers(account):
    assert [finding.works for finding in EmailAdapter().check(account, "")] == [True, True]


def test_a_key_that_is_over_before_its_time_is_replaced(account, oauth):
    assert opened(account)
    oauth.keys.clear()
    assert opened(account)
    oauth.keys.clear()
    assert isinstance(deliver(composed(), smtp_settings(account)), Sent)
    assert asked(oauth) == [REFRESH] * 3


def test_a_revoked_right_is_said_in_words(account, oauth):
    assert opened(account)
    oauth.revoke()
    sentence = r"does not give a key any more \(Token has been expired or revoked.\): the mailbox must be allowed anew"
    with pytest.raises(MailboxRefused, match=sentence):
        opened(account)
    result = deliver(composed(), smtp_settings(account))
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("no_key", Reason.ACCOUNT_REFUSED)
    assert "allowed anew" in sign_in_fault(smtp_settings(account))


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.THROTTLED, FaultKind.DROPPED_AFTER_ACCEPTING])
def test_an_address_for_keys_that_is_ill_is_waited_for(account, oauth, kind):
    oauth.faults.add(Fault(kind, method="token"), times=2)
    with pytest.raises(TemporaryMailboxFault, match="address for keys"):
        opened(account)
    result = deliver(composed(), smtp_settings(account))
    assert isinstance(result, Retry)
    assert (result.code, result.whole_account, result.unknown) == ("no_key", True, False)
    assert opened(account)


def test_a_key_of_somebody_else_is_refused(account, oauth):
    """Two keys are tried, the second made for this: then it is the mailbox that is not ours."""
    oauth.user = "somebody@shop.example"
    with pytest.raises(MailboxRefused, match="does not accept the key"):
        opened(account)
    result = deliver(composed(), smtp_settings(account))
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED
    assert len(asked(oauth)) == 3, "one key and its successor by IMAP, one more by SMTP"


def test_a_new_refresh_token_is_kept_and_used(account, oauth, monkeypatch):
    """The old one is void from then on; this process goes on even while it still holds the account as it was."""
    kept = []
    monkeypatch.setattr(kept_secrets, "_keepers", [lambda account_id, secrets: kept.append((account_id, dict(secrets)))])
    oauth.rotates = True
    assert opened(account)
    oauth.keys.clear()
    assert opened(account)
    assert [account_id for account_id, _secrets in kept] == [account.id, account.id]
    assert asked(oauth) == [REFRESH, kept[0][1][REFRESH_SECRET]]
    assert kept[1][1] == {REFRESH_SECRET: next(iter(oauth.refresh_tokens))}


def test_a_server_without_the_mechanism_is_said_in_words(oauth, oauth_dovecot, dovecot, smtp):
    password_only = smtp(user="help", password="right")
    account = account_of(oauth, dovecot, password_only)
    result = deliver(composed(), smtp_settings(account))
    assert isinstance(result, Failed)
    assert "does not offer to sign in with a key" in result.text
    with pytest.raises(MailboxRefused):
        opened(account)


@pytest.mark.parametrize("name", ["token_address", "client_id"])
def test_a_mailbox_that_names_nobody_to_ask(oauth, oauth_dovecot, smtp, name):
    with pytest.raises(MailboxRefused, match=f"no oauth.{name}"):
        opened(account_of(oauth, oauth_dovecot, smtp(keys=oauth), **{name: ""}))


def test_the_form_asks_for_what_is_needed():
    shape = EmailAdapter.form.shape
    assert set(shape({"sign_in": "oauth2"})) == {"oauth.token_address", "oauth.client_id"}
    assert shape({"sign_in": "oauth2", "oauth": {"token_address": "https://x", "client_id": "1"}}) == {}
    assert shape({"sign_in": ""}) == {}


@pytest.mark.parametrize(
    ("challenge", "said"),
    [(b'{"status":"400","schemes":"Bearer"}', "status 400"), (b"no json", "no json"), (b"[1]", "[1]"), (b"", ""), (b"\xff", "\ufffd")],
)
def test_what_a_server_says_against_a_key(challenge, said):
    assert said_in(challenge) == said
