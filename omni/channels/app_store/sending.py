"""The developer's response to a review: one call, a second one overwrites the first; it is published after some hours."""

from collections.abc import Sequence

from omni.channels.app_store.client import call
from omni.channels.app_store.reading import NEEDED
from omni.channels.asking import Answer, Rule, deliver, refusal, unset
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, SendResult
from omni.channels.json_fields import identifier_at, object_at

PATH = "/v1/customerReviewResponses"
CAPABILITIES = Capabilities(text_limit=5970, delivery_receipts=True, idempotent_send=True)

RULES = (
    Rule(400, "too long", "text_too_long", Reason.TOO_LONG),
    Rule(403, "", "key_has_no_right", Reason.ACCOUNT_REFUSED),
    Rule(404, "", "review_gone", Reason.CONTACT_GONE),
    Rule(409, "", "not_accepted", Reason.REJECTED),
)


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Sent ids are `reply:<review>:<our key>` and `response:<id>`, by which the store tells its fate."""
    refused = refusal(outgoing, CAPABILITIES)
    if refused:
        return refused
    if name := unset(account, *NEEDED):
        return Failed("setting_missing", f"the setting {name} is missing", Reason.ACCOUNT_REFUSED)
    review = {"data": {"type": "customerReviews", "id": outgoing.recipient}}
    data = {"type": "customerReviewResponses", "attributes": {"responseBody": outgoing.text}, "relationships": {"review": review}}

    def ids(answer: Answer) -> Sequence[str]:
        number = identifier_at(object_at(answer.object, "data"), "id")
        return [f"reply:{outgoing.recipient}:{outgoing.key}", f"response:{number}"] if number else []

    return deliver(lambda: call(account, "POST", PATH, json={"data": data}), ids, RULES, idempotent=True)
