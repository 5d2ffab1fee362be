"""Calls of a provider's JSON API: what an answer, or none, means for a poll and for a send.

The rules of HTTP are the same for all; what a vendor's own sentences mean stands in the channel's table of `Rule`s.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, Capabilities, Failed, Finding, Outgoing, PollFault, Reason, Retry, SendResult, Sent
from omni.channels.http import json_of, pause_of, unanswered
from omni.channels.json_fields import JsonObject, storable

THROTTLED = frozenset({420, 429})
"""429 by RFC 6585; 420 is what Yandex Market answers over its limits."""
WORDS = ("message", "title", "detail", "details", "error_description", "description", "errorText", "msg", "code", "error", "errors", "ret")
"""Where providers put the sentence of an error, in this order; objects and arrays are looked into."""


NAME = re.compile(r"[\w.-]{1,200}", re.ASCII)
"""What numbers and names of apps, keys and cabinets look like."""


class Rule(NamedTuple):
    """An answer that can never become better: its HTTP status, a part of its sentence in lower case, our code, the reason."""

    status: int
    part: str
    code: str
    reason: Reason


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status, JSON (None = it was none), the pause asked for in seconds."""

    status: int
    body: Any = None
    after: float | None = None

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def object(self) -> JsonObject:
        return self.body if isinstance(self.body, dict) else {}

    @property
    def said(self) -> str:
        """The provider's sentence, else its status."""
        return storable(said(self.body))[:200] or f"HTTP {self.status}"


def ask(client: httpx.Client, method: str, path: str, *, pause_header: str = "", **request: Any) -> Answer:
    """One call. `pause_header` names the vendor's own header of seconds to wait. Raises httpx.HTTPError, httpx.InvalidURL."""
    response = client.request(method, path, **request)
    own = response.headers.get(pause_header, "").strip() if pause_header else ""
    asked = pause_of(response)
    after = asked if asked is not None else float(own) if own.isascii() and own.isdecimal() and len(own) < 8 else None
    return Answer(response.status_code, json_of(response), after)


def said(body: Any, depth: int = 3) -> str:
    """The first sentence in an error's JSON, wherever the vendor puts it; empty if there is none."""
    if isinstance(body, str):
        return body.strip()
    if isinstance(body, list) and depth:
        return next((text for one in body if (text := said(one, depth - 1))), "")
    if isinstance(body, dict) and depth:
        return next((text for key in WORDS if key in body and (text := said(body[key], depth - 1))), "")
    return ""


def page(call: Callable[[], Answer]) -> JsonObject:
    """The JSON object that a question of a poll brings. Raises PollFault."""
    try:
        answer = call()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PollFault(_("The provider does not answer: %(fault)s") % {"fault": type(error).__name__}) from error
    if answer.status in THROTTLED:
        raise PollFault(_("The provider asks for a pause."), after=answer.after)
    if answer.status in (401, 403):
        raise PollFault(_("The provider refuses our key: %(text)s") % {"text": answer.said}, refused=True)
    if not answer.accepted:
        raise RefusedPage(answer)
    if not isinstance(answer.body, dict):
        raise PollFault(_("The provider's answer cannot be read."))
    return answer.object


class RefusedPage(PollFault):
    """The provider understood the question and cannot answer it (4xx), or is out of order (5xx). `gone` = there is no such thing."""

    def __init__(self, answer: Answer) -> None:
        words = _("The provider answers with an error: %(status)d %(text)s") % {"status": answer.status, "text": answer.said}
        super().__init__(words, after=answer.after)
        self.gone = answer.status in (400, 404, 410, 422)


def verdict(answer: Answer, rules: Sequence[Rule] = (), *, idempotent: bool = False) -> Retry | Failed:
    """What an answer that is not a success means for a send."""
    if answer.status in THROTTLED:
        return Retry("throttled", answer.said, after=answer.after, whole_account=True)
    if answer.status >= 500:
        # A gateway's time-out is the only 5xx after which the server behind it may have gone on.
        return Retry(f"http_{answer.status}", answer.said, after=answer.after, unknown=answer.status == 504 and not idempotent)
    sentence = answer.said.lower()
    for rule in rules:
        if answer.status == rule.status and rule.part in sentence:
            return Failed(rule.code, answer.said, rule.reason)
    if answer.status == 401:
        return Failed("key_refused", answer.said, Reason.ACCOUNT_REFUSED)
    if answer.status < 400:
        return Retry("garbled_answer", f"HTTP {answer.status}", unknown=not idempotent)
    return Failed(f"http_{answer.status}", answer.said)


