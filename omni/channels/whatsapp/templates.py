"""The texts that Meta has approved for a business account (Cloud API, message templates: GET and webhook)."""

from collections.abc import Iterator, Sequence

import httpx

from omni.channels.contract import AccountConfig, Failed, PollFault
from omni.channels.http import unanswered
from omni.channels.json_fields import JsonObject, object_at, objects_at, text_at
from omni.channels.meta.errors import verdict
from omni.channels.meta.graph import Answer, get
from omni.channels.templates import ListedTemplate, TemplateFate
from omni.channels.whatsapp.errors import CODES
from omni.message_templates import count_places

FIELDS = "name,language,status,rejected_reason,components"
PAGE, MOST_PAGES = "100", 100
_FATES = {
    "APPROVED": TemplateFate.APPROVED,
    "FLAGGED": TemplateFate.APPROVED,
    "REINSTATED": TemplateFate.APPROVED,
    "PENDING": TemplateFate.PENDING,
    "IN_APPEAL": TemplateFate.PENDING,
    "REJECTED": TemplateFate.REJECTED,
    "DISABLED": TemplateFate.REJECTED,
    "PENDING_DELETION": TemplateFate.REJECTED,
    "DELETED": TemplateFate.REJECTED,
    "LIMIT_EXCEEDED": TemplateFate.REJECTED,
    "PAUSED": TemplateFate.PAUSED,
}
"""`FLAGGED` is a warning: the text may be sent until it is disabled."""


def fate_of(status: str) -> TemplateFate | None:
    """What a status or an event of the webhook means; None for one that is not known here."""
    return _FATES.get(status.upper())


def listed(account: AccountConfig) -> Sequence[ListedTemplate]:
    """Every text of the account that we can send. Raises PollFault."""
    business = str(account.settings.get("business_account_id") or "").strip()
    if not (business.isascii() and business.isdecimal()):
        raise PollFault("the channel account has no business_account_id")
    return [found for row in _rows(account, business) if (found := read(row))]


def _rows(account: AccountConfig, business: str) -> Iterator[JsonObject]:
    after = ""
    for _page in range(MOST_PAGES):
        answer = _asked(account, business, after)
        yield from objects_at(answer.body or {}, "data")
        paging = object_at(answer.body or {}, "paging")
        after = text_at(object_at(paging, "cursors"), "after")
        if not after or "next" not in paging:
            return


def _asked(account: AccountConfig, business: str, after: str) -> Answer:
    try:
        answer = get(account, f"/{business}/message_templates", fields=FIELDS, limit=PAGE, **({"after": after} if after else {}))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PollFault(unanswered(error).text) from error
    if not answer.accepted:
        result = verdict(answer, CODES)
        raise PollFault(answer.said, after=answer.pause, refused=isinstance(result, Failed))
    return answer


def read(row: JsonObject) -> ListedTemplate | None:
    """A row of the list; None if sending it takes more than values for the places of its text."""
    fate, parts = fate_of(text_at(row, "status")), objects_at(row, "components")
    body = next((text_at(part, "text") for part in parts if text_at(part, "type").upper() == "BODY"), "")
    name, language = text_at(row, "name"), text_at(row, "language")
    if fate is None or not name or not language or not body or count_places(body) < 0 or any(map(_wants_more, parts)):
        return None
    why = text_at(row, "rejected_reason")
    return ListedTemplate(name, language, fate, body, "" if why == "NONE" else why)


def _wants_more(part: JsonObject) -> bool:
    """A picture above, a place in the heading, or an address with a place under a button."""
    kind = text_at(part, "type").upper()
    if kind == "HEADER":
        return text_at(part, "format").upper() != "TEXT" or "{{" in text_at(part, "text")
    if kind == "BUTTONS":
        return any(
            "{{" in text_at(button, "url") or text_at(button, "type").upper() in ("OTP", "COPY_CODE")
            for button in objects_at(part, "buttons")
        )
    return kind not in ("BODY", "FOOTER")
