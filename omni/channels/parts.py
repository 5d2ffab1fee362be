"""A message that takes several calls, one message of the provider's each: what got through is never sent again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from omni.channels.contract import Failed, Outgoing, Retry, SendResult, Sent

Part = TypeVar("Part")


def send_parts(parts: Sequence[Part], outgoing: Outgoing, send_one: Callable[[Part, bool], SendResult]) -> SendResult:
    """Send the parts after those that an earlier attempt got through, in order; the first that fails ends it.

    `send_one` gets a part and whether it is the message's first.
    """
    sent = list(outgoing.already_sent)
    for part in parts[len(sent) :]:
        outcome = send_one(part, not sent)
        if not isinstance(outcome, Sent):
            return _partly(outcome, fresh=sent[len(outgoing.already_sent) :], done=len(sent), total=len(parts))
        sent.append(outcome.external_ids[0])
    return Sent(tuple(sent))


def _partly(fault: Retry | Failed, *, fresh: Sequence[str], done: int, total: int) -> Retry | Failed:
    """A fault after some parts arrived: the next attempt begins with the part that failed."""
    if not done:
        return fault
    text = f"{done} of {total} parts were sent, then {fault.code}: {fault.text}"
    if isinstance(fault, Retry):
        return replace(fault, code="partly_sent", text=text, sent=tuple(fresh))
    return replace(fault, text=text, sent=tuple(fresh))
