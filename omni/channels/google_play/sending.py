"""The developer's answer to a review: one call, a second one overwrites the first."""

from urllib.parse import quote

from omni.channels.asking import Rule, deliver, keyless, refusal, unset
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, SendResult
from omni.channels.google_play.client import call
from omni.channels.json_fields import object_at

CAPABILITIES = Capabilities(text_limit=350, idempotent_send=True)

RULES = (
    Rule(400, "too long", "text_too_long", Reason.TOO_LONG),
    Rule(403, "", "key_has_no_right", Reason.ACCOUNT_REFUSED),
    Rule(404, "", "review_gone", Reason.CONTACT_GONE),
)


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """A sent id is `reply:<reviewId>:<our key>`."""
    refused = refusal(outgoing, CAPABILITIES) or missing(account)
    if refused:
        return refused
    ids = [f"reply:{outgoing.recipient}:{outgoing.key}"]
    return deliver(
        lambda: call(account, "POST", f"/{quote(outgoing.recipient, safe='')}:reply", json={"replyText": outgoing.text}),
        lambda answer: ids if object_at(answer.object, "result") else [],
        RULES,
        idempotent=True,
    )


def missing(account: AccountConfig) -> Failed | None:
    if not account.secrets.get("service_account"):
        return keyless(account, "service_account")
    if not unset(account, "package"):
        return None
    return Failed("package_missing", "the name of the package is missing", Reason.ACCOUNT_REFUSED)