def deliver(
    call: Callable[[], Answer], ids: Callable[[Answer], Sequence[str]], rules: Sequence[Rule] = (), *, idempotent: bool = False
) -> SendResult:
    """Make the call of a send. `ids` finds our message's ids in a success; none = the answer cannot be believed.

    `idempotent` = a second call overwrites the first, so an unknown outcome does no harm.
    """
    try:
        answer = call()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fault = unanswered(error)
        return replace(fault, unknown=False) if idempotent else fault
    if not answer.accepted:
        return verdict(answer, rules, idempotent=idempotent)
    found = ids(answer)
    return Sent(tuple(found)) if found else Retry("garbled_answer", "accepted, but the answer cannot be read", unknown=not idempotent)


def in_order(parts: Sequence[Callable[[], SendResult]], already_sent: Sequence[str]) -> SendResult:
    """The parts of one message, one id each, after those that an earlier attempt got through; the first fault ends it."""
    sent = list(already_sent)
    for part in parts[len(already_sent) :]:
        result = part()
        if not isinstance(result, Sent):
            return _partly(result, sent[len(already_sent) :], f"{len(sent)} of {len(parts)} parts were sent, then {result.code}")
        sent.append(result.external_ids[0])
    return Sent(tuple(sent))


def _partly(fault: Retry | Failed, sent: Sequence[str], text: str) -> Retry | Failed:
    if not sent:
        return fault
    return replace(fault, text=f"{text}: {fault.text}", sent=tuple(sent))


def refusal(outgoing: Outgoing, can: Capabilities, *, mimes: frozenset[str] | None = None, least: int = 1) -> Failed | None:
    """Why this message can never be sent, else None. Texts are refused over the limit, never cut. `least` characters are needed."""
    text = outgoing.text.strip()
    if not outgoing.recipient.strip():
        return Failed("no_recipient", "nobody to send to")
    if can.text_limit is not None and len(outgoing.text) > can.text_limit:
        return Failed("text_too_long", f"{len(outgoing.text)} characters, at most {can.text_limit} are allowed", Reason.TOO_LONG)
    if storable(outgoing.text) != outgoing.text:
        return Failed("unsendable_text", "the text has NUL or half characters")
    if not text and not outgoing.files:
        return Failed("empty", "neither text nor files")
    if text and len(text) < least:
        return Failed("text_too_short", f"{len(text)} characters, at least {least} are needed")
    return _refused_files(outgoing, can, mimes)


def _refused_files(outgoing: Outgoing, can: Capabilities, mimes: frozenset[str] | None) -> Failed | None:
    if outgoing.files and not can.attachments:
        return Failed("no_files", "this channel takes no files")
    if len(outgoing.files) > can.attachments_per_message:
        return Failed("too_many_files", f"{len(outgoing.files)} files, at most {can.attachments_per_message} are allowed")
    for file in outgoing.files:
        if not file.data:
            return Failed("empty_file", f"{file.name}: the file is empty")
        if can.attachment_bytes and len(file.data) > can.attachment_bytes:
            return Failed("file_too_large", f"{file.name}: {len(file.data)} bytes, at most {can.attachment_bytes} are allowed")
        if mimes is not None and file.mime not in mimes:
            return Failed("file_type", f"{file.name}: files of the type {file.mime or '?'} are not taken")
    return None


def lacking(account: AccountConfig, *names: str) -> str:
    """The first of these secrets that is missing or cannot stand in a header; empty = all are there."""
    return next((name for name in names if not (key := account.secrets.get(name, "")) or not key.isascii() or not key.isprintable()), "")


def needs(account: AccountConfig, *names: str) -> None:
    """Raises PollFault when a secret is lacking."""
    if name := lacking(account, *names):
        raise PollFault(_("The secret “%(name)s” is missing or is no key.") % {"name": name}, refused=True)


def unset(account: AccountConfig, *names: str) -> str:
    """The first of these settings that is missing or could not be a part of an address; empty = all are there."""
    return next((name for name in names if not NAME.fullmatch(str(account.settings.get(name) or "").strip())), "")


def needs_settings(account: AccountConfig, *names: str) -> None:
    """Raises PollFault when a setting is missing."""
    if name := unset(account, *names):
        raise PollFault(_("The setting “%(name)s” is missing or cannot be right.") % {"name": name}, refused=True)


def keyless(account: AccountConfig, *names: str) -> Failed | None:
    """The refusal of a send when a secret is lacking, else None."""
    name = lacking(account, *names)
    return Failed("key_missing", f"the secret {name} is missing or is no key", Reason.ACCOUNT_REFUSED) if name else None


def findings(question: Callable[[], object], works: str) -> Sequence[Finding]:
    """ "Check the connection" by one harmless question: `works` is the sentence of success, a fault is a finding."""
    try:
        question()
    except PollFault as fault:
        return [Finding(False, str(fault))]
    return [Finding(True, works)]
