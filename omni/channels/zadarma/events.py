"""From Zadarma's notices to steps (API, "Notifications about calls in the exchange").

A notice has no time of its own but the call's beginning, and no number in a row: the order is the order of the kinds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

from omni.channels.contract import AccountConfig, CallKind, CallStep, Inbound, Unreadable
from omni.channels.json_fields import digest_key, read_object_or_none
from omni.channels.telephony.account import extension_digits, local_time, region_of, zone_of
from omni.channels.telephony.items import INTERNAL, call_item, form_of, ignored, unused, whole_at
from omni.channels.telephony.numbers import bare, e164, is_extension

RANK = {
    "NOTIFY_START": 10,
    "NOTIFY_OUT_START": 10,
    "NOTIFY_IVR": 15,
    "NOTIFY_INTERNAL": 20,
    "NOTIFY_ANSWER": 30,
    "NOTIFY_END": 40,
    "NOTIFY_OUT_END": 40,
    "NOTIFY_RECORD": 50,
}
"""In which order the notices of one leg tell its story."""
Form = Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """How an account's notices are read, and when this one came."""

    received_at: datetime
    region: str
    zone: tzinfo
    extension_digits: int

    @classmethod
    def of(cls, account: AccountConfig, received_at: datetime) -> "Reading":
        return cls(received_at, region_of(account), zone_of(account), extension_digits(account))

    def number(self, form: Form, name: str) -> str:
        return e164(form.get(name, ""), self.region)

    def begun(self, form: Form) -> datetime:
        return local_time(form.get("call_start", ""), self.zone, self.received_at)


def key_of(body: bytes) -> str:
    """`<call>:<kind>:<telephone>`; a digest of what names no call. The menu may report several times. Never raises."""
    try:
        form = form_of(body)
    except Unreadable:
        return digest_key(body)
    call, kind = form.get("pbx_call_id", ""), form.get("event", "")
    if not call or kind not in RANK or kind == "NOTIFY_IVR":
        return digest_key(body)
    part = form.get("call_id_with_rec", "") if kind == "NOTIFY_RECORD" else form.get("internal", "")
    return f"{call}:{kind}:{part}"


def items_of(body: bytes, reading: Reading) -> Sequence[Inbound]:
    """The item of a notice. Raises Unreadable."""
    form = form_of(body)
    kind = form.get("event", "")
    if not kind:
        raise Unreadable("the form has no field event")
    handler = HANDLERS.get(kind)
    if handler is None:
        return [ignored(key_of(body), reading.received_at, unused(kind))]
    if not form.get("pbx_call_id"):
        raise Unreadable("pbx_call_id is missing")
    found = handler(form, reading)
    return [found if found is not None else ignored(key_of(body), reading.received_at, INTERNAL)]


def inbound_step(form: Form, reading: Reading, kind: CallKind, *, extension: str = "", **values: object) -> CallStep:
    """A step of a call to us: of the telephone's leg if one is named, else of the whole call."""
    call = form["pbx_call_id"]
    fields: dict[str, object] = {"at": reading.received_at, **values}
    return CallStep(
        kind=kind,
        call_key=call,
        leg_key=f"{call}:{extension}" if extension and kind is not CallKind.ENDED else call,
        sequence=RANK[form["event"]],
        caller=reading.number(form, "caller_id"),
        called=reading.number(form, "called_did"),
        extension=extension,
        **fields,  # type: ignore[arg-type]
    )


def start(form: Form, reading: Reading) -> Inbound | None:
    return call_item(inbound_step(form, reading, CallKind.RINGING, at=reading.begun(form)), name=form.get("caller_name", ""))


def internal(form: Form, reading: Reading) -> Inbound | None:
    """An operator's telephone rings."""
    return call_item(inbound_step(form, reading, CallKind.RINGING, extension=bare(form.get("internal", ""))))


