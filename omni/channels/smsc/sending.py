"""One SMS out (https://smsc.ru/api/http/send/sms/). The id is ours, so a status finds its notice even when the answer never came."""

import hashlib
from collections.abc import Mapping, Sequence

import httpx

from omni.channels.asking import Answer, refusal, verdict
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import identifier_at, objects_at, text_at
from omni.channels.notice_channel import too_many_parts
from omni.channels.phones import digits_of, without_numbers
from omni.channels.smsc.client import call, code_of, keyless

TEXT_LIMIT = 1000
BIGGEST_ID = 2**31 - 1
CAPABILITIES = Capabilities(text_limit=TEXT_LIMIT, delivery_receipts=True, notices_only=True)

PERMANENT: Mapping[int, tuple[str, Reason]] = {
    1: ("bad_parameters", Reason.REJECTED),
    2: ("key_refused", Reason.ACCOUNT_REFUSED),
    3: ("no_money", Reason.ACCOUNT_REFUSED),
    5: ("bad_date", Reason.REJECTED),
    6: ("forbidden", Reason.REJECTED),
    7: ("bad_number", Reason.CONTACT_GONE),
    8: ("undeliverable", Reason.REJECTED),
}
ADDRESS_BANNED, TOO_OFTEN = 4, 9
PAUSE = 60.0


def id_of(key: str) -> int:
    """The message's id for the provider: a whole number from 1 to 2**31-1 that follows from our key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % BIGGEST_ID + 1


def reference(number: str, phone: str) -> str:
    """Our name of a send: the provider's id is unique only together with the telephone, which is not written out here."""
    return f"{number}-{hashlib.sha256(phone.encode()).hexdigest()[:12]}"


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Hand one SMS over. The phone is an E.164 number."""
    phone = digits_of(outgoing.recipient)
    failed = refusal(outgoing, CAPABILITIES) or keyless(account) or _unsuitable(outgoing, account, phone)
    if failed:
        return failed
    number = str(id_of(outgoing.key))
    fields = {"phones": phone, "mes": outgoing.text, "id": number, "op": "1", "err": "1", "cost": "3"}
    if sender := str(account.settings.get("sender") or "").strip():
        fields["sender"] = sender
    try:
        answer = call(account, "send", fields)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return _meaning(answer, number, phone)


def _unsuitable(outgoing: Outgoing, account: AccountConfig, phone: str) -> Failed | None:
    if not phone:
        return Failed("bad_number", "this is no telephone number", Reason.CONTACT_GONE)
    return too_many_parts(outgoing.text, account)


def _meaning(answer: Answer, number: str, phone: str) -> SendResult:
    if not answer.accepted or not isinstance(answer.body, dict):
        return verdict(answer)
    code = code_of(answer)
    if code is None:
        code = _code_of_number(objects_at(answer.object, "phones"))
    if code is None:
        told = identifier_at(answer.object, "id")
        return Sent((reference(told, phone),)) if told else Retry("garbled_answer", "accepted, but the answer has no id", unknown=True)
    text = without_numbers(text_at(answer.object, "error") or f"error {code}")
    if code == ADDRESS_BANNED:
        return Retry("address_banned", text, after=PAUSE, whole_account=True)
    if code == TOO_OFTEN:
        return Retry("too_often", text, after=PAUSE)
    name, reason = PERMANENT.get(code, (f"smsc_{code}", Reason.REJECTED))
    return Failed(name, f"{code}: {text}", reason)


def _code_of_number(phones: Sequence[Mapping[str, object]]) -> int | None:
    """The error of our one number where the request as a whole was taken (`op=1`, `err=1`)."""
    told = identifier_at(phones[0], "error") if phones else ""
    return int(told) if told.isascii() and told.isdecimal() and int(told) else None
