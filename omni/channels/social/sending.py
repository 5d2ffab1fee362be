"""What is refused before any call, and how a message of several calls is gone on with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, OutgoingFile, Reason, Retry, SendResult, Sent
from omni.channels.json_fields import storable


@dataclass(frozen=True)
class Part:
    """One message at the provider: a text, files, or both."""

    text: str = ""
    files: Sequence[OutgoingFile] = ()
    choices: Sequence[str] = ()


class NotUploaded(Exception):
    """A file did not get to the provider, so no message was under way; `result` is what that means for the message."""

    def __init__(self, result: Retry | Failed) -> None:
        super().__init__(result.code)
        self.result = replace(result, unknown=False) if isinstance(result, Retry) else result


def refusal(outgoing: Outgoing, can: Capabilities, account: AccountConfig, *, token: str) -> Failed | None:
    """Why this message can never be sent, else None. Texts are refused over the limit, never cut."""
    if not account.secrets.get(token):
        return Failed("token_missing", "the channel account has no token", Reason.ACCOUNT_REFUSED)
    if not outgoing.recipient.strip():
        return Failed("no_recipient", "nobody to send to")
    if can.text_limit and len(outgoing.text) > can.text_limit:
        said = f"{len(outgoing.text)} characters, at most {can.text_limit} are allowed"
        return Failed("text_too_long", said, Reason.TOO_LONG)
    if storable(outgoing.text) != outgoing.text:
        return Failed("unsendable_text", "the text has NUL or half characters")
    if not outgoing.text.strip() and not outgoing.files:
        return Failed("empty", "neither text nor files")
    return next((refused for file in outgoing.files if (refused := _file_refusal(file, can))), None)


def _file_refusal(file: OutgoingFile, can: Capabilities) -> Failed | None:
    if not file.data:
        return Failed("empty_file", f"{file.name}: the file is empty")
    if can.attachment_bytes and len(file.data) > can.attachment_bytes:
        return Failed("file_too_large", f"{file.name}: {len(file.data)} bytes, at most {can.attachment_bytes} are allowed")
    return None


def send_parts(parts: Sequence[Part], outgoing: Outgoing, deliver: Callable[[Part, str], SendResult]) -> SendResult:
    """Send in order what is not `already_sent`; the first part that fails ends it. `deliver` gets the part and what it answers."""
    sent = list(outgoing.already_sent)
    for part in parts[len(sent) :]:
        outcome = deliver(part, "" if sent else outgoing.reply_to)
        if not isinstance(outcome, Sent):
            return _partly(outcome, sent=sent[len(outgoing.already_sent) :], done=len(sent), total=len(parts))
        sent.extend(outcome.external_ids[:1])
    return Sent(tuple(sent))


def _partly(fault: Retry | Failed, *, sent: Sequence[str], done: int, total: int) -> Retry | Failed:
    """A fault after some parts arrived: the next attempt begins with the part that failed."""
    if not done:
        return fault
    text = f"{done} of {total} parts were sent, then {fault.code}: {fault.text}"
    code = "partly_sent" if isinstance(fault, Retry) else fault.code
    return replace(fault, code=code, text=text, sent=tuple(sent))