def answer(form: Form, reading: Reading) -> Inbound | None:
    """Somebody took the call; `destination` is the telephone, or the number a call of ours was made to."""
    telephone, destination = bare(form.get("internal", "")), bare(form.get("destination", ""))
    if not is_extension(destination, reading.extension_digits) and is_extension(form.get("caller_id", ""), reading.extension_digits):
        return outbound(form, reading, CallKind.ANSWERED, telephone=bare(form.get("caller_id", "")))
    extension = telephone or (destination if is_extension(destination, reading.extension_digits) else "")
    return call_item(inbound_step(form, reading, CallKind.ANSWERED, extension=extension))


def end(form: Form, reading: Reading) -> Inbound | None:
    """The whole call is over. An answer without a telephone was the voice menu's."""
    extension = bare(form.get("internal", "") or form.get("last_internal", ""))
    talked = form.get("disposition", "").strip() == "answered" and extension
    ended = {"duration": whole_at(form, "duration") if talked else None, "reason": form.get("disposition", "")}
    return call_item(inbound_step(form, reading, CallKind.ENDED, extension=extension if talked else "", **ended))


def outbound(form: Form, reading: Reading, kind: CallKind, *, telephone: str, **values: object) -> Inbound | None:
    """A step of a call that one of ours makes; None for a call to a colleague."""
    destination = form.get("destination", "")
    if is_extension(destination, reading.extension_digits):
        return None
    call = form["pbx_call_id"]
    fields: dict[str, object] = {"at": reading.received_at, **values}
    step = CallStep(
        kind=kind,
        call_key=call,
        leg_key=call,
        sequence=RANK[form["event"]],
        inbound=False,
        caller=e164(form.get("caller_id", ""), reading.region) if not is_extension(form.get("caller_id", "")) else "",
        called=e164(destination, reading.region),
        extension=telephone,
        **fields,  # type: ignore[arg-type]
    )
    return call_item(step)


def out_start(form: Form, reading: Reading) -> Inbound | None:
    return outbound(form, reading, CallKind.RINGING, telephone=bare(form.get("internal", "")), at=reading.begun(form))


def out_end(form: Form, reading: Reading) -> Inbound | None:
    answered = form.get("disposition", "").strip() == "answered"
    ended = {"duration": whole_at(form, "duration") if answered else None, "reason": form.get("disposition", "")}
    return outbound(form, reading, CallKind.ENDED, telephone=bare(form.get("internal", "")), **ended)


def record(form: Form, reading: Reading) -> Inbound | None:
    call, name = form["pbx_call_id"], form.get("call_id_with_rec", "")
    return call_item(CallStep(CallKind.RECORDING_READY, call, call, RANK["NOTIFY_RECORD"], reading.received_at, recording=name))


class Keys(NamedTuple):
    """What a NOTIFY_IVR tells of `wait_dtmf`: the `name` that the wait was given, the `digits` pressed, empty when none were."""

    name: str
    digits: str


def keys_of(form: Form) -> Keys:
    """`wait_dtmf` as JSON, or its parts `wait_dtmf[name]`, `wait_dtmf[digits]` (the vendor's client, lib/Webhook/WaitDtmf.php)."""
    told = read_object_or_none(form.get("wait_dtmf", "").encode("utf-8", "replace")) or {}
    name, digits = (form.get(f"wait_dtmf[{part}]") or str(told.get(part) or "") for part in Keys._fields)
    return Keys(name, "".join(character for character in digits if character in "0123456789*#"))


def ivr(form: Form, reading: Reading) -> Inbound | None:
    """Keys that the guest pressed."""
    # Several of a call differ by when they came only.
    step = inbound_step(form, reading, CallKind.DTMF, digits=keys_of(form).digits)
    return call_item(CallStep(**{**vars(step), "sequence": round(reading.received_at.timestamp() * 1000)}))


HANDLERS: Mapping[str, Callable[[Form, Reading], Inbound | None]] = {
    "NOTIFY_START": start,
    "NOTIFY_INTERNAL": internal,
    "NOTIFY_ANSWER": answer,
    "NOTIFY_END": end,
    "NOTIFY_OUT_START": out_start,
    "NOTIFY_OUT_END": out_end,
    "NOTIFY_RECORD": record,
    "NOTIFY_IVR": ivr,
}
