"""A process of the fault test: ten threads spend and accrue from lists of orders made beforehand. `python -m loyalty.tests.spender SEED`.

The ids are the caller's, kept before sending: whoever comes after a kill sends the same list again.
"""

import random
import sys
import threading
import uuid
from datetime import datetime

import django

THREADS, ORDERS = 10, 30
SPACE = uuid.UUID("7f4f3f80-3b84-4c5e-9a94-52b8a4ec3a10")


def orders_of(seed, wallets, till, source):
    """The whole list of one process: mostly spendings of up to 40 points, some accruals of up to 25."""
    from loyalty.types import Order

    chance = random.Random(seed)
    found = []
    for number in range(THREADS * ORDERS):
        id, wallet, amount = uuid.uuid5(SPACE, f"{seed} {number}"), chance.choice(wallets), chance.randint(1, 40)
        spends = chance.random() < 0.7
        kind = "spend" if spends else "accrual"
        found.append(Order(id, kind, wallet if spends else source, till if spends else wallet, amount if spends else max(1, amount - 15)))
    return found


def main():
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from loyalty.models import Account
    from loyalty.services import accounts, ledger

    seed = int(sys.argv[1])
    wallets = list(Account.objects.filter(kind="available").order_by("pk").values_list("pk", flat=True))
    orders = orders_of(seed, wallets, accounts.house("redeem:lukoshko"), accounts.house("issue:lukoshko"))
    faults = []

    def work(part):
        try:
            now: datetime = timezone.now()
            for start in range(0, len(part), 3):
                ledger.post(part[start : start + 3] if start % 2 else part[start : start + 3][::-1], now=now)
        except Exception as fault:
            faults.append(fault)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(orders[place::THREADS],)) for place in range(THREADS)]
    [thread.start() for thread in threads]
    sys.stdout.write("spending\n")
    sys.stdout.flush()
    [thread.join() for thread in threads]
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
