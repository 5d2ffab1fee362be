"""Exchanges whose notice is a question too: its answer says what the caller hears next. Who answers is registered here by the kind."""

from collections.abc import Callable

from omni.channels.contract import RawEvent, WebhookReply
from omni.models import ChannelAccount

Answers = Callable[[ChannelAccount, RawEvent], WebhookReply | None]
_answers: dict[str, Answers] = {}


def register(kind: str, answers: Answers) -> None:
    """`answers` gets each verified and kept notice of the kind's accounts, repeats too; None = nothing is to be said to it."""
    _answers[kind] = answers


def reply_to(account: ChannelAccount, event: RawEvent) -> WebhookReply | None:
    """The answer to a notice; None if it asks nothing."""
    answers = _answers.get(account.kind)
    return answers(account, event) if answers else None
