"""The developer's answer to a review in AppGallery: one call, a second one overwrites the first."""

from urllib.parse import quote

from omni.channels.appgallery.client import NAMES, call, reviews_path
from omni.channels.asking import Rule, deliver, keyless, refusal, unset
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, SendResult

CAPABILITIES = Capabilities(text_limit=350, idempotent_send=True)

RULES = (
    Rule(400, "too long", "text_too_long", Reason.TOO_LONG),
    Rule(403, "", "key_has_no_right", Reason.ACCOUNT_REFUSED),
    Rule(404, "", "review_gone", Reason.CONTACT_GONE),
)


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """A sent id is `reply:<review>:<our key>`."""
    refused = keyless(account, *NAMES) or refusal(outgoing, CAPABILITIES)
    if refused:
        return refused
    if unset(account, "app_id"):
        return Failed("setting_missing", "the number of the app is missing", Reason.ACCOUNT_REFUSED)
    path = f"{reviews_path(account)}/{quote(outgoing.recipient, safe='')}"
    body = {"appid": str(account.settings["app_id"]), "reviewId": outgoing.recipient, "content": outgoing.text}
    ids = [f"reply:{outgoing.recipient}:{outgoing.key}"]
    return deliver(
        lambda: call(account, "POST", path, json=body),
        lambda answer: ids if isinstance(answer.body, dict) else [],
        RULES,
        idempotent=True,
    )
