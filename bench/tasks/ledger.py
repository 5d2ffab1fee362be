"""Transfers of points: one by one, in batches, and the same rows by COPY."""

import random
import time
import uuid

from django.utils import timezone

from bench.tasks import copied
from loyalty.models import Account, Transfer, Wallet
from loyalty.services import accounts, ledger, proof
from loyalty.states import AccountKind, TransferKind
from loyalty.types import Order

WALLETS, HOUSES, POINTS, BATCH = 2000, 1000, 1_000_000, 1000


def prepare() -> dict[str, int]:
    """Wallets with points, and many house accounts to compare one with."""
    now = timezone.now()
    wallets = Wallet.objects.bulk_create(Wallet(created_at=now) for _n in range(WALLETS))
    Account.objects.bulk_create(Account(kind=AccountKind.AVAILABLE, wallet=wallet) for wallet in wallets)
    Account.objects.bulk_create(Account(kind=AccountKind.HOUSE, code=f"bench:{number}") for number in range(HOUSES))
    source = accounts.house("issue:bench")
    orders = [Order(uuid.uuid4(), TransferKind.ACCRUAL, source, number, POINTS) for number in _wallets()]
    for start in range(0, len(orders), BATCH):
        ledger.post(orders[start : start + BATCH], now=now)
    return {"wallets": len(orders)}


def _wallets():
    return list(Account.objects.filter(kind=AccountKind.AVAILABLE).order_by("pk").values_list("pk", flat=True))


def _houses():
    return list(Account.objects.filter(code__startswith="bench:").order_by("pk").values_list("pk", flat=True))


def _mixed(number, seed):
    """Every second one a spending, the others accruals; one house account takes part in each."""
    chance, wallets, house = random.Random(seed), _wallets(), accounts.house("issue:bench")
    found = []
    for place in range(number):
        wallet, id = chance.choice(wallets), uuid.UUID(int=chance.getrandbits(128))
        kind, debit, credit = (TransferKind.SPEND, wallet, house) if place % 2 else (TransferKind.ACCRUAL, house, wallet)
        found.append(Order(id, kind, debit, credit, chance.randint(1, 100), subject=f"receipt:{place}"))
    return found


def one_by_one(*, number: int, seed: int) -> dict[str, float]:
    """Seconds for `number` transfers, each in its own transaction, and for their rows by COPY."""
    orders = _mixed(number, seed)
    ledger.post(_mixed(50, seed + 1_000_000), now=timezone.now())
    begun = time.perf_counter()
    for order in orders:
        ledger.post([order], now=timezone.now())
    ended = time.perf_counter()
    return {"seconds": ended - begun, "copy": _copied(orders)}


def in_batches(*, number: int, seed: int) -> dict[str, float]:
    """The same in batches of BATCH."""
    orders = _mixed(number, seed)
    ledger.post(_mixed(50, seed + 1_000_000), now=timezone.now())
    begun = time.perf_counter()
    for start in range(0, number, BATCH):
        ledger.post(orders[start : start + BATCH], now=timezone.now())
    ended = time.perf_counter()
    return {"seconds": ended - begun, "copy": _copied(orders)}


def _copied(orders):
    ids = "'{" + ",".join(str(order.id) for order in orders) + "}'::uuid[]"
    made = Transfer.objects.filter(pk__in=[order.id for order in orders]).count()
    if made != len(orders):
        raise RuntimeError(f"{made} of {len(orders)} transfers are there")
    return copied.seconds(
        {"loyalty_transfer": f"id = any({ids})", "loyalty_lot": f"id = any({ids})", "loyalty_lotuse": f"transfer = any({ids})"}
    )


def house(*, number: int, seed: int, many: bool) -> dict[str, float]:
    """Accruals one by one, from one house account or from HOUSES of them in turn; when it began and ended."""
    chance, wallets, houses = random.Random(seed), _wallets(), _houses() if many else [accounts.house("issue:bench")]
    orders = [
        Order(uuid.UUID(int=chance.getrandbits(128)), TransferKind.ACCRUAL, houses[place % len(houses)], chance.choice(wallets), 7)
        for place in range(number + 20)
    ]
    for order in orders[:20]:
        ledger.post([order], now=timezone.now())
    begun = time.monotonic()
    for order in orders[20:]:
        ledger.post([order], now=timezone.now())
    return {"begun": begun, "ended": time.monotonic(), "number": number}


def prove() -> int:
    """How many proofs fail, and the house accounts folded on the way."""
    accounts.fold_house()
    return len(proof.find_faults(now=timezone.now()))
