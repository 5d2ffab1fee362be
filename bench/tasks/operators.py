"""Operators signed in, each in one of several groups with a channel account of its own."""

from bench.tasks.desk import signed_in
from omni.models import ChannelAccount
from tests import builders as b

GROUPS = 20


def run(*, number: int) -> dict[str, list[dict[str, str]] | list[str]]:
    """`operators`: a session key each; person n is in group n modulo GROUPS. `accounts`: the groups' Telegram accounts."""
    groups = [b.a_group(f"bench-{position}", f"Линия {position}") for position in range(min(GROUPS, number))]
    queues = [b.a_queue(f"bench-{position}", group) for position, group in enumerate(groups)]
    accounts: list[ChannelAccount] = [b.an_account(queue=queue) for queue in queues]
    role = b.a_role()
    cookies = [signed_in(f"operator-{person}", groups=[groups[person % len(groups)]], role=role)[1] for person in range(number)]
    return {"operators": cookies, "accounts": [{"id": str(account.public_id)} for account in accounts]}
