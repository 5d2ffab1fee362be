"""Notices of escalation to members of staff, by our channel accounts (registered with escalation.senders)."""

from collections.abc import Sequence

from core.secrets import SecretLost
from escalation.senders import Letter, Outcome
from escalation.states import Channel, DeliveryState
from omni.channels.contract import Outgoing, Retry, SendResult, Sent
from omni.channels.registry import ADAPTERS, adapter_for
from omni.models import ChannelAccount
from omni.states import AccountState

# Which kinds of account send in a channel of escalation. Any other kind is a messenger: its address says which, `telegram:12345`.
KINDS: dict[str, tuple[str, ...]] = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("smsc", "smsaero"),
    Channel.PUSH: ("fcm", "hms"),
}


class StaffLetters:
    """Sends by the first enabled account of a fitting kind; the next one has its turn when an account refuses for good."""

    def send(self, letter: Letter) -> Outcome | None:
        kinds, address = _way(letter)
        outcome = None
        for account in _accounts(kinds):
            outcome = _outcome(_hand_over(account, letter, address))
            if outcome.state != DeliveryState.FAILED:
                break
        return outcome


def _way(letter: Letter) -> tuple[Sequence[str], str]:
    if letter.channel in KINDS:
        return KINDS[letter.channel], letter.address
    kind, _colon, address = letter.address.partition(":")
    return ([kind] if kind in {adapter.kind for adapter in ADAPTERS} else []), address


def _accounts(kinds: Sequence[str]) -> list[ChannelAccount]:
    found = ChannelAccount.objects.filter(kind__in=kinds, state=AccountState.ENABLED)
    return sorted(found, key=lambda account: (kinds.index(account.kind), account.pk))


def _hand_over(account: ChannelAccount, letter: Letter, address: str) -> SendResult:
    adapter = adapter_for(account.kind)
    limit = adapter.capabilities.text_limit
    # A channel without a place for the heading gets it in the text; what is too long there becomes the heading alone, never a torn text.
    text = letter.text if adapter.capabilities.subject else f"{letter.heading}\n{letter.text}"
    fits = limit is None or len(text) <= limit
    outgoing = Outgoing(
        key=letter.key, recipient=address, text=text if fits else letter.heading[:limit], subject=letter.heading, automatic=True
    )  # fmt: skip
    try:
        return adapter.send(outgoing, account.config())
    except SecretLost as fault:
        return Retry(code="secret_lost", text=str(fault))


def _outcome(result: SendResult) -> Outcome:
    if isinstance(result, Sent):
        return Outcome(DeliveryState(result.state.value), external_id=(result.external_ids or [""])[0])
    if isinstance(result, Retry):
        return Outcome(None, error=f"{result.code}: {result.text}", after=result.after, unknown=result.unknown)
    return Outcome(DeliveryState.FAILED, error=f"{result.code}: {result.text}")
